#pragma once
// Who is talking: the headers of raft requests and streams, and whether two members may talk.
//
// Threads: constant after construction. Follows etcd rafthttp/util.go, http.go.

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/types.h"
#include "server/peer/http_message.h"

namespace kvorum::server::peer {

// The oldest cluster version this server takes part in.
inline constexpr char kMinClusterVersion[] = "3.0.0";
inline constexpr char kIncompatibleVersion[] = "incompatible version";
inline constexpr char kClusterIdMismatch[] = "cluster ID mismatch";

class Identity {
 public:
  Identity(MemberId self, ClusterId cluster, const std::vector<std::string>& peer_urls);

  MemberId self() const { return self_; }
  ClusterId cluster() const { return cluster_; }
  // Of a request to another member.
  const HttpHeaders& request_headers() const { return request_headers_; }

  // The text to refuse a request with (412), or nothing.
  std::optional<std::string> Refusal(const HttpRequest& request) const;

 private:
  const MemberId self_;
  const ClusterId cluster_;
  HttpHeaders request_headers_;
};

// major * 1000 + minor of a full "major.minor.patch"; nothing for anything else.
std::optional<int> MinorOfFullVersion(std::string_view version);
// Whether what a stream's reply says about its server's version lets us read the stream. A missing
// header is a server of 2.0.
bool StreamVersionIsUsable(const std::string* server_version);

// Lower-case or upper-case hex of at most 64 bits.
std::optional<uint64_t> ParseHexId(std::string_view text);

}  // namespace kvorum::server::peer
