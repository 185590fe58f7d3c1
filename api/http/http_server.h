#pragma once
// Speaks HTTP/1.1 on connections that the port's sniffer found to be HTTP, and answers by a router.
//
// One request at a time a connection, keep-alive; bounds are in http_connection.h. Threads: one
// thread runs the io_context; all methods and the router's handlers run on it.

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "api/grpc/waiting.h"
#include "api/http/router.h"

namespace boost::asio {
class io_context;
}

namespace kvorum::api {

class HttpConnection;
struct HttpActivity;

// Resumes coroutines on the thread of an io_context.
class IoExecutor final : public Executor {
 public:
  explicit IoExecutor(boost::asio::io_context* io) : io_(io) {}
  void Resume(std::span<const std::coroutine_handle<>> batch) override;

 private:
  boost::asio::io_context* io_;
};

class HttpServer {
 public:
  // Both outlive this object and its connections, which end with the io_context.
  HttpServer(boost::asio::io_context* io, const HttpRouter* router);

  // Takes over a connection, of which `read` was read already.
  void Serve(int fd, std::string read);
  // No further requests: idle connections are closed, the others after their answer.
  void EndWhenIdle();
  // Cuts all connections; what they wait for fails.
  void CloseAll();
  // `idle` runs when no request is without its answer, perhaps at once.
  void WhenIdle(std::function<void()> idle);

 private:
  boost::asio::io_context* const io_;
  const HttpRouter* const router_;
  static constexpr size_t kFirstSweep = 64;
  void Remember(const std::shared_ptr<HttpConnection>& connection);

  const std::shared_ptr<HttpActivity> activity_;
  std::vector<std::weak_ptr<HttpConnection>> connections_;  // some of them gone
  size_t sweep_at_ = kFirstSweep;
};

}  // namespace kvorum::api
