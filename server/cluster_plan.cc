#include "server/cluster_plan.h"

#include <absl/strings/str_join.h>

#include <algorithm>
#include <map>
#include <optional>
#include <set>
#include <string>

#include "base/log.h"
#include "base/strings.h"
#include "server/membership/initial_cluster.h"
#include "server/membership/membership.h"

namespace kvorum::server {
namespace {

constexpr Duration kResolveTimeout = std::chrono::seconds(30);
// For one URL, at bootstrap; members that start at the same time do not answer.
constexpr Duration kBootstrapTimeout = std::chrono::seconds(1);
constexpr Duration kJoinTimeout = std::chrono::seconds(10);
constexpr char kMinClusterVersion[] = "3.0.0";

using Urls = std::vector<std::string>;

StatusOr<InitialCluster> ParseWithSelf(const Config& config) {
  ASSIGN_OR_RETURN(InitialCluster cluster, ParseInitialCluster(config.initial_cluster));
  if (!cluster.contains(config.name)) {
    return absl::InvalidArgumentError(StrCat("couldn't find local name \"", config.name,
                                             "\" in the initial cluster configuration"));
  }
  return cluster;
}

// What one list has and the other lacks.
Urls Missing(const Urls& all, const Urls& from) {
  Urls missing;
  for (const std::string& url : all) {
    if (std::find(from.begin(), from.end(), url) == from.end()) missing.push_back(url);
  }
  return missing;
}

Status CheckAdvertised(const Config& config, const Urls& listed, const PlanParts& parts) {
  Urls advertised = config.initial_advertise_peer_urls;
  std::sort(advertised.begin(), advertised.end());
  const Status same = CheckSameUrls(advertised, listed, parts.resolve, *parts.clock,
                                    parts.clock->Now() + kResolveTimeout);
  if (same.ok()) return same;
  const std::string prefix = config.name + "=";
  const std::string own = StrCat(prefix, absl::StrJoin(advertised, "," + prefix));
  if (const Urls missing = Missing(listed, advertised); !missing.empty()) {
    return absl::InvalidArgumentError(
        StrCat("--initial-cluster has ", prefix, absl::StrJoin(missing, "," + prefix),
               " but missing from --initial-advertise-peer-urls=", absl::StrJoin(advertised, ","),
               " (", ToStd(same.message()), ")"));
  }
  if (const Urls missing = Missing(advertised, listed); !missing.empty()) {
    return absl::InvalidArgumentError(StrCat("--initial-advertise-peer-urls has ",
                                             absl::StrJoin(missing, ","),
                                             " but missing from --initial-cluster=", own));
  }
  return absl::InvalidArgumentError(StrCat("failed to resolve ", absl::StrJoin(advertised, ","),
                                           " to match --initial-cluster=", own, " (",
                                           ToStd(same.message()), ")"));
}

Urls UrlsOfOthers(const std::vector<MemberInfo>& members, const std::string& name) {
  Urls urls;
  for (const MemberInfo& member : members) {
    if (member.name == name) continue;
    urls.insert(urls.end(), member.peer_urls.begin(), member.peer_urls.end());
  }
  std::sort(urls.begin(), urls.end());
  return urls;
}

const MemberInfo* FindById(const std::vector<MemberInfo>& members, MemberId id) {
  const auto it = std::find_if(members.begin(), members.end(),
                               [&](const MemberInfo& member) { return member.id == id; });
  return it == members.end() ? nullptr : &*it;
}

// A member that has lost its directory must not vote a second time under its old id.
bool WasStartedBefore(const ClusterPlan& plan, const Config& config, Peers* peers) {
  const Urls urls = UrlsOfOthers(plan.members, config.name);
  if (peers == nullptr || urls.empty()) return false;
  const StatusOr<Peers::Cluster> found = peers->AskMembers(urls, kBootstrapTimeout);
  if (!found.ok()) return false;
  const MemberInfo* const self = FindById(found->members, plan.self);
  return self != nullptr && !self->client_urls.empty();
}

StatusOr<ClusterPlan> PlanNew(const Config& config, const PlanParts& parts) {
  ASSIGN_OR_RETURN(const InitialCluster cluster, ParseWithSelf(config));
  RETURN_IF_ERROR(CheckAdvertised(config, cluster.at(config.name), parts));
  ClusterPlan plan;
  ASSIGN_OR_RETURN(plan.members, MembersOf(cluster, config.initial_cluster_token));
  std::vector<MemberId> ids;
  for (const MemberInfo& member : plan.members) {
    ids.push_back(member.id);
    if (member.name == config.name) plan.self = member.id;
  }
  plan.cluster = ComputeClusterId(std::move(ids));
  if (WasStartedBefore(plan, config, parts.peers)) {
    return absl::FailedPreconditionError(
        StrCat("member ", HexId(plan.self), " has already been bootstrapped"));
  }
  return plan;
}

// Gives each of ours the id of the existing member with the same URLs.
Status TakeIds(const std::vector<MemberInfo>& existing, const PlanParts& parts,
               std::vector<MemberInfo>* ours) {
  if (existing.size() != ours->size()) {
    return absl::FailedPreconditionError("member count is unequal");
  }
  const TimePoint deadline = parts.clock->Now() + kResolveTimeout;
  for (const MemberInfo& member : existing) {
    Status last = absl::OkStatus();
    bool found = false;
    for (MemberInfo& mine : *ours) {
      last = CheckSameUrls(member.peer_urls, mine.peer_urls, parts.resolve, *parts.clock, deadline);
      if (!last.ok()) continue;
      mine.id = member.id;
      mine.is_learner = member.is_learner;
      found = true;
      break;
    }
    if (!found) {
      return absl::FailedPreconditionError(
          StrCat("PeerURLs: no match found for existing member (", HexId(member.id), ", [",
                 absl::StrJoin(member.peer_urls, " "), "]), last resolver error (",
                 ToStd(last.message()), ")"));
    }
  }
  std::set<MemberId> ids;
  for (const MemberInfo& mine : *ours) ids.insert(mine.id);
  if (ids.size() != ours->size()) {
    return absl::FailedPreconditionError("two members of --initial-cluster lead to the same one");
  }
  return absl::OkStatus();
}

// Known versions must be ones we can follow, and at least one must be known.
bool IsCompatible(const ClusterPlan& plan, const Config& config, Peers& peers) {
  bool any = false;
  for (const MemberInfo& member : plan.members) {
    if (member.id == plan.self) continue;
    const StatusOr<peer::Versions> theirs =
        peers.AskVersions(member.peer_urls, config.request_timeout());
    if (!theirs.ok()) {
      LOG_WARN("failed to get version", {"remote-member-id", HexId(member.id)},
               {"error", theirs.status()});
      continue;
    }
    const std::optional<int> version = ParseMinorVersion(theirs->cluster);
    if (!version) {
      LOG_WARN("failed to parse cluster version of remote member",
               {"remote-member-id", HexId(member.id)},
               {"remote-member-cluster-version", theirs->cluster});
      continue;
    }
    const bool too_low = *version < *ParseMinorVersion(kMinClusterVersion);
    if (too_low || *version > *ParseMinorVersion(kServerVersion)) {
      LOG_WARN(too_low ? "cluster version of remote member is not compatible; too low"
                       : "cluster version of remote member is not compatible; too high",
               {"remote-member-id", HexId(member.id)},
               {"remote-member-cluster-version", theirs->cluster});
      return false;
    }
    any = true;
  }
  return any;
}

StatusOr<ClusterPlan> PlanJoin(const Config& config, const PlanParts& parts) {
  ASSIGN_OR_RETURN(const InitialCluster cluster, ParseWithSelf(config));
  ClusterPlan plan;
  plan.joins = true;
  ASSIGN_OR_RETURN(plan.members, MembersOf(cluster, config.initial_cluster_token));
  const Urls urls = UrlsOfOthers(plan.members, config.name);
  StatusOr<Peers::Cluster> existing = absl::UnavailableError("no other member is named");
  if (parts.peers != nullptr && !urls.empty()) {
    existing = parts.peers->AskMembers(urls, kJoinTimeout);
  }
  if (!existing.ok()) {
    LOG_WARN("failed to get cluster response", {"addresses", urls}, {"error", existing.status()});
    return absl::UnavailableError(
        "cannot fetch cluster info from peer urls: could not retrieve cluster information from the "
        "given URLs");
  }
  RETURN_IF_ERROR(TakeIds(existing->members, parts, &plan.members), "error validating peerURLs");
  plan.cluster = existing->id;
  for (const MemberInfo& member : plan.members) {
    if (member.name == config.name) plan.self = member.id;
  }
  std::sort(plan.members.begin(), plan.members.end(),
            [](const MemberInfo& a, const MemberInfo& b) { return a.id < b.id; });
  if (!IsCompatible(plan, config, *parts.peers)) {
    return absl::FailedPreconditionError("incompatible with current running cluster");
  }
  const auto learners = std::count_if(existing->members.begin(), existing->members.end(),
                                      [](const MemberInfo& member) { return member.is_learner; });
  if (learners > config.max_learners) {
    return absl::FailedPreconditionError("membership: too many learner members in cluster");
  }
  return plan;
}

}  // namespace

StatusOr<ClusterPlan> PlanCluster(const Config& config, const PlanParts& parts) {
  return config.initial_cluster_state == "existing" ? PlanJoin(config, parts)
                                                    : PlanNew(config, parts);
}

}  // namespace kvorum::server
