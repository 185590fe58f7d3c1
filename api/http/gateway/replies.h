#pragma once
// gRPC's verdicts as HTTP answers. Pure functions. Follows grpc-gateway's runtime/errors.go.

#include <grpcpp/support/status.h>

#include "api/http/exchange.h"

namespace kvorum::api {

grpc::Status DeadlineExceeded();
// Too many bodies are arriving at once.
grpc::Status TooMuchHeld();

// What a call failed with, in the words of etcd's gateway for what its own side of the call says.
grpc::Status InGatewayWords(grpc::Status status);

int HttpStatusOf(grpc::StatusCode code);

// {"code":...,"message":...}
HttpReply ErrorReply(const grpc::Status& status);
// One line of a stream: {"error":{...}}
std::string ErrorLine(const grpc::Status& status);

}  // namespace kvorum::api
