#pragma once
// One request on the peer port, and its answer, as those who answer see them.
//
// Threads: the accept loop.

#include <functional>
#include <string>

#include "base/status.h"
#include "server/peer/http_message.h"

namespace kvorum::server::peer {

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
  // Whole chunks. One call at a time; `done` when the kernel has taken all of it.
  virtual void Write(std::string chunks, std::function<void(Status)> done) = 0;
  // In order, if no Write is under way.
  virtual void EndStream() = 0;
};

}  // namespace kvorum::server::peer
