#pragma once
// What of a request's headers goes along with the call it makes:
//
//   Authorization       metadata "authorization", the client's token
//   Grpc-Metadata-<X>   metadata x; with "-Bin" at its end the value is base 64
//   Grpc-Timeout        the call's deadline: digits and a unit, H M S m u n
//
// The original sends more (grpcgateway-user-agent, x-forwarded-for and so on), which no etcd server
// reads. Follows grpc-gateway's runtime/context.go.

#include <grpcpp/client_context.h>
#include <grpcpp/support/status.h>

#include "api/http/exchange.h"

namespace kvorum::api {

// InvalidArgument for a timeout or a binary value that is none.
grpc::Status AddMetadata(const HttpRequest& request, grpc::ClientContext* context);

}  // namespace kvorum::api
