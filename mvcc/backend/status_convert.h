#pragma once
// Between RocksDB's status and ours, both ways. Only for files of mvcc/backend/.

#include <rocksdb/io_status.h>
#include <rocksdb/status.h>

#include "base/status.h"

namespace kvorum::mvcc {

// A full disk is ResourceExhausted, damaged data DataLoss, a missing file NotFound, a held lock
// FailedPrecondition, else Internal.
Status FromRocksDb(const rocksdb::Status& status);
rocksdb::IOStatus ToRocksDb(const Status& status);

}  // namespace kvorum::mvcc
