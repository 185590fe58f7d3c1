// Store::HashKv and Store::Hash.
#include "mvcc/store_hash.h"

#include <algorithm>
#include <utility>

#include "base/clock.h"
#include "base/crc32c.h"
#include "base/metrics.h"
#include "mvcc/logical_rows.h"

namespace kvorum::mvcc {

namespace {
// Index keys visited under one hold of the lock: about 100 us.
constexpr int64_t kSliceKeys = 1000;
// Rows read in one step, and their bytes.
constexpr int64_t kSliceRows = 4096;
constexpr int64_t kSliceBytes = 4 << 20;

metrics::Histogram& hash_seconds = metrics::Default().AddHistogram(
    "etcd_mvcc_hash_duration_seconds", "The latency distribution of storage hash operation.",
    metrics::ExponentialBounds(.01, 2, 15));
metrics::Histogram& hash_rev_seconds = metrics::Default().AddHistogram(
    "etcd_mvcc_hash_rev_duration_seconds",
    "The latency distribution of storage hash by revision operation.",
    metrics::ExponentialBounds(.01, 2, 15));
}  // namespace

Store::HistoryHash::HistoryHash(const Store& store, Of of, Revision revision, Revision compacted)
    : store_(store),
      of_(of),
      revision_(revision),
      compacted_(compacted),
      rows_(store.ReadRows(Revision(0), revision, true)),
      options_{.revision = revision, .compacted = compacted} {}

StatusOr<bool> Store::HistoryHash::Step() {
  if (!planned_) {
    PlanSlice();
    if (planned_) hasher_.emplace(std::move(options_));
    return false;
  }
  RETURN_IF_ERROR(HashSlice());
  if (rows_->Valid()) return false;
  RETURN_IF_ERROR(rows_->status());
  if (rows_found_ == expected_rows_) return true;
  return absl::DataLossError("hashed " + std::to_string(rows_found_) + " revisions of " +
                             std::to_string(expected_rows_));
}

void Store::HistoryHash::PlanSlice() {
  absl::ReaderMutexLock lock(&store_.mutex_);
  TreeIndex::Cursor it = store_.index_.Seek(resume_);
  for (int64_t n = 0; n < kSliceKeys && it.valid(); ++n, it.Next()) PlanKey(*it);
  planned_ = !it.valid();
  if (!planned_) resume_ = it->key();
}

void Store::HistoryHash::PlanKey(const KeyIndex& key) {
  if (const std::optional<RowRevision> kept = key.KeptForHash(revision_)) {
    options_.keeps_any = true;
    if (kept->main <= compacted_) options_.keep.Insert(*kept);
  }
  const size_t first = key.CountDropped(compacted_);
  const size_t end = key.CountUpTo(revision_);
  if (of_ == Of::kCompaction && key.CountDropped(revision_) < end) options_.keeps_any = true;
  expected_rows_ += static_cast<int64_t>(end - first);
  for (size_t i = first; i < end; ++i) {
    const KeyIndex::Entry& entry = key.entries()[i];
    if (entry.main > compacted_.value()) break;
    present_.Insert(entry.revision());
  }
}

Status Store::HistoryHash::HashSlice() {
  int64_t bytes = 0;
  for (int64_t n = 0; n < kSliceRows && bytes < kSliceBytes && rows_->Valid(); ++n, rows_->Next()) {
    const RowKey& key = rows_->key();
    bytes += static_cast<int64_t>(rows_->value().size());
    if (key.revision.main <= compacted_ && !present_.Contains(key.revision)) continue;
    ++rows_found_;
    hasher_->Add(key, rows_->key_bytes(), rows_->value());
  }
  return rows_->status();
}

StatusOr<HashKvResult> Store::HashKv(Revision revision) const {
  const TimePoint began = SystemClock().Now();
  const ReadEpochs::Guard guard = epochs_.Enter();
  HashKvResult result;
  {
    absl::ReaderMutexLock lock(&mutex_);
    result.current = current_revision();
    if (const std::optional<CompactionHash> stored = compaction_hashes_.Find(revision)) {
      result.hash = stored->hash;
      result.hashed = stored->revision;
      result.compacted = stored->compacted;
      return result;
    }
    result.compacted = compacted_;
  }
  result.hashed = revision.value() == 0 ? result.current : revision;
  // Below every row; the reference asks only positive revisions whether they are compacted.
  if (revision.value() < 0) {
    result.hash = KeyHasher({.revision = revision, .compacted = result.compacted}).hash();
    return result;
  }
  if (result.hashed < result.compacted) result.error = Error::kCompacted;
  if (result.hashed > result.current) result.error = Error::kFutureRevision;
  if (result.error != Error::kNone) return result;
  HistoryHash history(*this, HistoryHash::Of::kHistory, result.hashed, result.compacted);
  for (bool done = false; !done;) {
    ASSIGN_OR_RETURN(done, history.Step());
  }
  result.hash = history.hash();
  hash_rev_seconds.Observe(SystemClock().Now() - began);
  return result;
}

std::vector<CompactionHash> Store::compaction_hashes() const {
  absl::ReaderMutexLock lock(&mutex_);
  return compaction_hashes_.all();
}

StatusOr<uint32_t> Store::Hash() const {
  const auto ignored = [](Bucket bucket, std::string_view key) {
    return bucket == Bucket::kMeta &&
           (key == kTermKey || key == kConsistentIndexKey || key == kStorageVersionKey);
  };
  const TimePoint began = SystemClock().Now();
  const std::unique_ptr<Iterator> rows = NewLogicalIterator();
  uint32_t crc = 0;
  for (const Bucket bucket : kEtcdBuckets) {
    crc = Crc32c(crc, BucketName(bucket));
    for (; rows->Valid() && rows->bucket() == bucket; rows->Next()) {
      if (ignored(bucket, rows->key())) continue;
      crc = Crc32c(Crc32c(crc, rows->key()), rows->value());
    }
  }
  RETURN_IF_ERROR(rows->status());
  hash_seconds.Observe(SystemClock().Now() - began);
  return crc;
}

std::unique_ptr<Iterator> Store::NewLogicalIterator() const {
  for (;;) {
    std::shared_ptr<const RevisionSet> dead;
    {
      absl::ReaderMutexLock lock(&mutex_);
      dead = dead_;
    }
    std::unique_ptr<Iterator> rows = backend_->NewFullIterator();
    absl::ReaderMutexLock lock(&mutex_);
    // Else a compaction ended in between, and set and rows may not be of one moment.
    if (dead == dead_) {
      return std::make_unique<LogicalRows>(
          std::move(rows), std::move(dead),
          finished_ == compacted_ ? std::optional(finished_) : std::nullopt);
    }
  }
}

}  // namespace kvorum::mvcc
