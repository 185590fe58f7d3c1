#pragma once
// The hash of a history in progress. Internal to the store.

#include <memory>
#include <string>

#include "mvcc/hash.h"
#include "mvcc/row_reader.h"
#include "mvcc/store.h"

namespace kvorum::mvcc {

// Two walks, both in bounded steps: over the index, for what counts, then over the rows. Slices of
// the index together are one state, as entries up to `revision` stand still: writers only add above
// it, and the index drops nothing while the caller is in a read epoch, or is itself the compactor.
class Store::HistoryHash {
 public:
  // CRC-32C over the history up to `revision`, of a store compacted at `compacted` before.
  HistoryHash(const Store& store, Revision revision, Revision compacted);

  // A few milliseconds of work; true when hash() is final. DataLoss when rows are missing.
  StatusOr<bool> Step();
  uint32_t hash() const { return hasher_->hash(); }

 private:
  void PlanSlice();
  void PlanKey(const KeyIndex& key);
  Status HashSlice();

  const Store& store_;
  const Revision revision_;
  const Revision compacted_;

  // What the index says of the history.
  bool planned_ = false;
  std::string resume_;
  KeyHashOptions options_;
  // Revisions <= the compacted one that are logically there; other rows up to it are dead.
  RevisionSet present_;
  // All revisions up to the one hashed.
  int64_t expected_rows_ = 0;

  std::unique_ptr<RowReader> rows_;
  std::optional<KeyHasher> hasher_;
  int64_t rows_found_ = 0;
};

}  // namespace kvorum::mvcc
