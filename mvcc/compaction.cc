#include "mvcc/compaction.h"

#include <algorithm>
#include <set>
#include <utility>
#include <vector>

#include "base/human_bytes.h"
#include "base/log.h"
#include "base/metrics.h"

namespace kvorum::mvcc {

namespace {

// A file is rewritten when this share of its rows is dead.
constexpr double kPurgeDeadShare = 0.3;

metrics::Histogram& index_pause = metrics::Default().AddHistogram(
    "etcd_debugging_mvcc_index_compaction_pause_duration_milliseconds",
    "Bucketed histogram of index compaction pause duration.",
    metrics::ExponentialBounds(0.5, 2, 14));
// The rewrite of files pauses nobody; what does, for a moment, is the exchange of the dead set.
metrics::Histogram& db_pause = metrics::Default().AddHistogram(
    "etcd_debugging_mvcc_db_compaction_pause_duration_milliseconds",
    "Bucketed histogram of db compaction pause duration.", metrics::ExponentialBounds(1, 2, 13));
metrics::Histogram& db_total = metrics::Default().AddHistogram(
    "etcd_debugging_mvcc_db_compaction_total_duration_milliseconds",
    "Bucketed histogram of db compaction total duration.", metrics::ExponentialBounds(100, 2, 14));
metrics::Gauge& db_last =
    metrics::Default().AddGauge("etcd_debugging_mvcc_db_compaction_last",
                                "The unix time of the last db compaction. Resets to 0 on start.");
metrics::Counter& keys_dropped = metrics::Default().AddCounter(
    "etcd_debugging_mvcc_db_compaction_keys_total", "Total number of db keys compacted.");

void ObserveMilliseconds(metrics::Histogram& histogram, Duration took) {
  histogram.Observe(std::chrono::duration<double, std::milli>(took).count());
}

}  // namespace

Compactor::Compactor(Store& store, const Clock& clock)
    : store_(store), clock_(clock), done_(kNeverCompacted.value()) {
  absl::ReaderMutexLock lock(&store_.mutex_);
  // What an earlier process finished but may not have purged. If there is more to finish, the set
  // of dead rows has parts that are not stored yet, and the purge waits for that.
  if (store_.finished_ == kNeverCompacted || !store_.scheduled_.empty()) return;
  job_.revision = store_.finished_;
  phase_ = Phase::kDurable;
}

StatusOr<Compactor::Progress> Compactor::Step() {
  switch (phase_) {
    case Phase::kIdle:
      return Begin();
    case Phase::kReaders:
      waits_for_readers_ = !store_.epochs_.QuietBefore(job_.epoch);
      if (waits_for_readers_) return Progress::kWaitReaders;
      began_ = clock_.Now();
      phase_ = job_.hash_wanted ? Phase::kHash : Phase::kIndex;
      return Progress::kMore;
    case Phase::kHash:
      return HashSlice();
    case Phase::kIndex:
      return IndexSlice();
    case Phase::kMerge:
      FinishIndex();
      return Progress::kMore;
    case Phase::kFinish: {
      absl::ReaderMutexLock lock(&store_.mutex_);
      if (store_.finished_ < job_.revision) return Progress::kWaitCommit;
      phase_ = Phase::kDurable;
      return Progress::kMore;
    }
    case Phase::kDurable:
      return AwaitDurable();
    case Phase::kPurge:
      return PurgeOne();
  }
  return Progress::kIdle;
}

StatusOr<Compactor::Progress> Compactor::Begin() {
  absl::MutexLock lock(&store_.mutex_);
  if (store_.scheduled_.empty()) return Progress::kIdle;
  job_ = store_.scheduled_.front();
  store_.scheduled_.pop_front();
  hash_.reset();
  resume_.clear();
  resume_entry_ = 0;
  dropped_ = RevisionSet();
  dropped_bytes_ = 0;
  phase_ = Phase::kReaders;
  return Progress::kMore;
}

// Members compare the hash of a compaction over everything it saw, so it is taken before the index
// forgets.
StatusOr<Compactor::Progress> Compactor::HashSlice() {
  if (hash_ == nullptr) {
    hash_ = std::make_unique<Store::HistoryHash>(store_, Store::HistoryHash::Of::kCompaction,
                                                 job_.revision, job_.previous);
  }
  ASSIGN_OR_RETURN(const bool done, hash_->Step());
  if (!done) return Progress::kMore;
  LOG_INFO("storing new hash", {"hash", hash_->hash()}, {"revision", job_.revision.value()},
           {"compact-revision", job_.previous.value()});
  {
    absl::MutexLock lock(&store_.mutex_);
    store_.compaction_hashes_.Add({hash_->hash(), job_.revision, job_.previous});
  }
  phase_ = Phase::kIndex;
  return Progress::kMore;
}

Compactor::Progress Compactor::IndexSlice() {
  DropSlice(PlanSlice());
  return Progress::kMore;
}

// What is found stays so until it is dropped: only this thread drops, and only it makes keys go.
std::vector<std::pair<KeyIndex*, size_t>> Compactor::PlanSlice() {
  std::vector<std::pair<KeyIndex*, size_t>> losing;
  absl::ReaderMutexLock lock(&store_.mutex_);
  TreeIndex::Cursor it = store_.index_.Seek(resume_);
  size_t revisions = 0;
  for (size_t n = 0; n < kSliceKeys && it.valid() && revisions < kSliceRevisions; ++n) {
    KeyIndex& key = *it;
    const size_t drop = key.CountDropped(job_.revision);
    const size_t end = std::min(drop, resume_entry_ + (kSliceRevisions - revisions));
    revisions += end - resume_entry_;
    for (; resume_entry_ < end; ++resume_entry_) {
      const KeyIndex::Entry& entry = key.entries()[resume_entry_];
      dropped_.Insert(entry.revision());
      dropped_bytes_ += key.RowBytes(entry);
    }
    if (end < drop) break;  // the rest of it in the next slice
    if (drop > 0) losing.emplace_back(&key, drop);
    resume_entry_ = 0;
    it.Next();
  }
  if (it.valid()) {
    resume_ = it->key();
  } else {
    phase_ = Phase::kMerge;
  }
  return losing;
}

void Compactor::DropSlice(const std::vector<std::pair<KeyIndex*, size_t>>& keys) {
  std::vector<KeyIndex::Entries> unneeded;  // freed when the lock is not held any more
  unneeded.reserve(keys.size());
  const TimePoint began = clock_.Now();
  {
    absl::MutexLock lock(&store_.mutex_);
    for (const auto& [key, drop] : keys) {
      unneeded.push_back(store_.index_.DropOldest(*key, drop));
      if (key->empty()) store_.index_.Erase(std::string(key->key()));
    }
  }
  ObserveMilliseconds(index_pause, clock_.Now() - began);
}

// The logical end: from here on no reader sees any of it.
void Compactor::FinishIndex() {
  std::shared_ptr<const RevisionSet> before;
  {
    absl::ReaderMutexLock lock(&store_.mutex_);
    before = store_.dead_;
  }
  // Megabytes are copied: outside the lock, as nobody else changes the set.
  auto dead = std::make_shared<RevisionSet>(*before);
  dead->Merge(dropped_);
  std::set<int64_t> changed = dropped_.ChunkNumbers();

  const TimePoint began = clock_.Now();
  {
    absl::MutexLock lock(&store_.mutex_);
    store_.dead_ = std::move(dead);
    store_.unsaved_dead_.merge(changed);
    store_.size_in_use_.fetch_sub(dropped_bytes_, std::memory_order_relaxed);
    store_.finish_wanted_ = job_.revision;
  }
  ObserveMilliseconds(db_pause, clock_.Now() - began);
  keys_dropped.Add(static_cast<uint64_t>(dropped_.size()));
  LogFinished();
  if (!job_.hash_wanted) {
    LOG_INFO("previous compaction was interrupted, skip storing compaction hash value");
  }
  hash_.reset();
  dropped_ = RevisionSet();
  phase_ = Phase::kFinish;
}

void Compactor::LogFinished() const {
  const int64_t size = store_.size_bytes();
  const int64_t in_use = store_.size_in_use_bytes();
  LOG_INFO("finished scheduled compaction", {"compact-revision", job_.revision.value()},
           {"took", clock_.Now() - *began_}, {"number-of-keys-compacted", dropped_.size()},
           {"hash", hash_ != nullptr ? hash_->hash() : 0}, {"current-db-size-bytes", size},
           {"current-db-size", HumanBytes(size)}, {"current-db-size-in-use-bytes", in_use},
           {"current-db-size-in-use", HumanBytes(in_use)});
}

StatusOr<Compactor::Progress> Compactor::AwaitDurable() {
  ASSIGN_OR_RETURN(const std::optional<std::string> row,
                   store_.backend_->GetFlushed(Bucket::kMeta, kFinishedCompactKey));
  const std::optional<RowKey> finished = row ? ParseRowKey(*row) : std::nullopt;
  if (!finished || finished->revision.main < job_.revision) {
    if (!flush_requested_) RETURN_IF_ERROR(store_.backend_->RequestFlush());
    flush_requested_ = true;
    return Progress::kWaitDurable;
  }
  flush_requested_ = false;
  absl::ReaderMutexLock lock(&store_.mutex_);
  purgeable_ = store_.dead_;
  store_.backend_->SetPurgeable(purgeable_);
  phase_ = Phase::kPurge;
  return Progress::kMore;
}

StatusOr<Compactor::Progress> Compactor::PurgeOne() {
  const bool set_too_large = purgeable_->memory_bytes() > kDeadSetBytesMax;
  ASSIGN_OR_RETURN(const PurgeResult result,
                   store_.backend_->PurgeOneFile(set_too_large ? 0 : kPurgeDeadShare));
  if (result == PurgeResult::kRewrote) return Progress::kMore;
  if (result == PurgeResult::kBusy) return Progress::kWaitFiles;
  if (set_too_large) ForgetPurged();
  if (began_) {
    ObserveMilliseconds(db_total, clock_.Now() - *began_);
    db_last.Set(
        std::chrono::duration_cast<std::chrono::seconds>(clock_.WallNow().time_since_epoch())
            .count());
  }
  done_.store(job_.revision.value(), std::memory_order_release);
  phase_ = Phase::kIdle;
  return Progress::kMore;
}

// With none of the purgeable rows left in any file, the set can begin anew.
void Compactor::ForgetPurged() {
  absl::MutexLock lock(&store_.mutex_);
  // Not if the index has dropped more since: that is not purgeable yet.
  if (purgeable_ == nullptr || purgeable_->empty() || purgeable_ != store_.dead_) return;
  store_.stale_dead_.merge(purgeable_->ChunkNumbers());
  purgeable_ = std::make_shared<const RevisionSet>(purgeable_->generation() + 1);
  store_.dead_ = purgeable_;
  store_.backend_->SetPurgeable(purgeable_);
}

bool Compactor::Unfinished() const {
  if (phase_ != Phase::kIdle) return phase_ != Phase::kPurge;
  absl::ReaderMutexLock lock(&store_.mutex_);
  return !store_.scheduled_.empty();
}

StatusOr<Compactor::Progress> Compactor::DefragmentStep() {
  ASSIGN_OR_RETURN(const PurgeResult result, store_.backend_->PurgeOneFile(0));
  if (result == PurgeResult::kRewrote) return Progress::kMore;
  if (result == PurgeResult::kBusy) return Progress::kWaitFiles;
  ForgetPurged();
  store_.size_.store(store_.size_in_use_bytes(), std::memory_order_relaxed);
  // Should the apply thread have been writing the old mark just now.
  store_.defragmented_.store(true);
  return Progress::kIdle;
}

}  // namespace kvorum::mvcc
