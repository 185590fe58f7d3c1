#include "server/flags/default_host.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <boost/asio/ip/address.hpp>

#include "server/flags/urls.h"

namespace kvorum::server::flags {

// Connecting a datagram socket only looks up the route; the address is one reserved for examples.
std::string DefaultRouteHost() {
  const int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  if (fd < 0) return "";
  sockaddr_in there = {};
  there.sin_family = AF_INET;
  there.sin_port = htons(9);
  inet_pton(AF_INET, "192.0.2.1", &there.sin_addr);
  sockaddr_in here = {};
  socklen_t size = sizeof(here);
  char text[INET_ADDRSTRLEN] = "";
  if (connect(fd, reinterpret_cast<const sockaddr*>(&there), sizeof(there)) == 0 &&
      getsockname(fd, reinterpret_cast<sockaddr*>(&here), &size) == 0) {
    inet_ntop(AF_INET, &here.sin_addr, text, sizeof(text));
  }
  close(fd);
  return text;
}

std::string FirstRoutableHost(const std::vector<std::string>& urls) {
  for (const std::string& text : urls) {
    const StatusOr<Url> url = ParseUrl(text);
    const StatusOr<HostPort> address = SplitHostPort(url.ok() ? url->host : "");
    if (!address.ok()) continue;
    boost::system::error_code error;
    const auto ip = boost::asio::ip::make_address(address->host, error);
    if (!error && !ip.is_loopback() && !ip.is_unspecified()) return ip.to_string();
  }
  return "";
}

}  // namespace kvorum::server::flags
