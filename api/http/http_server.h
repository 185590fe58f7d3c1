#pragma once
// Speaks HTTP/1.1 on connections that the port's sniffer found to be HTTP, and answers by a router.
//
// One request at a time a connection, keep-alive, bounded in the sizes of head and body and in idle
// time. Threads: one thread runs the io_context; Serve and the router's handlers run on it.

#include <memory>
#include <string>

#include "api/grpc/waiting.h"
#include "api/http/router.h"
#include "base/clock.h"

namespace boost::asio {
class io_context;
}

namespace kvorum::api {

inline constexpr Duration kHttpIdleTimeout = std::chrono::minutes(5);
inline constexpr size_t kHttpHeadBytes = 1 << 20;  // Go's bound
inline constexpr size_t kHttpBodyBytes = 1 << 20;  // no path served takes a body

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
  HttpServer(boost::asio::io_context* io, const HttpRouter* router) : io_(io), router_(router) {}

  // Takes over a connection, of which `read` was read already.
  void Serve(int fd, std::string read);
  // Answers that are still being worked out.
  int64_t pending() const { return *pending_; }

 private:
  boost::asio::io_context* const io_;
  const HttpRouter* const router_;
  const std::shared_ptr<int64_t> pending_ = std::make_shared<int64_t>(0);
};

}  // namespace kvorum::api
