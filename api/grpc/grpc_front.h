#pragma once
// The gRPC half of the front end: the server object, its settings, its queues and services.
//
// It listens on nothing itself: the port's sniffer brings connections. Shutdown ends streams, sends
// GOAWAY and waits for running calls; Join may be called when no call can be waiting for the member
// any more.

#include <grpcpp/channel.h>

#include <memory>
#include <string>

#include "api/api.h"

namespace kvorum::api {

// Room a message has above the largest request (etcd: grpcOverheadBytes).
inline constexpr size_t kGrpcOverheadBytes = 512 << 10;

class GrpcFront {
 public:
  static StatusOr<std::unique_ptr<GrpcFront>> Start(const FrontEndOptions& options,
                                                    server::Server* server);
  virtual ~GrpcFront() = default;

  // Takes over a connection that has begun to speak HTTP/2, with what was read of it. Not after
  // Shutdown. Any thread.
  virtual void Serve(int fd, const std::string& read) = 0;
  // A way to the services inside this process, without a socket; it breaks at Shutdown.
  virtual std::shared_ptr<grpc::Channel> NewChannel() = 0;
  // One message of a client, at most.
  virtual size_t max_request_bytes() const = 0;
  virtual void Shutdown(Duration grace) = 0;
  virtual void Join() = 0;
};

}  // namespace kvorum::api
