#include "api/grpc/cluster_service.h"

#include <algorithm>
#include <utility>

#include "api/grpc/serving.h"

namespace kvorum::api {

using server::Error;

ClusterService::ClusterService(const ServiceContext& context)
    : Service(context, "etcdserverpb.Cluster") {
  Add(UnaryMethod{"MemberList", [this](UnaryCall& call) { return MemberList(call); }});
}

namespace {

void FillMember(const server::MemberInfo& info, etcdserverpb::Member* member) {
  member->set_id(info.id.value());
  member->set_name(info.name);
  for (const std::string& url : info.peer_urls) member->add_peerurls(url);
  for (const std::string& url : info.client_urls) member->add_clienturls(url);
  member->set_islearner(info.is_learner);
}

}  // namespace

Task<Reply> ClusterService::MemberList(UnaryCall& call) {
  etcdserverpb::MemberListRequest request;
  const grpc::Status parsed = call.Parse(&request);
  if (!parsed.ok()) co_return parsed;
  if (request.linearizable()) {
    const Error error = co_await WaitLinearizable(server(), call);
    if (error != Error::kOk) co_return error;
  }
  std::vector<server::MemberInfo> members = server().Members();
  std::sort(members.begin(), members.end(),
            [](const auto& a, const auto& b) { return a.id < b.id; });
  etcdserverpb::MemberListResponse response;
  interceptors().FillHeaderWithoutRevision(response.mutable_header());
  for (const server::MemberInfo& info : members) FillMember(info, response.add_members());
  co_return response;
}

}  // namespace kvorum::api
