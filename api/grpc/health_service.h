#pragma once
// grpc.health.v1.Health: the server as a whole (service ""), which serves from its first answer on,
// but for defragmentations if the feature gate StopGRPCServiceOnDefrag says so. Other names are
// unknown. Follows etcd server/etcdserver/api/v3rpc/health.go and grpc-go's health/server.go.

#include <unordered_set>

#include "api/grpc/service.h"
#include "proto/health.pb.h"

namespace kvorum::api {

class HealthService final : public Service {
 public:
  using Status = grpc::health::v1::HealthCheckResponse::ServingStatus;

  explicit HealthService(const ServiceContext& context);

  // Tells every open Watch, if it is a change. Any thread.
  void SetServing(bool serving);

 private:
  class Watcher;

  Task<Reply> Check(UnaryCall& call);
  Task<Reply> List(UnaryCall& call);
  Task<grpc::Status> Watch(StreamCall& call);
  Detached TellWatchers();
  grpc::health::v1::HealthCheckResponse Response() const;

  CallQueue* const streams_;
  std::atomic<bool> serving_{true};
  std::unordered_set<Watcher*> watchers_;  // of the streams' polling thread
};

}  // namespace kvorum::api
