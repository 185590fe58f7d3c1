#pragma once
// The `--initial-cluster` setting: "name=url,name=url,...", a name may come several times. Follows
// etcd client/pkg/types/urlsmap.go.

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "base/status.h"
#include "server/membership/member.h"

namespace kvorum::server {

// Peer URLs of each named member, sorted.
using InitialCluster = std::map<std::string, std::vector<std::string>>;

// InvalidArgument naming the piece that is not "name=url".
StatusOr<InitialCluster> ParseInitialCluster(std::string_view text);

// The members these URLs make under `token`, sorted by id. InvalidArgument if two of them come out
// with one id or share a URL.
StatusOr<std::vector<MemberInfo>> MembersOf(const InitialCluster& cluster, std::string_view token);

}  // namespace kvorum::server
