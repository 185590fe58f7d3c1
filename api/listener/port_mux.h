#pragma once
// The client port: accepts connections, decides by their first bytes who speaks, and hands them on.
//
// "PRI" begins HTTP/2's preface and no HTTP/1 request: such a connection is gRPC's, with what was
// read of it. Any other is HTTP's, except a TLS hello, which has no business on a plain port and is
// closed. A connection that does not send enough to tell within kSniffTimeout is closed.
//
// Sockets are non-blocking, with TCP_NODELAY (without it gRPC's answers wait for the client's
// delayed acknowledgement) and TCP keepalive. Accepting pauses when file descriptors run out,
// leaving some for files and peers. Threads: Open and Start before, all else on the one thread that
// runs the io_context.

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/status.h"

namespace boost::asio {
class io_context;
}

namespace kvorum::api {

inline constexpr Duration kSniffTimeout = std::chrono::seconds(10);
// Descriptors of the process's limit that connections may not take (etcd: the same).
inline constexpr int kReservedDescriptors = 150;

class PortMux {
 public:
  // Takes over `fd` (non-blocking) and the bytes already read from it.
  using Sink = std::function<void(int fd, std::string read)>;
  struct Sinks {
    Sink grpc;
    Sink http;
  };

  explicit PortMux(boost::asio::io_context* io, Duration sniff_timeout = kSniffTimeout);
  ~PortMux();

  // What one address serves; a connection that speaks another protocol is closed.
  struct ListenOptions {
    bool grpc = true;
    bool http = true;
    bool reuse_port = false;
  };
  // Binds and listens on "http://host:port" or "unix://path"; nothing is accepted yet.
  Status Open(const std::string& url, const ListenOptions& options);
  Status Open(const std::string& url) { return Open(url, ListenOptions()); }
  std::vector<std::string> addresses() const;
  void Start(Sinks sinks);
  // Closes listeners and the connections not yet handed on; on the io thread. No sink is called
  // after.
  void Stop();

 private:
  class Listener;
  class Sniffer;
  struct State;

  std::shared_ptr<State> state_;
};

enum class Protocol { kUnknown, kGrpc, kHttp, kTls };
// What the first bytes of a connection say; kUnknown: more are needed.
Protocol Sniff(std::string_view first_bytes);

}  // namespace kvorum::api
