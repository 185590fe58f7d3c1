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
#include "server/peer/http_exchange.h"
#include "server/peer/io_loop.h"

namespace kvorum::server::peer {

class ServerConnection;

inline constexpr size_t kMaxConnections = 1024;

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
  class Listener;

  void Accepted(int fd);

  const std::shared_ptr<IoLoop> loop_;
  const Duration io_timeout_;
  const Handle handle_;
  std::vector<std::shared_ptr<Listener>> listeners_;
  std::unordered_set<std::shared_ptr<ServerConnection>> connections_;
  bool stopped_ = false;
};

}  // namespace kvorum::server::peer
