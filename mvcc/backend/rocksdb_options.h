#pragma once
// How RocksDB is set up. Each setting has its reason in the source; the measurements behind them
// were taken with the packaged 7.8.3.

#include <rocksdb/options.h>

#include <memory>

#include "mvcc/backend/backend.h"

namespace kvorum::mvcc {

// `rocksdb_env` must outlive the database.
rocksdb::Options MakeRocksDbOptions(const BackendOptions& options, rocksdb::Env* rocksdb_env);

}  // namespace kvorum::mvcc
