#pragma once
// etcdserverpb.Maintenance: Alarm, Status, HashKV. Hash, Defragment, Snapshot, MoveLeader and
// Downgrade are not served yet and fall to the catch-all. Follows etcd
// server/etcdserver/api/v3rpc/maintenance.go.

#include "api/grpc/service.h"

namespace kvorum::api {

class MaintenanceService final : public Service {
 public:
  explicit MaintenanceService(const ServiceContext& context);

 private:
  Task<Reply> Alarm(UnaryCall& call);
  Task<Reply> Status(UnaryCall& call);
  Task<Reply> HashKv(UnaryCall& call);
};

}  // namespace kvorum::api
