#pragma once
// Check: whether a bbolt file is whole, down to its last page.
//
// Beyond what a reader checks on its way: every page belongs to one node or is free, never both or
// twice; where the free pages are stored, none is missing. Memory: a bit a page, and the reader's.
// Follows go.etcd.io/bbolt tx_check.go.

#include <cstdint>

#include "base/env.h"
#include "base/status.h"

namespace kvorum::mvcc::boltfile {

struct CheckReport {
  uint64_t pages = 0;      // the whole file's
  uint64_t reachable = 0;  // those of the trees, the metas and the freelist
  uint64_t free = 0;       // 0 when the free pages are not stored
  uint64_t buckets = 0;
  uint64_t rows = 0;
};

// DataLoss with the first fault.
StatusOr<CheckReport> Check(File& file);

}  // namespace kvorum::mvcc::boltfile
