#pragma once
// grpc.health.v1.Health: the server as a whole (service "") serves as soon as it answers at all;
// other names are unknown. Follows etcd server/etcdserver/api/v3rpc/health.go.

#include "api/grpc/service.h"

namespace kvorum::api {

class HealthService final : public Service {
 public:
  explicit HealthService(const ServiceContext& context);

 private:
  Task<Reply> Check(UnaryCall& call);
  Task<Reply> List(UnaryCall& call);
  Task<grpc::Status> Watch(StreamCall& call);
};

}  // namespace kvorum::api
