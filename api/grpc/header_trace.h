#pragma once
// GODEBUG=http2debug=2, which etcd's users set to see what their clients send: the headers of every
// call go to stderr, a line each, in the words of Go's HTTP/2 library. etcd's own tests look for
// ":authority" there. Of the headers that gRPC takes for itself only that one is shown.

#include <grpcpp/server_context.h>
#include <grpcpp/support/string_ref.h>

#include <map>
#include <string>
#include <string_view>

#include "base/clock.h"

namespace kvorum::api {

// `godebug`: the variable's value, nullptr if it is not set.
bool WantsHeaderTrace(const char* godebug);

// The lines of one call.
std::string HeaderTrace(WallTime now, std::string_view authority,
                        const std::multimap<grpc::string_ref, grpc::string_ref>& metadata);

// Writes them.
void TraceHeaders(const grpc::ServerContext& context);

}  // namespace kvorum::api
