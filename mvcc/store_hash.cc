// Store::HashKv and Store::Hash.
#include <algorithm>
#include <utility>

#include "base/crc32c.h"
#include "mvcc/hash.h"
#include "mvcc/logical_rows.h"
#include "mvcc/row_reader.h"
#include "mvcc/store.h"

namespace kvorum::mvcc {

namespace {
constexpr int64_t kSliceKeys = 1000;
}  // namespace

// What the index says of the history up to a revision.
struct Store::HashPlan {
  KeyHashOptions options;
  // Revisions <= the compacted one that are logically there; other rows up to it are dead.
  RevisionSet present;
  // All revisions up to the one hashed.
  int64_t expected_rows = 0;
};

// In slices, as entries up to `revision` stand still: writers only add above it, and a compaction
// waits for the caller's epoch.
Store::HashPlan Store::PlanHash(Revision revision, Revision compacted) const {
  HashPlan plan{.options = {.revision = revision, .compacted = compacted}};
  std::string resume;
  for (bool more = true; more;) {
    absl::ReaderMutexLock lock(&mutex_);
    TreeIndex::Cursor it = index_.Seek(resume);
    for (int64_t n = 0; n < kSliceKeys && it.valid(); ++n, it.Next()) PlanKey(*it, &plan);
    more = it.valid();
    if (more) resume = it->key();
  }
  return plan;
}

void Store::PlanKey(const KeyIndex& key, HashPlan* plan) const {
  const KeyHashOptions& options = plan->options;
  if (const std::optional<RowRevision> kept = key.KeptForHash(options.revision)) {
    plan->options.keeps_any = true;
    if (kept->main <= options.compacted) plan->options.keep.Insert(*kept);
  }
  for (const KeyIndex::Entry& entry : key.entries()) {
    if (entry.main > options.revision.value()) break;
    ++plan->expected_rows;
    if (entry.main <= options.compacted.value()) plan->present.Insert(entry.revision());
  }
}

StatusOr<uint32_t> Store::HashHistory(Revision revision, Revision compacted) const {
  HashPlan plan = PlanHash(revision, compacted);
  KeyHasher hasher(std::move(plan.options));
  int64_t rows_found = 0;
  const std::unique_ptr<RowReader> rows = ReadRows(Revision(0), revision, true);
  for (; rows->Valid(); rows->Next()) {
    const RowKey& key = rows->key();
    if (key.revision.main <= compacted && !plan.present.Contains(key.revision)) continue;
    ++rows_found;
    hasher.Add(key, rows->key_bytes(), rows->value());
  }
  RETURN_IF_ERROR(rows->status());
  if (rows_found != plan.expected_rows) {
    return absl::DataLossError("hashed " + std::to_string(rows_found) + " revisions of " +
                               std::to_string(plan.expected_rows));
  }
  return hasher.hash();
}

StatusOr<HashKvResult> Store::HashKv(Revision revision) const {
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
  ASSIGN_OR_RETURN(result.hash, HashHistory(result.hashed, result.compacted));
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
    if (dead == dead_) return std::make_unique<LogicalRows>(std::move(rows), std::move(dead));
  }
}

}  // namespace kvorum::mvcc
