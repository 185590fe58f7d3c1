#pragma once
// BackendApplier: the requests as they change store, leases and alarms. Each is one transaction of
// the store at most, so takes one revision if it changes keys and none otherwise; its rows of other
// buckets go into the same batch. A fault of the disk ends the process: half of a request may have
// been seen by then. Follows etcd server/etcdserver/apply/backend.go.

#include "mvcc/store.h"
#include "server/alarm/alarm_store.h"
#include "server/apply/applier.h"
#include "server/apply/key_ops.h"
#include "server/lease/lessor.h"
#include "server/store_slot.h"

namespace kvorum::server {

class BackendApplier : public Applier {
 public:
  // All must outlive this.
  BackendApplier(StoreSlot& store, Lessor& lessor, AlarmStore& alarms);

  ApplyResult Apply(const etcdserverpb::InternalRaftRequest& request,
                    const ApplyContext& context) override;

 private:
  ApplyResult Put(const etcdserverpb::PutRequest& request);
  ApplyResult DeleteRange(const etcdserverpb::DeleteRangeRequest& request);
  ApplyResult Txn(const etcdserverpb::TxnRequest& request, bool want_response);
  ApplyResult Compact(const etcdserverpb::CompactionRequest& request);
  ApplyResult LeaseGrant(const etcdserverpb::LeaseGrantRequest& request);
  ApplyResult LeaseRevoke(const etcdserverpb::LeaseRevokeRequest& request);
  ApplyResult LeaseCheckpoint(const etcdserverpb::LeaseCheckpointRequest& request);
  ApplyResult Alarm(const etcdserverpb::AlarmRequest& request);
  // It is this thread that would replace it.
  mvcc::Store& store() { return *slot_.Get(); }
  mvcc::Batch& rows() { return store().backend().batch(); }

  StoreSlot& slot_;
  Lessor& lessor_;
  AlarmStore& alarms_;
  const LeaseExists lease_exists_;
};

}  // namespace kvorum::server
