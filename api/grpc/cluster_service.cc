#include "api/grpc/cluster_service.h"

#include <algorithm>

#include "api/grpc/serving.h"
#include "base/clock.h"
#include "server/flags/urls.h"

namespace kvorum::api {

using server::Error;

ClusterService::ClusterService(const ServiceContext& context)
    : Service(context, "etcdserverpb.Cluster") {
  Add(UnaryMethod{"MemberList", [this](UnaryCall& call) { return MemberList(call); }});
  Add(UnaryMethod{"MemberAdd", [this](UnaryCall& call) { return MemberAdd(call); }});
  Add(UnaryMethod{"MemberRemove", [this](UnaryCall& call) { return MemberRemove(call); }});
  Add(UnaryMethod{"MemberUpdate", [this](UnaryCall& call) { return MemberUpdate(call); }});
  Add(UnaryMethod{"MemberPromote", [this](UnaryCall& call) { return MemberPromote(call); }});
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
    const Error error = co_await WaitLinearizable(server(), call.queue(), call.deadline());
    if (error != Error::kOk) co_return error;
  }
  etcdserverpb::MemberListResponse response;
  ListMembers(&response);
  co_return response;
}

template <typename Response>
void ClusterService::ListMembers(Response* response) {
  std::vector<server::MemberInfo> members = server().Members();
  std::sort(members.begin(), members.end(),
            [](const auto& a, const auto& b) { return a.id < b.id; });
  interceptors().FillHeaderWithoutRevision(response->mutable_header());
  for (const server::MemberInfo& info : members) FillMember(info, response->add_members());
}

template <typename Response>
Task<Reply> ClusterService::Change(UnaryCall& call, const server::MemberChange& change) {
  WaitFor<server::ProposalWaiter> wait(call.queue());
  const TimePoint deadline = call.deadline();
  co_await wait.Until([&] { server().ChangeMember(change, deadline, &wait); });
  if (wait.error != Error::kOk) co_return wait.error;
  Response response;
  ListMembers(&response);
  co_return response;
}

Task<Reply> ClusterService::MemberAdd(UnaryCall& call) {
  etcdserverpb::MemberAddRequest request;
  const grpc::Status parsed = call.Parse(&request);
  if (!parsed.ok()) co_return parsed;
  const auto urls =
      server::flags::ParseUrlList({request.peerurls().begin(), request.peerurls().end()});
  if (!urls.ok()) co_return Error::kMemberBadUrls;
  server::MemberChange change;
  change.kind = request.islearner() ? server::MemberChange::Kind::kAddLearner
                                    : server::MemberChange::Kind::kAdd;
  change.peer_urls = server::flags::Texts(*urls);
  change.id = server::ComputeMemberId(change.peer_urls, "", SystemClock().WallNow());
  WaitFor<server::ProposalWaiter> wait(call.queue());
  const TimePoint deadline = call.deadline();
  co_await wait.Until([&] { server().ChangeMember(change, deadline, &wait); });
  if (wait.error != Error::kOk) co_return wait.error;
  etcdserverpb::MemberAddResponse response;
  ListMembers(&response);
  const server::MemberInfo added{
      .id = change.id, .peer_urls = change.peer_urls, .is_learner = request.islearner()};
  FillMember(added, response.mutable_member());
  co_return response;
}

Task<Reply> ClusterService::MemberRemove(UnaryCall& call) {
  etcdserverpb::MemberRemoveRequest request;
  const grpc::Status parsed = call.Parse(&request);
  if (!parsed.ok()) co_return parsed;
  server::MemberChange change;
  change.kind = server::MemberChange::Kind::kRemove;
  change.id = MemberId(request.id());
  co_return co_await Change<etcdserverpb::MemberRemoveResponse>(call, change);
}

Task<Reply> ClusterService::MemberUpdate(UnaryCall& call) {
  etcdserverpb::MemberUpdateRequest request;
  const grpc::Status parsed = call.Parse(&request);
  if (!parsed.ok()) co_return parsed;
  server::MemberChange change;
  change.kind = server::MemberChange::Kind::kUpdate;
  change.id = MemberId(request.id());
  change.peer_urls.assign(request.peerurls().begin(), request.peerurls().end());
  co_return co_await Change<etcdserverpb::MemberUpdateResponse>(call, change);
}

Task<Reply> ClusterService::MemberPromote(UnaryCall& call) {
  etcdserverpb::MemberPromoteRequest request;
  const grpc::Status parsed = call.Parse(&request);
  if (!parsed.ok()) co_return parsed;
  server::MemberChange change;
  change.kind = server::MemberChange::Kind::kPromote;
  change.id = MemberId(request.id());
  co_return co_await Change<etcdserverpb::MemberPromoteResponse>(call, change);
}

}  // namespace kvorum::api
