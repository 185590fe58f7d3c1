#pragma once
// The gateway's table: which path calls which method. It is the google.api.http options of the
// proto files, so a method that has one is served here as soon as gRPC serves it.

#include <google/protobuf/descriptor.h>

#include <map>
#include <string>
#include <string_view>

namespace kvorum::api {

struct GatewayRoute {
  std::string method;  // "/etcdserverpb.KV/Range"
  const google::protobuf::MethodDescriptor* descriptor = nullptr;
};

using GatewayRoutes = std::map<std::string, GatewayRoute, std::less<>>;

// By path, "/v3/kv/range". All are called by POST, with the request as body.
GatewayRoutes MakeGatewayRoutes();

}  // namespace kvorum::api
