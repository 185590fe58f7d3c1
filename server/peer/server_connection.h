#pragma once
// ServerConnection: one HTTP/1.1 connection to the peer port; reads requests one after the other
// and is the exchange of each. See http_server.h for its limits.
//
// Threads: the loop's.

#include <functional>
#include <memory>

#include "base/clock.h"
#include "server/peer/http_exchange.h"
#include "server/peer/io_loop.h"

namespace kvorum::server::peer {

// After an answer to a request that was not read to its end, so that the answer is seen before the
// reset that unread bytes cause; Go's.
inline constexpr Duration kLingerTimeout = std::chrono::milliseconds(500);

class ServerConnection : public HttpExchange, public Closable {
 public:
  struct Hooks {
    std::function<void(std::shared_ptr<HttpExchange>)> handle;  // a request
    std::function<void(std::shared_ptr<ServerConnection>)> closed;
  };
  // Takes over a connected, non-blocking socket. Null, and it is closed, if it cannot be used.
  static std::shared_ptr<ServerConnection> New(std::shared_ptr<IoLoop> loop, int fd,
                                               Duration io_timeout, Hooks hooks);
  virtual void Start() = 0;
};

}  // namespace kvorum::server::peer
