#include "api/http/http_server.h"

#include <sys/socket.h>

#include <algorithm>
#include <utility>

#include <boost/asio/generic/stream_protocol.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>

#include "api/http/http_connection.h"

namespace kvorum::api {

namespace asio = boost::asio;

namespace {

int FamilyOf(int fd) {
  sockaddr_storage address = {};
  socklen_t length = sizeof(address);
  getsockname(fd, reinterpret_cast<sockaddr*>(&address), &length);
  return address.ss_family;
}

}  // namespace

void IoExecutor::Resume(std::span<const std::coroutine_handle<>> batch) {
  for (const std::coroutine_handle<> handle : batch) {
    asio::post(*io_, [handle] { handle.resume(); });
  }
}

HttpServer::HttpServer(asio::io_context* io, const HttpRouter* router)
    : io_(io), router_(router), activity_(std::make_shared<HttpActivity>()) {}

void HttpServer::Serve(int fd, std::string read) {
  asio::generic::stream_protocol::socket socket(*io_);
  boost::system::error_code error;
  socket.assign(asio::generic::stream_protocol(FamilyOf(fd), 0), fd, error);
  if (error) return;
  auto connection = std::make_shared<HttpConnection>(HttpConnection::Stream(std::move(socket)),
                                                     router_, activity_);
  Remember(connection);
  connection->Start(read);
}

// The list is swept whenever it has doubled: a connection costs O(1).
void HttpServer::Remember(const std::shared_ptr<HttpConnection>& connection) {
  if (connections_.size() >= sweep_at_) {
    std::erase_if(connections_, [](const auto& one) { return one.expired(); });
    sweep_at_ = std::max(kFirstSweep, 2 * connections_.size());
  }
  connections_.push_back(connection);
}

void HttpServer::EndWhenIdle() {
  for (const auto& one : connections_) {
    if (const auto connection = one.lock()) connection->EndWhenIdle();
  }
}

void HttpServer::WhenIdle(std::function<void()> idle) {
  activity_->on_idle = std::move(idle);
  if (activity_->exchanges == 0) std::exchange(activity_->on_idle, nullptr)();
}

void HttpServer::CloseAll() {
  for (const auto& one : connections_) {
    if (const auto connection = one.lock()) connection->Close();
  }
}

}  // namespace kvorum::api
