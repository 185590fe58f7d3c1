#pragma once
// etcdserverpb.Cluster: MemberList. Changes of the membership are not served yet and fall to the
// catch-all. Follows etcd server/etcdserver/api/v3rpc/member.go.

#include "api/grpc/service.h"

namespace kvorum::api {

class ClusterService final : public Service {
 public:
  explicit ClusterService(const ServiceContext& context);

 private:
  Task<Reply> MemberList(UnaryCall& call);
};

}  // namespace kvorum::api
