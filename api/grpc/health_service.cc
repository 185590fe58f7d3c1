#include "api/grpc/health_service.h"

#include "proto/health.pb.h"

namespace kvorum::api {

using grpc::health::v1::HealthCheckRequest;
using grpc::health::v1::HealthCheckResponse;

HealthService::HealthService(const ServiceContext& context)
    : Service(context, "grpc.health.v1.Health") {
  Add(UnaryMethod{"Check", [this](UnaryCall& call) { return Check(call); }});
  Add(UnaryMethod{"List", [this](UnaryCall& call) { return List(call); }});
  Add(StreamMethod{"Watch", [this](StreamCall& call) { return Watch(call); }});
}

Task<Reply> HealthService::Check(UnaryCall& call) {
  HealthCheckRequest request;
  const grpc::Status parsed = call.Parse(&request);
  if (!parsed.ok()) co_return parsed;
  if (!request.service().empty()) {
    co_return grpc::Status(grpc::StatusCode::NOT_FOUND, "unknown service");
  }
  HealthCheckResponse response;
  response.set_status(HealthCheckResponse::SERVING);
  co_return response;
}

Task<Reply> HealthService::List(UnaryCall& /*call*/) {
  grpc::health::v1::HealthListResponse response;
  (*response.mutable_statuses())[""].set_status(HealthCheckResponse::SERVING);
  co_return response;
}

// The status never changes while this member answers, so it is sent once.
Task<grpc::Status> HealthService::Watch(StreamCall& call) {
  grpc::ByteBuffer bytes;
  const bool received = co_await call.Read(&bytes);
  if (!received) co_return grpc::Status::OK;
  HealthCheckRequest request;
  const grpc::Status parsed = call.Parse(bytes, &request);
  if (!parsed.ok()) co_return parsed;
  HealthCheckResponse response;
  response.set_status(request.service().empty() ? HealthCheckResponse::SERVING
                                                : HealthCheckResponse::SERVICE_UNKNOWN);
  const grpc::ByteBuffer answer = Encode(response);
  co_await call.Write(answer);
  co_await call.Done();
  co_return grpc::Status(grpc::StatusCode::CANCELLED, "Stream has ended.");
}

}  // namespace kvorum::api
