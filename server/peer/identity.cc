#include "server/peer/identity.h"

#include <absl/strings/str_join.h>

#include <charconv>

#include "base/log.h"
#include "server/config.h"

namespace kvorum::server::peer {
namespace {

// What a header that is not there stands for.
constexpr std::string_view kAncientVersion = "2.0.0";
constexpr int kPerMajor = 1000;

bool TakeNumber(std::string_view* text, int* number) {
  const auto [end, error] = std::from_chars(text->data(), text->data() + text->size(), *number);
  if (error != std::errc() || *number < 0) return false;
  text->remove_prefix(static_cast<size_t>(end - text->data()));
  return true;
}

bool TakeDot(std::string_view* text) {
  if (!text->starts_with('.')) return false;
  text->remove_prefix(1);
  return true;
}

int OwnMinor() { return *MinorOfFullVersion(kServerVersion); }

std::optional<int> HeaderMinor(const HttpRequest& request, std::string_view name) {
  const std::string* const value = FindHeader(request.headers, name);
  return MinorOfFullVersion(value == nullptr ? kAncientVersion : std::string_view(*value));
}

bool VersionsFit(const HttpRequest& request) {
  const std::optional<int> server = HeaderMinor(request, "X-Server-Version");
  const std::optional<int> min_cluster = HeaderMinor(request, "X-Min-Cluster-Version");
  return server && min_cluster && *server >= *MinorOfFullVersion(kMinClusterVersion) &&
         *min_cluster <= OwnMinor();
}

}  // namespace

Identity::Identity(MemberId self, ClusterId cluster, const std::vector<std::string>& peer_urls)
    : self_(self),
      cluster_(cluster),
      request_headers_{{"X-Server-From", HexId(self)},
                       {"X-Server-Version", kServerVersion},
                       {"X-Min-Cluster-Version", kMinClusterVersion},
                       {"X-Etcd-Cluster-ID", HexId(cluster)}} {
  if (!peer_urls.empty()) {
    request_headers_.emplace_back("X-PeerURLs", absl::StrJoin(peer_urls, ","));
  }
}

std::optional<std::string> Identity::Refusal(const HttpRequest& request) const {
  if (!VersionsFit(request)) {
    LOG_WARN(
        "failed version compatibility check", {"local-member-id", HexId(self_)},
        {"local-member-cluster-id", HexId(cluster_)},
        {"local-member-server-version", kServerVersion},
        {"local-member-server-minimum-cluster-version", kMinClusterVersion},
        {"remote-peer-server-name", request.Header("X-Server-From")},
        {"remote-peer-server-version", request.Header("X-Server-Version")},
        {"remote-peer-server-minimum-cluster-version", request.Header("X-Min-Cluster-Version")},
        {"error", kIncompatibleVersion});
    return kIncompatibleVersion;
  }
  const std::string cluster = request.Header("X-Etcd-Cluster-ID");
  if (cluster != HexId(cluster_)) {
    LOG_WARN(
        "request cluster ID mismatch", {"local-member-id", HexId(self_)},
        {"local-member-cluster-id", HexId(cluster_)},
        {"local-member-server-version", kServerVersion},
        {"local-member-server-minimum-cluster-version", kMinClusterVersion},
        {"remote-peer-server-name", request.Header("X-Server-From")},
        {"remote-peer-server-version", request.Header("X-Server-Version")},
        {"remote-peer-server-minimum-cluster-version", request.Header("X-Min-Cluster-Version")},
        {"remote-peer-cluster-id", cluster});
    return kClusterIdMismatch;
  }
  return std::nullopt;
}

std::optional<int> MinorOfFullVersion(std::string_view version) {
  int major = 0;
  int minor = 0;
  int patch = 0;
  if (!TakeNumber(&version, &major) || !TakeDot(&version) || !TakeNumber(&version, &minor) ||
      !TakeDot(&version) || !TakeNumber(&version, &patch)) {
    return std::nullopt;
  }
  const bool ends = version.empty() || version[0] == '-' || version[0] == '+';
  if (!ends || major >= kPerMajor || minor >= kPerMajor) return std::nullopt;
  return major * kPerMajor + minor;
}

// The reference's table of what an older server's streams can be goes back to 2.1.
bool StreamVersionIsUsable(const std::string* server_version) {
  const std::optional<int> minor = MinorOfFullVersion(
      server_version == nullptr ? kAncientVersion : std::string_view(*server_version));
  return minor && *minor >= *MinorOfFullVersion("2.1.0");
}

std::optional<uint64_t> ParseHexId(std::string_view text) {
  uint64_t id = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), id, 16);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return id;
}

}  // namespace kvorum::server::peer
