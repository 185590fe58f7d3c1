#pragma once
// What the cluster knows about one member, and its two written forms: the JSON of the `members`
// bucket and of configuration changes, and the ids derived from peer URLs.
//
// The JSON is Go's: fields in a fixed order, empty ones left out, `<`, `>` and `&` escaped, ids as
// plain numbers beyond 2^53. Follows etcd server/etcdserver/api/membership/member.go, cluster.go.

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/status.h"
#include "base/types.h"

namespace kvorum::server {

struct MemberInfo {
  MemberId id;
  std::string name;  // empty until the member has published itself
  std::vector<std::string> peer_urls;
  std::vector<std::string> client_urls;
  bool is_learner = false;

  friend bool operator==(const MemberInfo&, const MemberInfo&) = default;
};

// Row of the `members` bucket, and context of a ConfChange that adds or updates a member.
std::string EncodeMemberJson(const MemberInfo& member);

// Context of a ConfChange: a member, and whether the change promotes a learner.
struct ConfChangeContext {
  MemberInfo member;
  bool is_promote = false;
};
std::string EncodePromoteContext(MemberId id);

// Both take what an older or newer release may have written: unknown fields are ignored, missing
// ones empty. InvalidArgument if it is not such an object.
StatusOr<MemberInfo> ParseMemberJson(std::string_view json);
StatusOr<ConfChangeContext> ParseConfChangeContext(std::string_view json);

// Id of a member: of its sorted peer URLs, the cluster's token and, for a member added at run time,
// the time of that.
MemberId ComputeMemberId(std::vector<std::string> peer_urls, std::string_view cluster_token,
                         std::optional<WallTime> added_at = std::nullopt);
// Id of a cluster: of the ids of its first members, in any order.
ClusterId ComputeClusterId(std::vector<MemberId> members);

// `text` as a JSON string with Go's escapes, quotes included.
std::string GoJsonString(std::string_view text);

}  // namespace kvorum::server
