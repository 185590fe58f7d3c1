#include "server/version_monitor.h"

#include <absl/strings/str_split.h>

#include <utility>

#include "base/log.h"
#include "base/strings.h"

namespace kvorum::server {
namespace {

// Before any member has said what it is.
constexpr char kMinClusterVersion[] = "3.0.0";

std::string ClusterVersionOf(int minor_version) {
  return StrCat(minor_version / 1000, ".", minor_version % 1000, ".0");
}

// Nothing if one member's is unknown.
std::optional<int> LeastOf(const MemberVersions& servers) {
  std::optional<int> least;
  for (const auto& [id, version] : servers) {
    if (!version) return std::nullopt;
    const std::optional<int> theirs = ParseMinorVersion(*version);
    if (!theirs) {
      LOG_WARN("failed to parse server version of remote member", {"remote-member-id", HexId(id)},
               {"remote-member-version", *version});
      return std::nullopt;
    }
    if (*theirs > *ParseMinorVersion(kServerVersion)) {
      LOG_WARN("leader found higher-versioned member", {"local-member-version", kServerVersion},
               {"remote-member-id", HexId(id)}, {"remote-member-version", *version});
    }
    if (!least || *theirs < *least) least = theirs;
  }
  return least;
}

}  // namespace

std::optional<std::string> DecideClusterVersion(const std::string& current,
                                                const MemberVersions& servers) {
  const std::optional<int> least = LeastOf(servers);
  if (current.empty()) return least ? ClusterVersionOf(*least) : kMinClusterVersion;
  const std::optional<int> now = ParseMinorVersion(current);
  if (!least || !now || *least <= *now) return std::nullopt;
  return ClusterVersionOf(*least);
}

TimePoint VersionMonitor::Step(TimePoint now) {
  if (parts_.raft->is_leader()) Ask();
  return now + kInterval;
}

void VersionMonitor::Ask() {
  auto round = std::make_shared<Round>();
  std::vector<MemberInfo> others;
  {
    absl::MutexLock lock(&round->mutex);
    for (MemberInfo& member : parts_.membership->Members()) {
      const bool self = member.id == parts_.membership->self();
      round->versions[member.id] = self ? std::optional<std::string>(kServerVersion) : std::nullopt;
      if (!self && parts_.peers != nullptr) others.push_back(std::move(member));
    }
    round->missing = others.size();
    if (others.empty()) return Propose(parts_, round->versions);
  }
  for (const MemberInfo& member : others) {
    parts_.peers->AskServerVersion(member.peer_urls, [round, parts = parts_, id = member.id](
                                                         const StatusOr<std::string>& version) {
      absl::MutexLock lock(&round->mutex);
      if (version.ok()) {
        round->versions[id] = *version;
      } else {
        LOG_WARN("failed to get version", {"remote-member-id", HexId(id)},
                 {"error", version.status()});
      }
      if (--round->missing == 0) Propose(parts, round->versions);
    });
  }
}

void VersionMonitor::Propose(const Parts& parts, const MemberVersions& versions) {
  const std::string current = parts.membership->cluster_version();
  const std::optional<std::string> wanted = DecideClusterVersion(current, versions);
  if (!wanted) return;
  if (current.empty()) {
    LOG_INFO("setting up initial cluster version using v3 API", {"cluster-version", *wanted});
  } else {
    LOG_INFO("updating cluster version using v3 API", {"from", current}, {"to", *wanted});
  }
  etcdserverpb::InternalRaftRequest request;
  request.mutable_cluster_version_set()->set_ver(*wanted);
  parts.proposer->ProposeOwn(std::move(request), [version = *wanted](Error error) {
    if (error == Error::kOk) {
      LOG_INFO("cluster version is updated", {"cluster-version", version});
    } else if (error != Error::kStopped) {
      LOG_WARN("failed to update cluster version", {"error", TextOf(error)});
    }
  });
}

}  // namespace kvorum::server
