#include "api/listener/socket.h"

#include <absl/strings/ascii.h>
#include <absl/strings/str_cat.h>
#include <arpa/inet.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cerrno>
#include <memory>

namespace kvorum::api {
namespace {

constexpr int kTcpKeepaliveSeconds = 30;

struct Address {
  sockaddr_storage bytes = {};
  socklen_t length = 0;
  const sockaddr* get() const { return reinterpret_cast<const sockaddr*>(&bytes); }
};

// As Go words it: no capital at the start of the system's text.
Status SystemError(const std::string& what) {
  std::string reason = strerror(errno);
  reason[0] = absl::ascii_tolower(static_cast<unsigned char>(reason[0]));
  return absl::UnavailableError(absl::StrCat(what, ": ", reason));
}

bool ConsumePrefix(std::string_view* text, std::string_view prefix) {
  if (!text->starts_with(prefix)) return false;
  text->remove_prefix(prefix.size());
  return true;
}

bool SplitHostPort(std::string_view authority, std::string* host, std::string* port) {
  const size_t colon = authority.rfind(':');
  if (colon == std::string_view::npos) return false;
  std::string_view name = authority.substr(0, colon);
  if (name.starts_with('[') && name.ends_with(']')) name = name.substr(1, name.size() - 2);
  *host = name;
  *port = authority.substr(colon + 1);
  return true;
}

StatusOr<Address> ResolveTcp(const std::string& host, const std::string& port) {
  addrinfo hints = {};
  hints.ai_socktype = SOCK_STREAM;
  hints.ai_flags = AI_PASSIVE | AI_NUMERICSERV;
  addrinfo* found = nullptr;
  // Both wildcards mean every address of both families, as in Go.
  const bool any = host.empty() || host == "0.0.0.0";
  const int error = getaddrinfo(any ? "::" : host.c_str(), port.c_str(), &hints, &found);
  if (error != 0) {
    return absl::InvalidArgumentError(absl::StrCat("lookup ", host, ": ", gai_strerror(error)));
  }
  const std::unique_ptr<addrinfo, decltype(&freeaddrinfo)> owner(found, freeaddrinfo);
  const addrinfo* chosen = found;
  for (const addrinfo* it = found; it != nullptr; it = it->ai_next) {
    if (it->ai_family == AF_INET) {
      chosen = it;
      break;
    }
  }
  Address address;
  memcpy(&address.bytes, chosen->ai_addr, chosen->ai_addrlen);
  address.length = chosen->ai_addrlen;
  return address;
}

StatusOr<Address> UnixAddress(const std::string& path) {
  Address address;
  auto* unix_address = reinterpret_cast<sockaddr_un*>(&address.bytes);
  if (path.empty() || path.size() >= sizeof(unix_address->sun_path)) {
    return absl::InvalidArgumentError(absl::StrCat("unusable socket path \"", path, "\""));
  }
  unix_address->sun_family = AF_UNIX;
  memcpy(unix_address->sun_path, path.c_str(), path.size() + 1);
  address.length = sizeof(sockaddr_un);
  return address;
}

std::string TcpAddressText(int fd) {
  Address address;
  address.length = sizeof(address.bytes);
  getsockname(fd, reinterpret_cast<sockaddr*>(&address.bytes), &address.length);
  char host[INET6_ADDRSTRLEN] = "";
  if (address.bytes.ss_family == AF_INET) {
    const auto* v4 = reinterpret_cast<const sockaddr_in*>(&address.bytes);
    inet_ntop(AF_INET, &v4->sin_addr, host, sizeof(host));
    return absl::StrCat(host, ":", ntohs(v4->sin_port));
  }
  const auto* v6 = reinterpret_cast<const sockaddr_in6*>(&address.bytes);
  inet_ntop(AF_INET6, &v6->sin6_addr, host, sizeof(host));
  return absl::StrCat("[", host, "]:", ntohs(v6->sin6_port));
}

void SetOption(int fd, int level, int option, int value) {
  setsockopt(fd, level, option, &value, sizeof(value));
}

// `where` is for the error: "tcp 127.0.0.1:2379" or "unix path".
StatusOr<int> BindAndListen(const Address& address, const std::string& where,
                            bool reuse_port = false) {
  const int family = address.get()->sa_family;
  const int fd = socket(family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  if (fd < 0) return SystemError(absl::StrCat("listen ", where, ": socket"));
  if (family != AF_UNIX) SetOption(fd, SOL_SOCKET, SO_REUSEADDR, 1);
  if (family != AF_UNIX && reuse_port) SetOption(fd, SOL_SOCKET, SO_REUSEPORT, 1);
  if (family == AF_INET6) SetOption(fd, IPPROTO_IPV6, IPV6_V6ONLY, 0);
  if (bind(fd, address.get(), address.length) != 0 || listen(fd, SOMAXCONN) != 0) {
    Status status = SystemError(absl::StrCat("listen ", where, ": bind"));
    close(fd);
    return status;
  }
  return fd;
}

}  // namespace

StatusOr<ListeningSocket> OpenListeningSocket(const std::string& url, bool reuse_port) {
  ListeningSocket listener;
  std::string_view rest = url;
  if (ConsumePrefix(&rest, "unix://") || ConsumePrefix(&rest, "unix:")) {
    listener.is_unix = true;
    listener.address = rest;
    ASSIGN_OR_RETURN(const Address address, UnixAddress(listener.address));
    unlink(listener.address.c_str());
    ASSIGN_OR_RETURN(listener.fd, BindAndListen(address, absl::StrCat("unix ", listener.address)));
    return listener;
  }
  std::string host;
  std::string port;
  if (!ConsumePrefix(&rest, "http://") || !SplitHostPort(rest, &host, &port)) {
    return absl::InvalidArgumentError(
        absl::StrCat("cannot listen on \"", url, "\": only http://host:port and unix://path"));
  }
  ASSIGN_OR_RETURN(Address address, ResolveTcp(host, port));
  const std::string where = "tcp " + std::string(rest);
  StatusOr<int> fd = BindAndListen(address, where, reuse_port);
  if (!fd.ok() && host == "0.0.0.0") {  // a machine without IPv6
    ASSIGN_OR_RETURN(address, ResolveTcp("0", port));
    fd = BindAndListen(address, where, reuse_port);
  }
  ASSIGN_OR_RETURN(listener.fd, std::move(fd));
  listener.address = TcpAddressText(listener.fd);
  return listener;
}

int AcceptConnection(const ListeningSocket& listener) {
  const int fd = accept4(listener.fd, nullptr, nullptr, SOCK_CLOEXEC | SOCK_NONBLOCK);
  if (fd < 0 || listener.is_unix) return fd;
  SetOption(fd, IPPROTO_TCP, TCP_NODELAY, 1);
  SetOption(fd, SOL_SOCKET, SO_KEEPALIVE, 1);
  SetOption(fd, IPPROTO_TCP, TCP_KEEPIDLE, kTcpKeepaliveSeconds);
  SetOption(fd, IPPROTO_TCP, TCP_KEEPINTVL, kTcpKeepaliveSeconds);
  return fd;
}

}  // namespace kvorum::api
