#include "server/flags/default_host.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

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

}  // namespace kvorum::server::flags
