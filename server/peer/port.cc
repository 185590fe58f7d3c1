#include "server/peer/port.h"

#include <absl/strings/ascii.h>
#include <sys/socket.h>
#include <unistd.h>

#include <utility>

#include <boost/asio/generic/stream_protocol.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/ip/v6_only.hpp>
#include <boost/asio/local/stream_protocol.hpp>
#include <boost/asio/socket_base.hpp>

#include "base/strings.h"
#include "server/peer/peer_url.h"

namespace kvorum::server::peer {

namespace asio = boost::asio;
using asio::ip::tcp;
using boost::system::error_code;
using ReusePort = asio::detail::socket_option::boolean<SOL_SOCKET, SO_REUSEPORT>;

namespace {

struct Bound {
  int fd;
  std::string address;
};

Status ListenError(std::string_view where, error_code error) {
  std::string text = error.message();
  if (!text.empty()) text[0] = absl::ascii_tolower(static_cast<unsigned char>(text[0]));
  return absl::UnavailableError(StrCat("listen ", where, ": bind: ", text));
}

std::string AddressText(const tcp::endpoint& endpoint) {
  const std::string host = endpoint.address().to_string();
  return endpoint.address().is_v6() ? StrCat("[", host, "]:", endpoint.port())
                                    : StrCat(host, ":", endpoint.port());
}

StatusOr<Bound> ListenAt(const tcp::endpoint& endpoint, const std::string& where, bool reuse_port) {
  asio::io_context io;
  tcp::acceptor acceptor(io);
  error_code error;
  acceptor.open(endpoint.protocol(), error);
  if (!error) acceptor.set_option(asio::socket_base::reuse_address(true), error);
  if (!error && reuse_port) acceptor.set_option(ReusePort(true), error);
  if (!error && endpoint.address().is_v6()) acceptor.set_option(asio::ip::v6_only(false), error);
  if (!error) acceptor.bind(endpoint, error);
  if (!error) acceptor.listen(asio::socket_base::max_listen_connections, error);
  if (!error) acceptor.native_non_blocking(true, error);
  if (error) return ListenError(where, error);
  Bound bound;
  bound.address = AddressText(acceptor.local_endpoint(error));
  bound.fd = acceptor.release(error);
  if (error) return ListenError(where, error);
  return bound;
}

// An IPv4 address if the name has one.
StatusOr<tcp::endpoint> Resolve(const PeerUrl& url) {
  asio::io_context io;
  tcp::resolver resolver(io);
  error_code error;
  const auto found = resolver.resolve(url.host, url.port, tcp::resolver::passive, error);
  if (error || found.empty()) {
    return absl::InvalidArgumentError(StrCat("lookup ", url.host, ": ", error.message()));
  }
  tcp::endpoint chosen = found.begin()->endpoint();
  for (const auto& one : found) {
    if (one.endpoint().address().is_v4()) return one.endpoint();
  }
  return chosen;
}

// Both wildcards mean every address of both families, as in Go; then a machine without IPv6.
StatusOr<Bound> ListenTcp(const PeerUrl& url, bool reuse_port) {
  const std::string where = "tcp " + url.HostHeader();
  ASSIGN_OR_RETURN(const tcp::endpoint endpoint, Resolve(url));
  if (url.host == "0.0.0.0") {
    auto both = ListenAt(tcp::endpoint(tcp::v6(), endpoint.port()), where, reuse_port);
    if (both.ok()) return both;
  }
  return ListenAt(endpoint, where, reuse_port);
}

StatusOr<Bound> ListenUnix(const PeerUrl& url) {
  using asio::local::stream_protocol;
  unlink(url.path.c_str());
  asio::io_context io;
  stream_protocol::acceptor acceptor(io);
  error_code error;
  acceptor.open(stream_protocol(), error);
  if (!error) acceptor.bind(stream_protocol::endpoint(url.path), error);
  if (!error) acceptor.listen(asio::socket_base::max_listen_connections, error);
  if (!error) acceptor.native_non_blocking(true, error);
  Bound bound;
  if (!error) bound.fd = acceptor.release(error);
  if (error) return ListenError("unix " + url.path, error);
  bound.address = url.path;
  return bound;
}

}  // namespace

StatusOr<std::unique_ptr<BoundPort>> BoundPort::Bind(const std::vector<std::string>& urls,
                                                     bool reuse_port) {
  auto port = std::make_unique<BoundPort>();
  for (const std::string& text : urls) {
    ASSIGN_OR_RETURN(const PeerUrl url, ParsePeerUrl(text));
    auto bound = url.is_unix ? ListenUnix(url) : ListenTcp(url, reuse_port);
    if (!bound.ok()) return std::move(bound).status();
    port->fds_.push_back(bound->fd);
    port->addresses_.push_back(std::move(bound->address));
  }
  return port;
}

BoundPort::~BoundPort() {
  for (const int fd : fds_) close(fd);
}

std::vector<int> BoundPort::Take() { return std::exchange(fds_, {}); }

}  // namespace kvorum::server::peer
