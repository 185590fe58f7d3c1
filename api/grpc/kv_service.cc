#include "api/grpc/kv_service.h"

#include <optional>
#include <utility>

#include "api/grpc/serving.h"
#include "api/validate.h"

namespace kvorum::api {

using server::Error;

KvService::KvService(const ServiceContext& context)
    : Service(context, "etcdserverpb.KV"),
      ranges_(context.server, context.interceptors, context.responses) {
  Add(UnaryMethod{"Range", [this](UnaryCall& call) { return Range(call); },
                  OnLearner::kHandlerDecides, true});
  Add(UnaryMethod{"Put", [this](UnaryCall& call) { return Put(call); }, OnLearner::kRefused, true});
  Add(UnaryMethod{"DeleteRange", [this](UnaryCall& call) { return DeleteRange(call); },
                  OnLearner::kRefused, true});
  Add(UnaryMethod{"Txn", [this](UnaryCall& call) { return Txn(call); }, OnLearner::kRefused, true});
  Add(UnaryMethod{.name = "Compact",
                  .handle = [this](UnaryCall& call) { return Compact(call); },
                  .may_wait_long = true});
  Add(StreamMethod{"RangeStream", [this](StreamCall& call) { return RangeStream(call); }});
}

ReadTime KvService::TimeOf(const server::RequestMeter& meter) {
  return {.took = meter.elapsed(), .limit = server().config().warning_apply_duration};
}

Task<Reply> KvService::Range(UnaryCall& call) {
  etcdserverpb::RangeRequest request;
  const grpc::Status parsed = call.Parse(&request);
  if (!parsed.ok()) co_return parsed;
  if (!request.serializable() && server().is_learner()) co_return Error::kNotSupportedForLearner;
  if (const Error error = CheckRange(request); error != Error::kOk) co_return error;

  server::RequestMeter meter(server::Operation::kRange);
  Error error = Error::kOk;
  if (!request.serializable()) {
    error = co_await WaitLinearizable(server(), call.queue(), call.deadline());
  }
  Reply reply = error;
  if (error == Error::kOk) reply = co_await ranges_.Range(call, request);
  if (reply.status.ok()) meter.Succeeded();
  WarnIfSlowRange(request, reply, interceptors(), TimeOf(meter));
  co_return reply;
}

Task<grpc::Status> KvService::RangeStream(StreamCall& call) {
  grpc::ByteBuffer bytes;
  const bool received = co_await call.Read(&bytes);
  if (!received) co_return ToStatus(Error::kContextCanceled);
  etcdserverpb::RangeRequest request;
  grpc::Status status = call.Parse(bytes, &request);
  if (status.ok()) status = ToStatus(CheckRange(request));
  if (status.ok()) status = CheckRangeStream(request);
  if (!status.ok()) co_return status;
  if (!request.serializable()) {
    const Error error = co_await WaitLinearizable(server(), call.queue(), call.deadline());
    if (error != Error::kOk) co_return ToStatus(error);
  }
  co_return co_await ranges_.RangeStream(call, std::move(request));
}

Task<Reply> KvService::Put(UnaryCall& call) {
  auto request = std::make_unique<etcdserverpb::InternalRaftRequest>();
  const grpc::Status parsed = call.Parse(request->mutable_put());
  if (!parsed.ok()) co_return parsed;
  const Error error = CheckPut(request->put());
  if (error != Error::kOk) co_return co_await Refuse(server(), call, std::move(request), error);
  co_return co_await Propose(server(), interceptors(), call, std::move(request));
}

Task<Reply> KvService::DeleteRange(UnaryCall& call) {
  auto request = std::make_unique<etcdserverpb::InternalRaftRequest>();
  const grpc::Status parsed = call.Parse(request->mutable_delete_range());
  if (!parsed.ok()) co_return parsed;
  const Error error = CheckDeleteRange(request->delete_range());
  if (error != Error::kOk) co_return error;
  co_return co_await Propose(server(), interceptors(), call, std::move(request));
}

Task<Reply> KvService::Txn(UnaryCall& call) {
  auto request = std::make_unique<etcdserverpb::InternalRaftRequest>();
  const grpc::Status parsed = call.Parse(request->mutable_txn());
  if (!parsed.ok()) co_return parsed;
  const Error error = CheckTxn(request->txn(), server().config().max_txn_ops);
  if (error != Error::kOk) co_return co_await Refuse(server(), call, std::move(request), error);
  if (IsReadOnly(request->txn())) co_return co_await ReadOnlyTxn(call, request->txn());
  co_return co_await Propose(server(), interceptors(), call, std::move(request));
}

Task<Reply> KvService::ReadOnlyTxn(UnaryCall& call, const etcdserverpb::TxnRequest& request) {
  if (!IsSerializable(request)) {
    const Error error = co_await WaitLinearizable(server(), call.queue(), call.deadline());
    if (error != Error::kOk) co_return error;
  }
  // Unlike Range's, which counts the wait.
  server::RequestMeter meter(server::Operation::kReadonlyTxn);
  etcdserverpb::TxnResponse response;
  std::optional<Error> error = server().ReadOnlyTxnInMemory(request, &response);
  if (!error) {
    error = co_await EnterReadPool(server());
    if (*error == Error::kOk) error = server().ReadOnlyTxn(request, &response);
  }
  WarnIfSlowTxn(request, *error, response, TimeOf(meter));
  if (*error != Error::kOk) co_return *error;
  meter.Succeeded();
  interceptors().FillHeader(response.mutable_header());
  co_return response;
}

// With physical = true the answer, also an error about the revision, waits until the store has let
// go of what every compaction so far took.
Task<Reply> KvService::Compact(UnaryCall& call) {
  auto request = std::make_unique<etcdserverpb::InternalRaftRequest>();
  const grpc::Status parsed = call.Parse(request->mutable_compaction());
  if (!parsed.ok()) co_return parsed;
  const bool physical = request->compaction().physical();
  Reply reply = co_await Propose(server(), interceptors(), call, std::move(request));
  const bool about_revision = reply.status.error_code() == grpc::StatusCode::OUT_OF_RANGE;
  if (physical && (reply.status.ok() || about_revision)) {
    const auto start = [this](server::Waiter* waiter) { server().WaitCompacted(waiter); };
    const auto abandon = [this](server::Waiter* waiter) { return server().Abandon(waiter); };
    const Error error = co_await WaitWithClient(call, start, abandon);
    if (error != Error::kOk) co_return error;
  }
  co_return reply;
}

}  // namespace kvorum::api
