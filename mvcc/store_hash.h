#pragma once
// The hash of a history in progress. Internal to the store.

#include <memory>
#include <string>

#include "mvcc/hash.h"
#include "mvcc/row_reader.h"
#include "mvcc/store.h"

namespace kvorum::mvcc {

// Two walks, both in bounded steps: over the index, for what counts, then over the rows. The slices
// of the index together are one state: writers only add above `revision`, and of what a compaction
// may be dropping at this time nothing is counted. Its rows may be going, too; those that the index
// still had at the beginning are held by the reader made before.
class Store::HistoryHash {
 public:
  // The two differ when nothing lives at the revision hashed: a compaction keeps the tombstones
  // that are exactly there, and so leaves out the rows that none of its revisions keeps; HashKV has
  // no revision to keep then, and leaves none out.
  enum class Of { kHistory, kCompaction };
  // CRC-32C over the history up to `revision`, of a store compacted at `compacted` before. The
  // caller is in a read epoch that began before `compacted` was looked up, or is the compactor.
  HistoryHash(const Store& store, Of of, Revision revision, Revision compacted);

  // A few milliseconds of work; true when hash() is final. DataLoss when rows are missing.
  StatusOr<bool> Step();
  uint32_t hash() const { return hasher_->hash(); }

 private:
  void PlanSlice();
  void PlanKey(const KeyIndex& key);
  Status HashSlice();

  const Store& store_;
  const Of of_;
  const Revision revision_;
  const Revision compacted_;
  const std::unique_ptr<RowReader> rows_;

  // What the index says of the history.
  bool planned_ = false;
  std::string resume_;
  KeyHashOptions options_;
  // Revisions <= the compacted one that are logically there; other rows up to it are dead.
  RevisionSet present_;
  // Revisions up to the one hashed that are logically there.
  int64_t expected_rows_ = 0;

  std::optional<KeyHasher> hasher_;
  int64_t rows_found_ = 0;
};

}  // namespace kvorum::mvcc
