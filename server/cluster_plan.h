#pragma once
// ClusterPlan: who a member without a log is going to be: one of the first members of a new
// cluster, all of which compute the same from their flags, or one that an existing cluster has
// already added and that learns from it who it is. Follows etcd server/etcdserver/bootstrap.go.

#include <vector>

#include "base/clock.h"
#include "base/status.h"
#include "server/config.h"
#include "server/membership/member.h"
#include "server/membership/same_urls.h"
#include "server/peers.h"

namespace kvorum::server {

struct ClusterPlan {
  ClusterId cluster;
  MemberId self;
  std::vector<MemberInfo> members;  // sorted by id
  // The cluster exists: its log, not ours, says who belongs to it.
  bool joins = false;
};

// What a plan is made with. `peers` may be null: then nobody is asked, and joining is refused.
struct PlanParts {
  Peers* peers = nullptr;
  const Clock* clock = nullptr;
  Resolve resolve = ResolveHost;
};

// As --initial-cluster-state says. InvalidArgument if the settings contradict each other,
// FailedPrecondition if the cluster's answer contradicts them, Unavailable if none came. The texts
// are etcd's. Blocks for as long as the other members take to answer.
StatusOr<ClusterPlan> PlanCluster(const Config& config, const PlanParts& parts);

}  // namespace kvorum::server
