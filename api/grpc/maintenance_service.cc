#include "api/grpc/maintenance_service.h"

#include <utility>

#include "api/grpc/serving.h"

namespace kvorum::api {

using server::Error;

MaintenanceService::MaintenanceService(const ServiceContext& context)
    : Service(context, "etcdserverpb.Maintenance") {
  Add(UnaryMethod{"Alarm", [this](UnaryCall& call) { return Alarm(call); }});
  Add(UnaryMethod{"Status", [this](UnaryCall& call) { return Status(call); }, OnLearner::kServed});
  Add(UnaryMethod{"HashKV", [this](UnaryCall& call) { return HashKv(call); }});
}

// Every action goes through the log, also GET. An action without a name would be applied as
// nothing: it is refused here.
Task<Reply> MaintenanceService::Alarm(UnaryCall& call) {
  auto request = std::make_unique<etcdserverpb::InternalRaftRequest>();
  const grpc::Status parsed = call.Parse(request->mutable_alarm());
  if (!parsed.ok()) co_return parsed;
  if (!etcdserverpb::AlarmRequest::AlarmAction_IsValid(request->alarm().action())) {
    co_return grpc::Status(grpc::StatusCode::INVALID_ARGUMENT, "etcdserver: unknown alarm action");
  }
  co_return co_await Propose(server(), interceptors(), call, std::move(request));
}

// What this member knows, without asking anybody.
Task<Reply> MaintenanceService::Status(UnaryCall& call) {
  etcdserverpb::StatusRequest request;
  const grpc::Status parsed = call.Parse(&request);
  if (!parsed.ok()) co_return parsed;
  const server::ServerStatus status = server().status();
  etcdserverpb::StatusResponse response;
  interceptors().FillHeader(response.mutable_header());
  response.set_version(server::kServerVersion);
  response.set_dbsize(status.db_size_bytes);
  response.set_leader(status.leader.value());
  response.set_raftindex(status.raft_index.value());
  response.set_raftterm(response.header().raft_term());
  response.set_raftappliedindex(status.raft_applied_index.value());
  response.set_dbsizeinuse(status.db_size_in_use_bytes);
  response.set_islearner(status.is_learner);
  response.set_storageversion(status.storage_version);
  response.set_dbsizequota(status.db_size_quota_bytes);
  response.mutable_downgradeinfo();
  for (const std::string& error : status.errors) response.add_errors(error);
  co_return response;
}

// Reads every row up to the revision: always on the read pool.
Task<Reply> MaintenanceService::HashKv(UnaryCall& call) {
  etcdserverpb::HashKVRequest request;
  const grpc::Status parsed = call.Parse(&request);
  if (!parsed.ok()) co_return parsed;
  const Error entered = co_await EnterReadPool(server());
  if (entered != Error::kOk) co_return entered;
  etcdserverpb::HashKVResponse response;
  const Error error = server().HashKv(Revision(request.revision()), &response);
  if (error != Error::kOk) co_return error;
  interceptors().FillHeader(response.mutable_header());
  co_return response;
}

}  // namespace kvorum::api
