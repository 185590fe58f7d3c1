#include "api/grpc/lease_service.h"

#include <utility>

#include "api/grpc/serving.h"

namespace kvorum::api {

using server::Error;

namespace {

// How long a call waits for entries committed and not yet applied.

}  // namespace

LeaseService::LeaseService(const ServiceContext& context) : Service(context, "etcdserverpb.Lease") {
  Add(UnaryMethod{"LeaseGrant", [this](UnaryCall& call) { return Grant(call); }});
  Add(UnaryMethod{"LeaseRevoke", [this](UnaryCall& call) { return Revoke(call); }});
  Add(UnaryMethod{"LeaseTimeToLive", [this](UnaryCall& call) { return TimeToLive(call); }});
  Add(UnaryMethod{"LeaseLeases", [this](UnaryCall& call) { return Leases(call); }});
  Add(StreamMethod{.name = "LeaseKeepAlive",
                   .handle = [this](StreamCall& call) { return KeepAlive(call); },
                   .is_short = true});
}

Task<Reply> LeaseService::Grant(UnaryCall& call) {
  auto request = std::make_unique<etcdserverpb::InternalRaftRequest>();
  const grpc::Status parsed = call.Parse(request->mutable_lease_grant());
  if (!parsed.ok()) co_return parsed;
  if (request->lease_grant().id() == 0) {
    request->mutable_lease_grant()->set_id(server().NewLeaseId().value());
  }
  co_return co_await Propose(server(), interceptors(), call, std::move(request));
}

Task<Reply> LeaseService::Revoke(UnaryCall& call) {
  auto request = std::make_unique<etcdserverpb::InternalRaftRequest>();
  const grpc::Status parsed = call.Parse(request->mutable_lease_revoke());
  if (!parsed.ok()) co_return parsed;
  co_return co_await Propose(server(), interceptors(), call, std::move(request));
}

// An unknown lease is not an error: its TTL is -1. A lease can have any number of keys.
Task<Reply> LeaseService::TimeToLive(UnaryCall& call) {
  etcdserverpb::LeaseTimeToLiveRequest request;
  const grpc::Status parsed = call.Parse(&request);
  if (!parsed.ok()) co_return parsed;
  if (request.keys()) {
    const Error entered = co_await EnterReadPool(server());
    if (entered != Error::kOk) co_return entered;
  }
  WaitFor<server::LeaseTimeToLiveWaiter> wait(call.queue());
  const TimePoint deadline = call.deadline();
  co_await wait.Until(
      [&] { server().LeaseTimeToLive(LeaseId(request.id()), request.keys(), deadline, &wait); });
  const Error error = wait.error;
  if (error != Error::kOk && error != Error::kLeaseNotFound) co_return error;
  server::LeaseTimeToLiveResult& result = wait.result;
  etcdserverpb::LeaseTimeToLiveResponse response;
  interceptors().FillHeader(response.mutable_header());
  response.set_id(request.id());
  response.set_ttl(error == Error::kOk ? result.ttl_seconds : -1);
  response.set_grantedttl(error == Error::kOk ? result.granted_ttl_seconds : 0);
  for (std::string& key : result.keys) response.add_keys(std::move(key));
  co_return response;
}

Task<Reply> LeaseService::Leases(UnaryCall& call) {
  etcdserverpb::LeaseLeasesRequest request;
  const grpc::Status parsed = call.Parse(&request);
  if (!parsed.ok()) co_return parsed;
  const Error entered = co_await EnterReadPool(server());  // there may be a million to sort
  if (entered != Error::kOk) co_return entered;
  etcdserverpb::LeaseLeasesResponse response;
  interceptors().FillHeader(response.mutable_header());
  for (const LeaseId id : server().Leases()) response.add_leases()->set_id(id.value());
  co_return response;
}

// One answer a request, in order. The header is filled before the renewal, so its revision is not
// newer than what the renewal saw.
Task<grpc::Status> LeaseService::KeepAlive(StreamCall& call) {
  grpc::ByteBuffer bytes;
  for (;;) {
    const bool received = co_await call.Read(&bytes);
    if (!received) co_return grpc::Status::OK;
    etcdserverpb::LeaseKeepAliveRequest request;
    const grpc::Status parsed = call.Parse(bytes, &request);
    if (!parsed.ok()) {
      OnReceiveFailure("lease-keepalive", parsed);
      co_return parsed;
    }

    etcdserverpb::LeaseKeepAliveResponse response;
    interceptors().FillHeader(response.mutable_header());
    WaitFor<server::LeaseRenewWaiter> wait(call.executor());
    const TimePoint deadline = DeadlineOf(call.context);
    co_await wait.Until([&] { server().LeaseRenew(LeaseId(request.id()), deadline, &wait); });
    if (wait.error != Error::kOk && wait.error != Error::kLeaseNotFound) {
      co_return ToStatus(wait.error);
    }
    response.set_id(request.id());
    response.set_ttl(wait.error == Error::kOk ? wait.ttl_seconds : 0);
    const grpc::ByteBuffer answer = Encode(response);
    const bool sent = co_await call.Write(answer);
    if (!sent) co_return grpc::Status::OK;
  }
}

}  // namespace kvorum::api
