#pragma once
// HttpServer: the port of a member. Accepts connections, reads requests, hands them to one
// function, and takes the answers.
//
// One request at a time a connection, keep-alive. A connection is closed when it is silent for the
// io timeout between requests or inside one, or does not take an answer for so long; while the
// answer is awaited there is no limit. At most kMaxConnections; who comes then is closed at once.
//
// Threads: the loop's.

#include <functional>
#include <memory>
#include <string>
#include <unordered_set>
#include <vector>

#include "base/clock.h"
#include "base/status.h"
#include "server/peer/http_message.h"
#include "server/peer/io_loop.h"

namespace kvorum::server::peer {

inline constexpr size_t kMaxConnections = 1024;
// After an answer to a request that was not read to its end, so that the answer is seen before the
// reset that unread bytes cause; Go's.
inline constexpr Duration kLingerTimeout = std::chrono::milliseconds(500);

// One request and its answer. Calls after the connection has ended do nothing; callbacks that they
// would have had are told of the failure.
class HttpExchange {
 public:
  virtual ~HttpExchange() = default;

  virtual const HttpRequest& request() const = 0;
  // The next bytes of the body; empty at its end. One at a time.
  virtual void ReadSome(std::function<void(StatusOr<std::string>)> done) = 0;
  // The answer. Once, unless StartStream was called.
  virtual void Reply(HttpReply reply) = 0;
  // The same, and the connection ends.
  virtual void ReplyAndClose(HttpReply reply) = 0;

  // An answer without an end: 200, the headers, and chunks as they come. `closed` runs once, when
  // the other side is gone, a Write failed, or EndStream was called.
  virtual void StartStream(HttpHeaders headers, std::function<void()> closed) = 0;
  // One at a time. `done` when the kernel has taken them all.
  virtual void Write(std::string bytes, std::function<void(Status)> done) = 0;
  // In order, if no Write is under way.
  virtual void EndStream() = 0;
};

class HttpServer {
 public:
  using Handle = std::function<void(std::shared_ptr<HttpExchange>)>;

  HttpServer(std::shared_ptr<IoLoop> loop, Duration io_timeout, Handle handle);
  ~HttpServer();

  // Takes over listening sockets and begins to accept.
  void Start(const std::vector<int>& listening_fds);
  // Closes the listening sockets, with what is not accepted yet.
  void StopAccepting();
  // And ends all connections.
  void Stop();

 private:
  class Connection;
  class Listener;

  void Accepted(int fd);
  void Forget(const std::shared_ptr<Connection>& connection) { connections_.erase(connection); }

  const std::shared_ptr<IoLoop> loop_;
  const Duration io_timeout_;
  const Handle handle_;
  std::vector<std::shared_ptr<Listener>> listeners_;
  std::unordered_set<std::shared_ptr<Connection>> connections_;
  bool stopped_ = false;
};

}  // namespace kvorum::server::peer
