#pragma once
// One Range in progress. Internal to the store.

#include <string>
#include <vector>

#include "mvcc/mvcc.h"
#include "mvcc/store.h"

namespace kvorum::mvcc {

// How a long list neither blocks writers nor sees half of their work: it is pinned to one revision
// `at`, and the index is read in slices, with the lock released in between. A key's entry for `at`
// does not change while others are added above it, and compactions wait for the read to end, so the
// slices together are exactly the state at `at`. Only the count at the current revision, which
// comes from the tree's counters, has to be taken in the first slice.
struct Store::Scan {
  KeyRange range;
  RangeOptions options;
  Revision at;
  bool counted = false;  // result.count is final
  bool done = false;
  std::string resume;           // the first key of the next slice
  std::vector<size_t> missing;  // rows whose bytes are not in memory
  RangeResult result;

  bool full() const {
    return options.limit > 0 && static_cast<int64_t>(result.rows.size()) >= options.limit;
  }
};

}  // namespace kvorum::mvcc
