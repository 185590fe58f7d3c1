#pragma once
// HttpClient: requests with an answer that fits into memory, over connections that are kept for
// the next one.
//
// An idle connection is closed after kIdleConnection, before the other side does it. If a kept one
// turns out to be closed before any of the answer came, the request is sent once more on a new one:
// that it stood idle is no failure. So requests may arrive twice.
//
// Threads: the loop's.

#include <cstddef>
#include <functional>
#include <list>
#include <map>
#include <memory>
#include <string>

#include "base/clock.h"
#include "base/status.h"
#include "server/peer/client_connection.h"
#include "server/peer/http_message.h"
#include "server/peer/io_loop.h"
#include "server/peer/peer_url.h"

namespace kvorum::server::peer {

// etcd closes what is silent for 5 s.
inline constexpr Duration kIdleConnection = std::chrono::seconds(4);
inline constexpr size_t kMaxIdleConnections = 64;

class HttpClient {
 public:
  struct Options {
    Duration dial_timeout;
    Duration io_timeout;  // of writing, and between pieces of an answer's body
    std::string local_address;
  };
  struct Call {
    std::shared_ptr<const std::string> request;  // head and body
    Duration answer_timeout;                     // until the answer's head is there
    size_t max_body_bytes = 0;                   // of the answer; more is a failure
  };
  using Done = std::function<void(StatusOr<HttpReply>)>;

  HttpClient(std::shared_ptr<IoLoop> loop, Options options);
  ~HttpClient();

  // `done` runs once, with Cancelled after Close() of what is returned.
  std::weak_ptr<Closable> Send(const PeerUrl& url, Call call, Done done);

 private:
  class Exchange;
  struct Idle {
    std::shared_ptr<ClientConnection> connection;
    TimePoint since;
  };
  struct State;

  const std::shared_ptr<State> state_;
};

}  // namespace kvorum::server::peer
