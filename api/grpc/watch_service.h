#pragma once
// etcdserverpb.Watch: one stream, any number of watches. A reader hands the client's requests to
// the watch stage, a writer sends what the stage answers (watch_queue.h); the stage keeps their
// order.
//
// A client that closes its side keeps its watches until it goes away. Follows etcd
// server/etcdserver/api/v3rpc/watch.go.

#include "api/grpc/service.h"

namespace kvorum::api {

class WatchService final : public Service {
 public:
  explicit WatchService(const ServiceContext& context);

 private:
  Task<grpc::Status> Watch(StreamCall& call);
};

}  // namespace kvorum::api
