#pragma once
// The Iterator over RocksDB: one bucket's interval, or all of etcd's buckets.

#include <rocksdb/db.h>

#include <memory>
#include <string>

#include "mvcc/backend/backend.h"

namespace kvorum::mvcc {

// Bounds are backend keys; `upper` exclusive. Seek looks in `seek_bucket`.
struct ReadTxOptions {
  std::string lower;
  std::string upper;
  Bucket seek_bucket = Bucket::kKey;
  bool whole_scan = false;
};

// Positioned on the first row. `db` must outlive it.
std::unique_ptr<Iterator> NewReadTx(rocksdb::DB& db, ReadTxOptions options);

}  // namespace kvorum::mvcc
