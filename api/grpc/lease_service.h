#pragma once
// etcdserverpb.Lease. Follows etcd server/etcdserver/api/v3rpc/lease.go and the lease part of
// server/etcdserver/v3_server.go.

#include "api/grpc/service.h"

namespace kvorum::api {

class LeaseService final : public Service {
 public:
  explicit LeaseService(const ServiceContext& context);

 private:
  Task<Reply> Grant(UnaryCall& call);
  Task<Reply> Revoke(UnaryCall& call);
  Task<Reply> TimeToLive(UnaryCall& call);
  Task<Reply> Leases(UnaryCall& call);
  Task<grpc::Status> KeepAlive(StreamCall& call);
};

}  // namespace kvorum::api
