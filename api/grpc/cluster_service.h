#pragma once
// etcdserverpb.Cluster. Follows etcd server/etcdserver/api/v3rpc/member.go.

#include "api/grpc/service.h"

namespace kvorum::api {

class ClusterService final : public Service {
 public:
  explicit ClusterService(const ServiceContext& context);

 private:
  Task<Reply> MemberList(UnaryCall& call);
  Task<Reply> MemberAdd(UnaryCall& call);
  Task<Reply> MemberRemove(UnaryCall& call);
  Task<Reply> MemberUpdate(UnaryCall& call);
  Task<Reply> MemberPromote(UnaryCall& call);
  // The members after the change, in all of these answers alike.
  template <typename Response>
  Task<Reply> Change(UnaryCall& call, const server::MemberChange& change);
  template <typename Response>
  void ListMembers(Response* response);
};

}  // namespace kvorum::api
