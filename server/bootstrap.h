#pragma once
// Bootstrap: from a data directory to everything a member starts from; creates the directory if
// there is none.
//
// The raft log is the root: it says who we are and what was promised. A new member is its log alone
// (one entry for each initial member, committed; none for a member that joins a cluster and gets
// its log from there), and is then recovered like any other; the store is made from the log. So a
// crash at any point of creation leaves either nothing, or a log that
// the next start completes.
//
// What does not belong together is refused, never mended by guessing: a store of another member, a
// store without log, a log that was released further than the store reaches.
// Follows etcd server/etcdserver/bootstrap.go.

#include <memory>

#include "base/clock.h"
#include "base/env.h"
#include "base/status.h"
#include "mvcc/backend/backend.h"
#include "mvcc/backend/store_dir.h"
#include "raft/raft.h"
#include "server/config.h"
#include "server/data_paths.h"
#include "server/membership/membership.h"
#include "server/peers.h"
#include "wal/wal.h"

namespace kvorum::server {

struct Recovered {
  mvcc::StoreIdentity identity;
  std::unique_ptr<wal::Wal> wal;                 // open for writing, locked
  HardState written;                             // the last one in the log
  Index snapshot_index;                          // of the record the log was read from
  std::unique_ptr<mvcc::Backend> backend;        // the current store's
  std::unique_ptr<Membership> membership;        // as of the store
  std::unique_ptr<raft::MemoryStorage> storage;  // the log, with the commit index as known now
  Index applied;                                 // for raft: what it need not hand out again
  bool fresh = false;                            // there was no log before
  // Whom to talk to until the log says who belongs to the cluster; of a member that joins.
  std::vector<MemberInfo> neighbours;
};

// Errors are for the operator: they say which file, and what to do where that is known. `peers` is
// asked only by a member without log; null: there is nobody to ask.
StatusOr<Recovered> Bootstrap(const Config& config, Env& env, Clock& clock, Peers* peers = nullptr);

// ---- Parts, for tests ----

// Where raft begins, given log and store; see raft/raft.h, "Restart". Raises `state`'s commit if
// the store proves that more was committed.
Index ChooseApplied(const raft::MemoryStorage& storage, raft::EntryId store, HardState* state);

}  // namespace kvorum::server
