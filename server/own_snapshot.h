#pragma once
// OwnSnapshots: when to record a snapshot of our own state, and when the store is ready for it.
//
// A snapshot at S says that nothing at or below S is needed from the log any more. So index,
// ConfState and members are captured together, right after the batch that reached S was committed;
// the store is asked to write itself out; and only when it is durable up to S does the snapshot go
// to the WAL stage. One at a time.
//
// Threads: the apply stage. Follows etcd server/etcdserver/server.go
// snapshotIfNeededAndCompactRaftLog.

#include <cstdint>
#include <functional>
#include <optional>

#include "base/types.h"
#include "server/membership/membership.h"
#include "server/store_slot.h"
#include "server/wal_stage.h"

namespace kvorum::server {

class OwnSnapshots {
 public:
  // A snapshot is due when more than `every` entries were applied since the last, which is at
  // `last`. `save` takes it when it is due and durable. The references must outlive this.
  OwnSnapshots(uint64_t every, Index last, const StoreSlot& store, const Membership& membership,
               std::function<void(WalStage::OwnSnapshot)> save);

  // The batch that ends at `applied` is committed.
  void OnCommitted(Index applied, Term term);
  // A flush of the store has ended.
  void OnFlushed();
  // A snapshot from the leader has replaced the store; the log below it is gone already.
  void OnInstalled(Index index);

 private:
  const uint64_t every_;
  const StoreSlot& store_;
  const Membership& membership_;
  const std::function<void(WalStage::OwnSnapshot)> save_;
  Index last_;
  std::optional<raftpb::Snapshot> pending_;  // waits for the store
};

}  // namespace kvorum::server
