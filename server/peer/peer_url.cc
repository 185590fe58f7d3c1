#include "server/peer/peer_url.h"

#include <sys/un.h>

#include <algorithm>
#include <utility>

#include "base/strings.h"
#include "server/flags/urls.h"

namespace kvorum::server::peer {

std::string PeerUrl::HostHeader() const {
  if (is_unix) return "localhost";
  return host.find(':') == std::string::npos ? StrCat(host, ":", port)
                                             : StrCat("[", host, "]:", port);
}

StatusOr<PeerUrl> ParsePeerUrl(std::string_view url) {
  ASSIGN_OR_RETURN(const std::vector<flags::Url> parsed, flags::ParseUrls(url));
  if (parsed.size() != 1) {
    return absl::InvalidArgumentError(StrCat("not one URL: \"", url, "\""));
  }
  const flags::Url& one = parsed.front();
  if (one.scheme == "https" || one.scheme == "unixs") {
    return absl::InvalidArgumentError(
        StrCat("TLS between members is not supported by this build: ", url));
  }
  PeerUrl result;
  result.text = url;
  result.is_unix = one.is_unix();
  if (result.is_unix) {
    result.path = one.host + one.path;
    if (result.path.empty() || result.path.size() >= sizeof(sockaddr_un::sun_path)) {
      return absl::InvalidArgumentError(StrCat("unusable socket path \"", result.path, "\""));
    }
    return result;
  }
  ASSIGN_OR_RETURN(flags::HostPort host_port, flags::SplitHostPort(one.host));
  result.host = std::move(host_port.host);
  result.port = std::move(host_port.port);
  return result;
}

StatusOr<std::vector<PeerUrl>> ParsePeerUrls(const std::vector<std::string>& urls) {
  if (urls.empty()) return absl::InvalidArgumentError("a member without peer URLs");
  std::vector<PeerUrl> parsed;
  for (const std::string& url : urls) {
    ASSIGN_OR_RETURN(PeerUrl one, ParsePeerUrl(url));
    parsed.push_back(std::move(one));
  }
  std::sort(parsed.begin(), parsed.end(),
            [](const PeerUrl& a, const PeerUrl& b) { return a.text < b.text; });
  return parsed;
}

}  // namespace kvorum::server::peer
