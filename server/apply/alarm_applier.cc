#include "server/apply/alarm_applier.h"

#include "server/apply/quota.h"

namespace kvorum::server {
namespace {

bool RefusedWhenCorrupt(RequestKind kind) {
  switch (kind) {
    case RequestKind::kRange:
    case RequestKind::kPut:
    case RequestKind::kDeleteRange:
    case RequestKind::kTxn:
    case RequestKind::kCompaction:
    case RequestKind::kLeaseGrant:
    case RequestKind::kLeaseRevoke:
      return true;
    default:
      return false;
  }
}

}  // namespace

ApplyResult AlarmApplier::Apply(const etcdserverpb::InternalRaftRequest& request,
                                const ApplyContext& context) {
  if (alarms_.Any(etcdserverpb::CORRUPT) && RefusedWhenCorrupt(KindOf(request))) {
    return {.error = Error::kCorrupt};
  }
  if (alarms_.Any(etcdserverpb::NOSPACE) && SpaceCost(request) > 0) {
    return {.error = Error::kNoSpace};
  }
  return next_.Apply(request, context);
}

}  // namespace kvorum::server
