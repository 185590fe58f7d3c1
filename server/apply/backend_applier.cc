#include "server/apply/backend_applier.h"

#include <utility>

#include "server/apply/txn.h"
#include "server/fatal.h"
#include "server/metrics.h"
#include "server/range.h"

namespace kvorum::server {
namespace {

template <typename T>
T OrDie(StatusOr<T> result) {
  if (!result.ok()) Fatal("failed to read the store while applying", {{"error", result.status()}});
  return *std::move(result);
}

void OrDie(const Status& status) {
  if (!status.ok()) Fatal("failed to read the store while applying", {{"error", status}});
}

}  // namespace

BackendApplier::BackendApplier(StoreSlot& store, Lessor& lessor, AlarmStore& alarms)
    : slot_(store),
      lessor_(lessor),
      alarms_(alarms),
      lease_exists_([&lessor](LeaseId id) { return lessor.Exists(id); }) {}

ApplyResult BackendApplier::Apply(const etcdserverpb::InternalRaftRequest& request,
                                  const ApplyContext& context) {
  switch (KindOf(request)) {
    case RequestKind::kPut:
      return Put(request.put());
    case RequestKind::kDeleteRange:
      return DeleteRange(request.delete_range());
    case RequestKind::kTxn:
      return Txn(request.txn(), context.want_response);
    case RequestKind::kCompaction:
      return Compact(request.compaction());
    case RequestKind::kLeaseGrant:
      return LeaseGrant(request.lease_grant());
    case RequestKind::kLeaseRevoke:
      return LeaseRevoke(request.lease_revoke());
    case RequestKind::kLeaseCheckpoint:
      return LeaseCheckpoint(request.lease_checkpoint());
    case RequestKind::kAlarm:
      return Alarm(request.alarm());
    // Logged by old members; it changes nothing, and nobody waits for it here.
    case RequestKind::kRange:
      return {};
    default:
      Fatal("no applier for an entry of this kind", {{"kind", FieldNameOf(request)}});
  }
}

ApplyResult BackendApplier::Put(const etcdserverpb::PutRequest& request) {
  mvcc::WriteTxn txn = store().Begin();
  WriteTxnView view(store(), txn);
  const Error error = OrDie(CheckPut(request, view, lease_exists_));
  if (error != Error::kOk) {
    txn.End();  // its reads count
    return {.error = error};
  }
  etcdserverpb::PutResponse response;
  OrDie(DoPut(request, txn, &response));
  txn.End();
  return {.response = std::move(response)};
}

ApplyResult BackendApplier::DeleteRange(const etcdserverpb::DeleteRangeRequest& request) {
  mvcc::WriteTxn txn = store().Begin();
  etcdserverpb::DeleteRangeResponse response;
  OrDie(DoDeleteRange(request, txn, &response));
  txn.End();
  return {.response = std::move(response)};
}

ApplyResult BackendApplier::Txn(const etcdserverpb::TxnRequest& request, bool want_response) {
  mvcc::WriteTxn txn = store().Begin();
  etcdserverpb::TxnResponse response;
  const Error error =
      OrDie(ApplyTxn(request, want_response, store(), txn, lease_exists_, &response));
  txn.End();  // a refused one has changed nothing, but its reads count
  if (error != Error::kOk) return {.error = error};
  return {.response = std::move(response)};
}

ApplyResult BackendApplier::Compact(const etcdserverpb::CompactionRequest& request) {
  const Error error = FromStore(store().Compact(Revision(request.revision())));
  if (error != Error::kOk) return {.error = error};
  etcdserverpb::CompactionResponse response;
  response.mutable_header()->set_revision(store().current_revision().value());
  return {.response = std::move(response)};
}

ApplyResult BackendApplier::LeaseGrant(const etcdserverpb::LeaseGrantRequest& request) {
  const LeaseGrantResult granted = lessor_.Grant(LeaseId(request.id()), request.ttl(), rows());
  if (granted.error != Error::kOk) return {.error = granted.error};
  leases_granted_total.Add();
  lease_ttl_seconds.Observe(static_cast<double>(granted.ttl_seconds));
  etcdserverpb::LeaseGrantResponse response;
  response.mutable_header()->set_revision(store().current_revision().value());
  response.set_id(request.id());
  response.set_ttl(granted.ttl_seconds);
  return {.response = std::move(response)};
}

// All keys go in one revision, in their order.
ApplyResult BackendApplier::LeaseRevoke(const etcdserverpb::LeaseRevokeRequest& request) {
  const LeaseRevokeResult revoked = lessor_.Revoke(LeaseId(request.id()), rows());
  if (revoked.error != Error::kOk) return {.error = revoked.error};
  leases_revoked_total.Add();
  mvcc::WriteTxn txn = store().Begin();
  for (const std::string& key : revoked.keys) OrDie(txn.DeleteRange({.key = key}).status());
  etcdserverpb::LeaseRevokeResponse response;
  response.mutable_header()->set_revision(txn.End().value());
  for (const auto& settled : revoked.waiting) settled();
  return {.response = std::move(response)};
}

ApplyResult BackendApplier::LeaseCheckpoint(const etcdserverpb::LeaseCheckpointRequest& request) {
  for (const etcdserverpb::LeaseCheckpoint& checkpoint : request.checkpoints()) {
    lessor_.Checkpoint(LeaseId(checkpoint.id()), checkpoint.remaining_ttl(), rows());
  }
  return {};
}

ApplyResult BackendApplier::Alarm(const etcdserverpb::AlarmRequest& request) {
  etcdserverpb::AlarmResponse response;
  response.mutable_header()->set_revision(store().current_revision().value());
  const MemberId member(request.memberid());
  const auto answer_with_it = [&] {
    etcdserverpb::AlarmMember* const alarm = response.add_alarms();
    alarm->set_memberid(request.memberid());
    alarm->set_alarm(request.alarm());
  };
  switch (request.action()) {
    case etcdserverpb::AlarmRequest::GET:
      for (auto& alarm : alarms_.Get(request.alarm())) *response.add_alarms() = std::move(alarm);
      break;
    case etcdserverpb::AlarmRequest::ACTIVATE:
      if (request.alarm() == etcdserverpb::NONE) break;
      LOG_WARN("alarm raised", {"alarm", etcdserverpb::AlarmType_Name(request.alarm())},
               {"from", HexId(member)});
      alarms_.Activate(member, request.alarm(), rows());
      answer_with_it();
      break;
    case etcdserverpb::AlarmRequest::DEACTIVATE:
      if (alarms_.Deactivate(member, request.alarm(), rows())) answer_with_it();
      break;
    // An action of a later release: without effect on any member that does not know it.
    default:
      return {.error = Error::kUnimplemented};
  }
  return {.response = std::move(response)};
}

}  // namespace kvorum::server
