#pragma once
// ClientConnection: one HTTP/1.1 connection to another member, from the side that asks.
//
//   Connect, then any number of { Send.., ReadHead, ReadSome until it gives nothing }
//
// One call at a time, each after the one before is done. A failure of any is final: the connection
// is closed. Errors: DeadlineExceeded for a timeout, Cancelled after Close, else Unavailable.
//
// Threads: the loop's.

#include <functional>
#include <memory>
#include <string>

#include "base/clock.h"
#include "base/status.h"
#include "server/peer/http_message.h"
#include "server/peer/io_loop.h"
#include "server/peer/peer_url.h"

namespace kvorum::server::peer {

class ClientConnection : public Closable {
 public:
  using Done = std::function<void(Status)>;

  // `local_address`: an IP to bind to, or empty.
  static std::shared_ptr<ClientConnection> New(IoLoop* loop, const std::string& local_address);

  // Resolves, and tries the addresses until one takes it; `timeout` is for all of it.
  virtual void Connect(const PeerUrl& url, Duration timeout, Done done) = 0;
  // Writes bytes as they are; `timeout` is for each piece that the kernel takes.
  virtual void Send(std::shared_ptr<const std::string> bytes, Duration timeout, Done done) = 0;
  virtual void ReadHead(Duration timeout, Done done) = 0;
  // Of the answer whose head was read.
  virtual int status() const = 0;
  virtual const HttpHeaders& headers() const = 0;
  // The next bytes of its body; empty at its end.
  virtual void ReadSome(Duration timeout, std::function<void(StatusOr<std::string>)> done) = 0;
  // The answer was read to its end, and another request may follow.
  virtual bool reusable() const = 0;
};

}  // namespace kvorum::server::peer
