#include "api/grpc/maintenance_service.h"

#include <utility>

#include "api/grpc/serving.h"
#include "api/grpc/snapshot_sender.h"

namespace kvorum::api {

using server::Error;

MaintenanceService::MaintenanceService(const ServiceContext& context,
                                       std::function<void(bool)> set_serving)
    : Service(context, "etcdserverpb.Maintenance"), set_serving_(std::move(set_serving)) {
  Add(UnaryMethod{"Alarm", [this](UnaryCall& call) { return Alarm(call); }});
  Add(UnaryMethod{"Status", [this](UnaryCall& call) { return Status(call); }, OnLearner::kServed});
  Add(UnaryMethod{"HashKV", [this](UnaryCall& call) { return HashKv(call); }});
  Add(UnaryMethod{"Hash", [this](UnaryCall& call) { return Hash(call); }});
  Add(UnaryMethod{.name = "Defragment",
                  .handle = [this](UnaryCall& call) { return Defragment(call); },
                  .may_wait_long = true});
  Add(UnaryMethod{.name = "MoveLeader",
                  .handle = [this](UnaryCall& call) { return MoveLeader(call); },
                  .may_wait_long = true});
  Add(StreamMethod{.name = "Snapshot",
                   .handle = [this](StreamCall& call) { return Snapshot(call); },
                   .on_learner = OnLearner::kServed});
}

// Every action goes through the log, also GET. An action without a name would be applied as nothing
// and an alarm without one would stay, for nobody to look at: they are refused here. What such an
// alarm's number says to a newer member is no reason not to list or disarm it.
Task<Reply> MaintenanceService::Alarm(UnaryCall& call) {
  auto request = std::make_unique<etcdserverpb::InternalRaftRequest>();
  const grpc::Status parsed = call.Parse(request->mutable_alarm());
  if (!parsed.ok()) co_return parsed;
  if (!etcdserverpb::AlarmRequest::AlarmAction_IsValid(request->alarm().action())) {
    co_return grpc::Status(grpc::StatusCode::INVALID_ARGUMENT, "etcdserver: unknown alarm action");
  }
  if (request->alarm().action() == etcdserverpb::AlarmRequest::ACTIVATE &&
      !etcdserverpb::AlarmType_IsValid(request->alarm().alarm())) {
    co_return grpc::Status(grpc::StatusCode::INVALID_ARGUMENT, "etcdserver: unknown alarm type");
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

// Of the whole store, row by row.
Task<Reply> MaintenanceService::Hash(UnaryCall& /*call*/) {
  const Error entered = co_await EnterReadPool(server());
  if (entered != Error::kOk) co_return entered;
  etcdserverpb::HashResponse response;
  const Error error = server().Hash(&response);
  if (error != Error::kOk) co_return error;
  interceptors().FillHeader(response.mutable_header());
  co_return response;
}

// Answers without a header are this one's, MoveLeader's, and a few of those not served yet.
Task<Reply> MaintenanceService::Defragment(UnaryCall& call) {
  DefragmentStarted();
  const Error error = co_await WaitDefragmented(call);
  DefragmentEnded();
  if (error != Error::kOk) co_return error;
  co_return etcdserverpb::DefragmentResponse();
}

// A client that goes away leaves the rewrite to itself.
Task<Error> MaintenanceService::WaitDefragmented(UnaryCall& call) {
  const auto start = [this](server::Waiter* waiter) { server().Defragment(waiter); };
  const auto abandon = [this](server::Waiter* waiter) {
    return server().AbandonDefragment(waiter);
  };
  co_return co_await WaitWithClient(call, start, abandon);
}

// A client that goes away leaves the transfer to itself, too.
Task<Reply> MaintenanceService::MoveLeader(UnaryCall& call) {
  etcdserverpb::MoveLeaderRequest request;
  const grpc::Status parsed = call.Parse(&request);
  if (!parsed.ok()) co_return parsed;
  const auto start = [&](server::Waiter* waiter) {
    server().MoveLeader(MemberId(request.targetid()), call.deadline(), waiter);
  };
  const auto abandon = [this](server::Waiter* waiter) {
    return server().AbandonMoveLeader(waiter);
  };
  const Error error = co_await WaitWithClient(call, start, abandon);
  if (error != Error::kOk) co_return error;
  co_return etcdserverpb::MoveLeaderResponse();
}

// All streams are on one polling thread, and so is the count.
Task<grpc::Status> MaintenanceService::Snapshot(StreamCall& call) {
  grpc::ByteBuffer bytes;
  const bool received = co_await call.Read(&bytes);
  if (!received) co_return ToStatus(Error::kContextCanceled);
  etcdserverpb::SnapshotRequest request;
  const grpc::Status parsed = call.Parse(bytes, &request);
  if (!parsed.ok()) co_return parsed;
  if (snapshots_ == kMaxSnapshots) co_return ToStatus(Error::kTooManyRequests);
  ++snapshots_;
  SnapshotSender sender(&server(), &call);
  const grpc::Status status = co_await sender.Run();
  --snapshots_;
  co_return status;
}

void MaintenanceService::DefragmentStarted() {
  if (!server().config().stop_grpc_service_on_defrag) return;
  if (++defragmenting_ == 1) set_serving_(false);
}

void MaintenanceService::DefragmentEnded() {
  if (!server().config().stop_grpc_service_on_defrag) return;
  if (--defragmenting_ == 0) set_serving_(true);
}

}  // namespace kvorum::api
