#pragma once
// The URLs members are reached at.

#include <string>
#include <string_view>
#include <vector>

#include "base/status.h"

namespace kvorum::server::peer {

struct PeerUrl {
  std::string text;  // as given
  bool is_unix = false;
  std::string host;  // without brackets
  std::string port;
  std::string path;  // of a unix socket

  // What the Host header says.
  std::string HostHeader() const;
};

// InvalidArgument for anything but "http://host:port" and "unix://path"; of https it says that TLS
// between members is not there.
StatusOr<PeerUrl> ParsePeerUrl(std::string_view url);
// Sorted by text, as they are tried. InvalidArgument if one is, or if there is none.
StatusOr<std::vector<PeerUrl>> ParsePeerUrls(const std::vector<std::string>& urls);

}  // namespace kvorum::server::peer
