#pragma once
// Answers every method that no service registered: Unimplemented, in grpc-go's words for a service
// or a method that does not exist, and saying so plainly for one that exists in etcd's API and is
// not served here yet. That is the whole of what this server knows about such methods.

#include <grpcpp/generic/async_generic_service.h>
#include <grpcpp/support/status.h>

#include <string_view>

#include "api/grpc/queue.h"
#include "api/grpc/task.h"

namespace kvorum::api {

// `method` as on the wire: "/etcdserverpb.KV/Foo".
grpc::Status UnservedMethod(std::string_view method);

class CatchAll {
 public:
  // `queue` wraps `announcements`; both must outlive this.
  CatchAll(CallQueue* queue, grpc::ServerCompletionQueue* announcements);
  grpc::AsyncGenericService* service() { return &service_; }
  // Once the gRPC server runs.
  void StartAccepting();

 private:
  Detached Accept();

  CallQueue* const queue_;
  grpc::ServerCompletionQueue* const announcements_;
  grpc::AsyncGenericService service_;
};

}  // namespace kvorum::api
