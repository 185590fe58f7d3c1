#pragma once
// The state of this moment as a database to be sent, with the raft snapshot that describes it.
// Writes go on meanwhile. Follows etcd server/etcdserver/snapshot_merge.go.

#include <memory>

#include "base/status.h"
#include "mvcc/store.h"
#include "raft/types.h"
#include "server/membership/membership.h"
#include "server/peer/handler.h"

namespace kvorum::server {

struct DatabaseSnapshot {
  raft::SnapshotPtr snapshot;  // index, term and configuration of the rows
  std::unique_ptr<peer::SnapshotSource> source;
};

// Reads all rows once, to know the size: blocks, about 1 us a row. FailedPrecondition if the store
// holds no configuration yet; DataLoss if rows are missing or damaged.
StatusOr<DatabaseSnapshot> TakeDatabaseSnapshot(const std::shared_ptr<mvcc::Store>& store,
                                                const Membership& membership);

}  // namespace kvorum::server
