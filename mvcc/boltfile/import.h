#pragma once
// ImportDatabase: a new store from etcd's database file, with the file's rows, all and only.
//
// For a database that a leader sent, a snapshot to restore, and the `snap/db` of an etcd whose
// directory is taken over. What is built is not the current store before PublishStoreDir says so:
//
//   auto imported = ImportDatabase({.database = ".../0000000000000010.snap.db", ...});
//   ... a restore changes rows of `members` through imported->backend->batch(), commits, flushes
//   RETURN_IF_ERROR(PublishStoreDir(env, member_dir, n));
//   auto store = Store::Open(std::move(imported->backend), ...);
//
// Looked at here: what the store needs to be opened, and to know where its rows stand in the log.
// Whether members, leases, users and the storage version make sense is for the server. Memory: a
// batch of kBatchBytes or one row, the reader's, and the memory tables.

#include <cstdint>
#include <memory>
#include <string>

#include "base/status.h"
#include "base/types.h"
#include "mvcc/backend/backend.h"
#include "mvcc/backend/store_dir.h"

namespace kvorum::mvcc::boltfile {

// Of rows that are committed together.
inline constexpr int64_t kBatchBytes = 1 << 20;

struct ImportOptions {
  std::string database;  // path of the bbolt file; not changed
  // Env and place of the store, and whose it will be, whatever member the file came from.
  StoreDirOptions store;
  uint64_t number = 0;  // of the directory: store-<number>
};

struct ImportedStore {
  std::unique_ptr<Backend> backend;  // flushed
  // As the file has them; index and term are above 0, the ConfState may be missing.
  CommitPosition position;
  std::string storage_version;  // "3.7.0"; "" before etcd 3.6
  // For a further Commit, which adds TakeSizeDelta() to the sizes if it changes rows.
  Counters counters;
};

// Takes about a microsecond a row, on the caller's thread. On an error nothing of the directory is
// left.
//
// Errors: NotFound, no such file. DataLoss, the file is damaged. FailedPrecondition, it is whole
// but no database of an etcd from 3.5 on that has ever applied an entry. ResourceExhausted, disk
// full; Internal, another error of the disk.
StatusOr<ImportedStore> ImportDatabase(const ImportOptions& options);

}  // namespace kvorum::mvcc::boltfile
