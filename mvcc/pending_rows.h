#pragma once
// PendingRows: rows of the `key` bucket that are visible but not yet in the backend.
//
// They are appended in revision order, so lookup is a binary search and catch-up reads walk them in
// order. Guarded by the store's lock.

#include <span>
#include <vector>

#include "base/bytes.h"
#include "mvcc/revision.h"

namespace kvorum::mvcc {

struct PendingRow {
  RowRevision revision;
  bool tombstone = false;
  SharedBytes bytes;
};

class PendingRows {
 public:
  // REQUIRES: row.revision is above all before.
  void Append(PendingRow row);
  // Null when not pending.
  const PendingRow* Find(const RowRevision& revision) const;
  // Those of revision >= `first`, ascending; valid until the next change.
  std::span<const PendingRow> From(const RowRevision& first) const;
  // Hands all rows out, to be destroyed outside the lock.
  std::vector<PendingRow> TakeAll();

 private:
  std::vector<PendingRow> rows_;
};

}  // namespace kvorum::mvcc
