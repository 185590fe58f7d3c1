#pragma once
// The rules of `--strict-reconfig-check`: which change of the voters would put the quorum at risk.
// Pure arithmetic over the members as applied and over who has been reachable for a while; what it
// refuses, an operator can still have with the check off.
//
// A member has "started" when it has published its name. Follows etcd
// server/etcdserver/api/membership/cluster.go IsReadyTo*, server/etcdserver/util.go,
// server/etcdserver/server.go may*Member.

#include <functional>
#include <vector>

#include "server/errors.h"
#include "server/membership/member.h"

namespace kvorum::server {

struct ReconfigView {
  std::vector<MemberInfo> members;
  MemberId self;
  // Whether another member has been reachable without interruption since before kHealthInterval.
  std::function<bool(MemberId)> connected;
  // Whether it is reachable at all.
  std::function<bool(MemberId)> active;
};

// How long a member must have been reachable to count as one of the healthy.
inline constexpr Duration kHealthInterval = std::chrono::seconds(5);

// kOk, kMemberNotEnoughStarted or kUnhealthy.
Error CheckAdd(const ReconfigView& view, bool as_learner);
Error CheckRemove(const ReconfigView& view, MemberId id);
// Of a learner that has caught up.
Error CheckPromote(const ReconfigView& view);

}  // namespace kvorum::server
