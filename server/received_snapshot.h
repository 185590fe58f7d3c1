#pragma once
// From a database that the leader has sent, `<index>.snap.db`, to the member's store.
//
// The log names the snapshot before its store is there. So whoever finds the log ahead of the store
// builds the store from the database, at run time and after a crash alike; the former one stays
// current until the new one is whole. Follows etcd server/etcdserver/server.go applySnapshot.

#include <memory>

#include "base/env.h"
#include "base/status.h"
#include "mvcc/backend/backend.h"
#include "mvcc/backend/store_dir.h"
#include "server/data_paths.h"

namespace kvorum::server {

// Builds the store, makes it the current one and returns it, flushed. NotFound if no database of
// that index is there; FailedPrecondition if it does not stand at that index; else errors of
// mvcc::boltfile::ImportDatabase. On an error nothing has changed. Blocks, about 2 us a row.
StatusOr<std::unique_ptr<mvcc::Backend>> InstallReceivedDatabase(
    Env& env, const DataPaths& paths, const mvcc::StoreIdentity& identity, Index index);

}  // namespace kvorum::server
