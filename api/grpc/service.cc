#include "api/grpc/service.h"

#include <grpcpp/impl/rpc_service_method.h>

#include <utility>

#include "api/grpc/request_stats.h"

namespace kvorum::api {
namespace {

// Calls nobody waits for yet queue inside gRPC, so these only save it work.
constexpr int kPostedHot = 32;
constexpr int kPostedRare = 2;

}  // namespace

Service::Service(const ServiceContext& context, std::string full_name)
    : context_(context), full_name_(std::move(full_name)) {}

const char* Service::FullName(const std::string& method) {
  return names_.emplace_back("/" + full_name_ + "/" + method).c_str();
}

void Service::Add(UnaryMethod method) {
  AddMethod(new grpc::internal::RpcServiceMethod(FullName(method.name),
                                                 grpc::internal::RpcMethod::NORMAL_RPC, nullptr));
  MarkMethodRaw(next_index_);
  unary_metrics_.emplace_back(full_name_, method.name);
  unary_.push_back(std::move(method));
  unary_index_.push_back(next_index_++);
}

void Service::Add(StreamMethod method) {
  AddMethod(new grpc::internal::RpcServiceMethod(
      FullName(method.name), grpc::internal::RpcMethod::BIDI_STREAMING, nullptr));
  MarkMethodRaw(next_index_);
  stream_metrics_.emplace_back(full_name_, method.name);
  streams_.push_back(std::move(method));
  stream_index_.push_back(next_index_++);
}

void Service::StartAccepting() {
  for (size_t method = 0; method < unary_.size(); ++method) {
    const int posted = unary_[method].hot ? kPostedHot : kPostedRare;
    for (int i = 0; i < posted; ++i) AcceptUnary(method);
  }
  for (size_t method = 0; method < streams_.size(); ++method) {
    const int posted = streams_[method].is_short ? kPostedHot : kPostedRare;
    for (int i = 0; i < posted; ++i) AcceptStream(method);
  }
}

Detached Service::AcceptUnary(size_t method) {
  const CallQueue::Hold hold(context_.calls);
  UnaryCall call(context_.calls, context_.max_request_bytes);
  if (unary_[method].may_wait_long) call.WatchClient();
  grpc::ServerCompletionQueue* const queue = context_.announcements;
  const bool received = co_await Operation([&](void* tag) {
    RequestAsyncUnary(unary_index_[method], &call.context, &call.request, &call.writer, queue,
                      queue, tag);
  });
  if (!received) co_return;  // shutting down
  AcceptUnary(method);
  if (call.client) call.client->WatchDeadline(context_.calls, call.context.raw_deadline());

  const TimePoint begin = SystemClock().Now();
  Reply reply = co_await Serve(method, call);
  LogIfSlow(method, call, reply, SystemClock().Now() - begin);
  const Outgoing answer(&reply.bytes);
  co_await Operation([&](void* tag) {
    if (reply.status.ok()) {
      call.writer.Finish(answer, reply.status, tag);
    } else {
      call.writer.FinishWithError(reply.status, tag);
    }
  });
  if (call.client) co_await call.client->End();
}

// What the interceptors refuse is not counted as a call of the method, as in etcd.
Task<Reply> Service::Serve(size_t method, UnaryCall& call) {
  const UnaryMethod& served = unary_[method];
  const server::Error refused =
      context_.interceptors->Check(call.context, CallKind::kUnary, served.on_learner);
  if (refused != server::Error::kOk) co_return refused;
  const MethodMetrics& counts = unary_metrics_[method];
  const TimePoint began = counts.Begin();
  counts.OnReceived(SizeOf(call.request));
  Reply reply = co_await served.handle(call);
  counts.OnSent(reply.status.ok() ? SizeOf(reply.bytes) : 0);
  counts.OnHandled(reply.status.error_code(), began);
  co_return reply;
}

void Service::LogIfSlow(size_t method, const UnaryCall& call, const Reply& reply,
                        Duration spent) const {
  if (!WantsCallStats(spent, server().config().warning_unary_request_duration)) return;
  const std::string peer = call.context.peer();
  LogCallStats({.method = names_[unary_index_[method]],
                .peer = peer,
                .started = SystemClock().WallNow() - spent,
                .spent = spent,
                .request = &call.request,
                .response = &reply.bytes});
}

Detached Service::AcceptStream(size_t method) {
  const StreamMethod& served = streams_[method];
  CallQueue* const own = served.is_short ? context_.calls : context_.streams;
  const CallQueue::Hold hold(own);
  const CallQueue::Hold hold_announcements(context_.calls);
  StreamCall call(own, context_.max_request_bytes);
  grpc::CompletionQueue* const queue = own->grpc_queue();
  const bool received = co_await Operation([&](void* tag) {
    RequestAsyncBidiStreaming(stream_index_[method], &call.context, &call.stream, queue,
                              context_.announcements, tag);
  });
  if (!received) co_return;
  AcceptStream(method);
  if (own != context_.calls) co_await own->Switch();
  call.StopAtDeadline();

  const server::Error refused =
      context_.interceptors->Check(call.context, CallKind::kStream, served.on_learner);
  grpc::Status status = ToStatus(refused);
  TimePoint began;
  if (status.ok()) {
    call.requires_leader = RequiresLeader(call.context);
    StreamRegistry* const registry = served.is_short ? context_.short_registry : context_.registry;
    const StreamRegistry::Entry entry(registry, &call);
    call.counts = &stream_metrics_[method];
    began = call.counts->Begin();
    status = co_await served.handle(call);
  }
  co_await call.End(status);
  if (call.counts != nullptr) call.counts->OnHandled(call.Outcome(status), began);
}

}  // namespace kvorum::api
