#include "server/peer/http_server.h"

#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <utility>

#include <boost/asio/generic/stream_protocol.hpp>
#include <boost/asio/io_context.hpp>

#include "server/peer/server_connection.h"

namespace kvorum::server::peer {

namespace asio = boost::asio;
using boost::system::error_code;
using Protocol = asio::generic::stream_protocol;

namespace {

constexpr Duration kAcceptPause = std::chrono::milliseconds(100);

}  // namespace

class HttpServer::Listener final : public Closable, public std::enable_shared_from_this<Listener> {
 public:
  explicit Listener(HttpServer* server)
      : loop_(server->loop_), server_(server), socket_(loop_->context()), pause_(loop_.get()) {}

  void Start(int fd) {
    sockaddr_storage address = {};
    socklen_t length = sizeof(address);
    getsockname(fd, reinterpret_cast<sockaddr*>(&address), &length);
    error_code error;
    socket_.assign(Protocol(address.ss_family, 0), fd, error);
    if (error) {
      ::close(fd);
      return;
    }
    Accept();
  }
  void Close() override {
    server_ = nullptr;
    error_code ignored;
    socket_.close(ignored);
  }

 private:
  void Accept() {
    socket_.async_wait(asio::socket_base::wait_read, [self = shared_from_this()](error_code error) {
      if (self->server_ != nullptr && !error) self->OnReadable();
    });
  }
  void OnReadable() {
    const int fd = accept4(socket_.native_handle(), nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC);
    if (fd >= 0) server_->Accepted(fd);
    const bool exhausted = errno == EMFILE || errno == ENFILE || errno == ENOBUFS;
    if (fd < 0 && exhausted) {
      pause_.After(kAcceptPause, [self = shared_from_this()] { self->Accept(); });
    } else {
      Accept();
    }
  }

  const std::shared_ptr<IoLoop> loop_;  // outlives the socket
  HttpServer* server_;                  // null once closed
  Protocol::socket socket_;             // a listening one: only waited on
  Timer pause_;
};

HttpServer::HttpServer(std::shared_ptr<IoLoop> loop, Duration io_timeout, Handle handle)
    : loop_(std::move(loop)), io_timeout_(io_timeout), handle_(std::move(handle)) {}

HttpServer::~HttpServer() = default;

void HttpServer::Start(const std::vector<int>& listening_fds) {
  for (const int fd : listening_fds) {
    listeners_.push_back(std::make_shared<Listener>(this));
    loop_->Track(listeners_.back());
    listeners_.back()->Start(fd);
  }
}

void HttpServer::Accepted(int fd) {
  if (stopped_ || connections_.size() >= kMaxConnections) {
    ::close(fd);
    return;
  }
  const auto connection = ServerConnection::New(
      loop_, fd, io_timeout_,
      {.handle = handle_, .closed = [this](const std::shared_ptr<ServerConnection>& closed) {
         connections_.erase(closed);
       }});
  if (connection == nullptr) return;
  connections_.insert(connection);
  connection->Start();
}

void HttpServer::StopAccepting() {
  stopped_ = true;
  for (const auto& listener : listeners_) listener->Close();
}

void HttpServer::Stop() {
  StopAccepting();
  for (const auto& connection : std::exchange(connections_, {})) connection->Close();
}

}  // namespace kvorum::server::peer
