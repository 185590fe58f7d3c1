#include "mvcc/compaction.h"

#include <set>
#include <utility>
#include <vector>

#include "base/log.h"

namespace kvorum::mvcc {

namespace {

// Index keys compacted, and revisions dropped, under one exclusive hold of the store's lock: a few
// hundred microseconds.
constexpr int64_t kSliceKeys = 500;
constexpr int64_t kSliceRevisions = 5000;
// A file is rewritten when this share of its rows is dead.
constexpr double kPurgeDeadShare = 0.3;

}  // namespace

Compactor::Compactor(Store& store) : store_(store), done_(kNeverCompacted.value()) {
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
      phase_ = job_.hash_wanted ? Phase::kHash : Phase::kIndex;
      return Progress::kMore;
    case Phase::kHash:
      return HashOnce();
    case Phase::kIndex:
      return CompactSlice();
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
  resume_.clear();
  dropped_ = RevisionSet();
  dropped_bytes_ = 0;
  phase_ = Phase::kReaders;
  return Progress::kMore;
}

// Members compare the hash of a compaction over everything it saw, so it is taken before the index
// forgets.
StatusOr<Compactor::Progress> Compactor::HashOnce() {
  ASSIGN_OR_RETURN(const uint32_t hash, store_.HashHistory(job_.revision, job_.previous));
  LOG_INFO("storing new hash", {"hash", hash}, {"revision", job_.revision.value()},
           {"compact-revision", job_.previous.value()});
  absl::MutexLock lock(&store_.mutex_);
  store_.compaction_hashes_.Add({hash, job_.revision, job_.previous});
  phase_ = Phase::kIndex;
  return Progress::kMore;
}

Compactor::Progress Compactor::CompactSlice() {
  absl::MutexLock lock(&store_.mutex_);
  const int64_t before = dropped_.size();
  std::vector<std::string> emptied;
  TreeIndex::Cursor it = store_.index_.Seek(resume_);
  for (int64_t n = 0; n < kSliceKeys && it.valid() && dropped_.size() - before < kSliceRevisions;
       ++n, it.Next()) {
    KeyIndex& key = *it;
    store_.index_.Compact(key, job_.revision, [&](const KeyIndex::Entry& entry) {
      dropped_.Insert(entry.revision());
      dropped_bytes_ += key.RowBytes(entry);
    });
    if (key.empty()) emptied.push_back(key.key());
  }
  const bool more = it.valid();
  if (more) resume_ = it->key();
  for (const std::string& key : emptied) store_.index_.Erase(key);
  if (!more) phase_ = Phase::kMerge;
  return Progress::kMore;
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

  absl::MutexLock lock(&store_.mutex_);
  store_.dead_ = std::move(dead);
  store_.unsaved_dead_.merge(changed);
  store_.size_in_use_.fetch_sub(dropped_bytes_, std::memory_order_relaxed);
  store_.finish_wanted_ = job_.revision;
  LOG_INFO("finished scheduled compaction", {"compact-revision", job_.revision.value()},
           {"number-of-keys-compacted", dropped_.size()});
  dropped_ = RevisionSet();
  phase_ = Phase::kFinish;
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
