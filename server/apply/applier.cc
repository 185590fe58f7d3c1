#include "server/apply/applier.h"

#include <vector>

namespace kvorum::server {

RequestKind KindOf(const etcdserverpb::InternalRaftRequest& request) {
  if (request.has_put()) return RequestKind::kPut;
  if (request.has_txn()) return RequestKind::kTxn;
  if (request.has_delete_range()) return RequestKind::kDeleteRange;
  if (request.has_range()) return RequestKind::kRange;
  if (request.has_compaction()) return RequestKind::kCompaction;
  if (request.has_lease_grant()) return RequestKind::kLeaseGrant;
  if (request.has_lease_revoke()) return RequestKind::kLeaseRevoke;
  if (request.has_lease_checkpoint()) return RequestKind::kLeaseCheckpoint;
  if (request.has_alarm()) return RequestKind::kAlarm;
  if (request.has_cluster_version_set()) return RequestKind::kClusterVersionSet;
  if (request.has_cluster_member_attr_set()) return RequestKind::kMemberAttrSet;
  return FieldNameOf(request).empty() ? RequestKind::kNone : RequestKind::kNotServed;
}

std::string FieldNameOf(const etcdserverpb::InternalRaftRequest& request) {
  std::vector<const google::protobuf::FieldDescriptor*> fields;
  request.GetReflection()->ListFields(request, &fields);
  for (const auto* field : fields) {
    if (field->name() != "header" && field->name() != "ID") return field->name();
  }
  return "";
}

}  // namespace kvorum::server
