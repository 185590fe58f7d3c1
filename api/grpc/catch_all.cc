#include "api/grpc/catch_all.h"

#include <google/protobuf/descriptor.h>

#include <string>

#include "proto/election.pb.h"
#include "proto/health.pb.h"
#include "proto/lock.pb.h"
#include "proto/rpc.pb.h"

namespace kvorum::api {
namespace {

grpc::Status Unimplemented(std::string text) {
  return grpc::Status(grpc::StatusCode::UNIMPLEMENTED, std::move(text));
}

// A static library's object files are linked only if something refers to them.
void LinkDescriptors() {
  grpc::health::v1::HealthCheckRequest::descriptor();
  etcdserverpb::PutRequest::descriptor();
  v3lockpb::LockRequest::descriptor();
  v3electionpb::LeaderRequest::descriptor();
}

}  // namespace

grpc::Status UnservedMethod(std::string_view method) {
  const std::string_view path = method.substr(method.starts_with('/') ? 1 : 0);
  const size_t slash = path.rfind('/');
  if (slash == std::string_view::npos) {
    return Unimplemented("malformed method name: \"" + std::string(method) + "\"");
  }
  const std::string service(path.substr(0, slash));
  const std::string name(path.substr(slash + 1));
  const auto* descriptor =
      google::protobuf::DescriptorPool::generated_pool()->FindServiceByName(service);
  if (descriptor == nullptr) return Unimplemented("unknown service " + service);
  if (descriptor->FindMethodByName(name) == nullptr) {
    return Unimplemented("unknown method " + name + " for service " + service);
  }
  return Unimplemented("etcdserver: " + service + "/" + name +
                       " is not implemented by this server yet");
}

CatchAll::CatchAll(CallQueue* queue, grpc::ServerCompletionQueue* announcements)
    : queue_(queue), announcements_(announcements) {
  LinkDescriptors();
}

void CatchAll::StartAccepting() {
  Accept();
  Accept();
}

Detached CatchAll::Accept() {
  const CallQueue::Hold hold(queue_);
  grpc::GenericServerContext context;
  grpc::GenericServerAsyncReaderWriter stream(&context);
  grpc::ServerCompletionQueue* const queue = announcements_;
  const bool received = co_await Operation(
      [&](void* tag) { service_.RequestCall(&context, &stream, queue, queue, tag); });
  if (!received) co_return;
  Accept();
  const grpc::Status status = UnservedMethod(context.method());
  co_await Operation([&](void* tag) { stream.Finish(status, tag); });
}

}  // namespace kvorum::api
