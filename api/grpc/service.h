#pragma once
// A gRPC service as a table from method name to handler, and what surrounds every handler.
//
// Methods are registered raw: requests and answers are bytes, decoded and encoded by the handlers,
// so that a put is decoded straight into its log entry and a list is spliced together undecoded. No
// generated service class is needed; a method that is in no table falls to the catch-all.
//
// Around a unary handler: accept, accept the next, interceptors, handler, Finish. Around a stream
// handler the same on its queue, with the stream in the queue's StreamRegistry meanwhile.

#include <grpcpp/impl/service_type.h>

#include <deque>
#include <functional>
#include <string>
#include <vector>

#include "api/grpc/call.h"
#include "api/grpc/call_metrics.h"
#include "api/grpc/interceptors.h"
#include "api/grpc/response_budget.h"
#include "api/grpc/stream_registry.h"
#include "server/server.h"

namespace kvorum::api {

// What all services share. Everything pointed to outlives them.
struct ServiceContext {
  server::Server* server = nullptr;
  Interceptors* interceptors = nullptr;
  CallQueue* calls = nullptr;    // unary methods, and streams that are as short
  CallQueue* streams = nullptr;  // all others: a thread of their own
  // The queue of `calls`, where every new call is announced.
  grpc::ServerCompletionQueue* announcements = nullptr;
  StreamRegistry* registry = nullptr;        // of the streams on `streams`
  StreamRegistry* short_registry = nullptr;  // of those on `calls`
  ResponseBudget* responses = nullptr;       // of lists
  // One message of a client, at most (etcd: max-request-bytes and half a MiB on top).
  size_t max_request_bytes = 0;
};

struct UnaryMethod {
  std::string name;  // without the service's
  std::function<Task<Reply>(UnaryCall&)> handle;
  OnLearner on_learner = OnLearner::kRefused;
  bool hot = false;            // called all the time: more requests are kept posted
  bool may_wait_long = false;  // has a UnaryCall::client
};

struct StreamMethod {
  std::string name;
  // Returns what the stream ends with.
  std::function<Task<grpc::Status>(StreamCall&)> handle;
  OnLearner on_learner = OnLearner::kRefused;
  // Clients open one for a single request, and none is sent more than it asks for: it is served
  // like a unary call. Each change of thread would cost more than the rest of it.
  bool is_short = false;
};

class Service : public grpc::Service {
 public:
  // `full_name` as in the proto file: "etcdserverpb.KV".
  Service(const ServiceContext& context, std::string full_name);

  // To be registered with the builder before, and called once after, the gRPC server has started.
  void StartAccepting();

 protected:
  // In the constructor of the derived class.
  void Add(UnaryMethod method);
  void Add(StreamMethod method);

  server::Server& server() const { return *context_.server; }
  Interceptors& interceptors() const { return *context_.interceptors; }
  size_t max_request_bytes() const { return context_.max_request_bytes; }

 private:
  const char* FullName(const std::string& method);
  Detached AcceptUnary(size_t method);
  Detached AcceptStream(size_t method);
  Task<Reply> Serve(size_t method, UnaryCall& call);
  void LogIfSlow(size_t method, const UnaryCall& call, const Reply& reply, Duration spent) const;

  const ServiceContext context_;
  const std::string full_name_;
  std::deque<std::string> names_;  // gRPC keeps pointers into it
  // Index in the base class's list, where unary methods and streams are mixed.
  std::vector<UnaryMethod> unary_;
  std::vector<StreamMethod> streams_;
  std::vector<MethodMetrics> unary_metrics_;
  std::vector<MethodMetrics> stream_metrics_;
  std::vector<int> unary_index_;
  std::vector<int> stream_index_;
  int next_index_ = 0;
};

}  // namespace kvorum::api
