#include "server/membership/initial_cluster.h"

#include <absl/strings/str_split.h>

#include <algorithm>
#include <set>

#include "base/strings.h"

namespace kvorum::server {

StatusOr<InitialCluster> ParseInitialCluster(std::string_view text) {
  InitialCluster cluster;
  for (const absl::string_view piece : absl::StrSplit(ToAbsl(text), ',', absl::SkipWhitespace())) {
    const std::pair<std::string, std::string> name_and_url =
        absl::StrSplit(piece, absl::MaxSplits('=', 1));
    const auto& [name, url] = name_and_url;
    if (name.empty() || url.empty()) {
      return absl::InvalidArgumentError(
          StrCat("empty URL given for \"", name, "\" in --initial-cluster"));
    }
    cluster[name].push_back(url);
  }
  for (auto& [name, urls] : cluster) std::sort(urls.begin(), urls.end());
  return cluster;
}

StatusOr<std::vector<MemberInfo>> MembersOf(const InitialCluster& cluster, std::string_view token) {
  std::vector<MemberInfo> members;
  std::set<std::string> urls_seen;
  for (const auto& [name, urls] : cluster) {
    for (const std::string& url : urls) {
      if (!urls_seen.insert(url).second) {
        return absl::InvalidArgumentError(
            StrCat("initial cluster has duplicate URL ", url, " in --initial-cluster"));
      }
    }
    members.push_back({.id = ComputeMemberId(urls, token), .name = name, .peer_urls = urls});
  }
  std::sort(members.begin(), members.end(),
            [](const MemberInfo& a, const MemberInfo& b) { return a.id < b.id; });
  for (size_t i = 1; i < members.size(); ++i) {
    if (members[i - 1].id == members[i].id) {
      return absl::InvalidArgumentError(
          StrCat("two members of --initial-cluster have the id ", HexId(members[i].id)));
    }
  }
  return members;
}

}  // namespace kvorum::server
