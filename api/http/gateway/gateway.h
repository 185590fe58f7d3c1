#pragma once
// The JSON gateway: POST /v3/<path> with a request in JSON calls a method of the gRPC services, as
// routes.h says, and answers in JSON. /v3beta/ is another name of /v3/.
//
// A call goes through gRPC, over a channel to this process's own server that never meets a socket:
// interceptors, limits, errors and streams are the same as for a gRPC client, and a method is here
// as soon as it is there. Unary calls answer one object or {"code":...,"message":...}; streams a
// line {"result":{...}} a message, and {"error":{...}} if they fail.
//
// Bounds: a request's JSON, twice what its message may have; `max_held_bytes` of bodies still
// arriving, above which who sends more gets "too many requests"; `max_concurrent_streams` calls at
// once, as all of etcd's gateway calls share one connection; a stream reads its next message when
// the client has taken the last.
//
// Threads: one of its own, on which all coroutines run and JSON is read and written, so that a
// large answer holds up neither the listener nor gRPC. Follows grpc-gateway's runtime and etcd
// server/embed/serve.go (registerGateway).

#include <absl/synchronization/notification.h>
#include <grpcpp/channel.h>
#include <grpcpp/generic/generic_stub.h>

#include <memory>
#include <string>
#include <unordered_set>

#include "api/grpc/queue.h"
#include "api/grpc/task.h"
#include "api/http/gateway/call_slots.h"
#include "api/http/gateway/json_cutter.h"
#include "api/http/gateway/routes.h"
#include "api/http/router.h"

namespace kvorum::api {

class GatewayStream;

class Gateway {
 public:
  struct Options {
    uint32_t max_concurrent_streams = 0;  // 0: no limit
    size_t max_request_bytes = 0;         // of a message, as the services have it
    size_t max_held_bytes = 0;            // of all bodies that are not complete yet
  };

  // `channel` leads to the services.
  Gateway(std::shared_ptr<grpc::Channel> channel, const Options& options);

  // The router must not be used any more when this object goes.
  void Mount(HttpRouter* router);
  void Start();
  // Open streams end with "etcdserver: server stopped", and so do new calls; blocks, for at most
  // `grace`, until unary calls have ended.
  void Shutdown(Duration grace);
  // Blocks until every call is over, which takes the help of the services and of the clients'
  // connections.
  void Join();

 private:
  friend class GatewayStream;
  // A unary call, for as long as this object lives.
  class UnaryCount {
   public:
    explicit UnaryCount(Gateway* gateway) : gateway_(*gateway) { ++gateway_.unary_calls_; }
    UnaryCount(const UnaryCount&) = delete;
    ~UnaryCount() {
      --gateway_.unary_calls_;
      gateway_.NoteIfQuiet();
    }

   private:
    Gateway& gateway_;
  };

  // A call's part of held_bytes_.
  class Holding {
   public:
    explicit Holding(Gateway* gateway) : gateway_(*gateway) {}
    Holding(const Holding&) = delete;
    ~Holding() { gateway_.held_bytes_ -= bytes_; }
    // False: together the calls hold too much.
    bool Resize(size_t bytes) {
      gateway_.held_bytes_ += bytes - bytes_;
      bytes_ = bytes;
      return bytes == 0 || gateway_.held_bytes_ <= gateway_.options_.max_held_bytes;
    }

   private:
    Gateway& gateway_;
    size_t bytes_ = 0;
  };

  void Handle(std::shared_ptr<HttpExchange> exchange);
  Detached ServeUnary(std::shared_ptr<HttpExchange> exchange, const GatewayRoute* route);
  Task<HttpReply> CallUnary(HttpExchange& exchange, const GatewayRoute& route);
  // The whole body; its first value is the request, without one it is empty.
  Task<grpc::Status> ReadRequest(HttpExchange& exchange, google::protobuf::Message* request);
  // What is wrong with a value the cutter refused.
  grpc::Status CutterStatus(const JsonCutter& cutter) const;
  size_t max_value_bytes() const { return 2 * options_.max_request_bytes; }
  Detached Stop();
  void NoteIfQuiet();

  const Options options_;
  const GatewayRoutes routes_;
  CallQueue queue_;
  grpc::GenericStub stub_;

  // On the queue's thread.
  CallSlots slots_;
  bool stopping_ = false;
  int64_t unary_calls_ = 0;
  size_t held_bytes_ = 0;
  std::unordered_set<GatewayStream*> streams_;

  absl::Notification quiet_;  // stopping, and no unary call left
};

}  // namespace kvorum::api
