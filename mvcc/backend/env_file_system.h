#pragma once
// RocksDB's files on our Env, so that tests put a disk that forgets under the whole store.

#include <rocksdb/file_system.h>

#include <memory>

#include "base/env.h"

namespace kvorum::mvcc {

// `env` must outlive the result. For PosixEnv() this is RocksDB's own file system, which knows
// readahead and preallocation hints that Env does not offer; for any other Env an adapter through
// which every access goes.
std::shared_ptr<rocksdb::FileSystem> NewEnvFileSystem(Env& env);
// The adapter in any case.
std::shared_ptr<rocksdb::FileSystem> NewAdapterFileSystem(Env& env);

}  // namespace kvorum::mvcc
