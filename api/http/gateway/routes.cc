#include "api/http/gateway/routes.h"

#include "base/check.h"
#include "proto/election.pb.h"
#include "proto/http.pb.h"
#include "proto/lock.pb.h"
#include "proto/rpc.pb.h"

namespace kvorum::api {
namespace {

using google::api::HttpRule;
using google::protobuf::FileDescriptor;
using google::protobuf::MethodDescriptor;

void Add(const HttpRule& rule, const MethodDescriptor* method, GatewayRoutes* routes) {
  CHECK(!rule.post().empty() && rule.body() == "*") << method->full_name();
  GatewayRoute route;
  route.method = "/" + method->service()->full_name() + "/" + method->name();
  route.descriptor = method;
  CHECK(routes->emplace(rule.post(), std::move(route)).second) << rule.post();
  for (const HttpRule& more : rule.additional_bindings()) Add(more, method, routes);
}

void AddAll(const FileDescriptor* file, GatewayRoutes* routes) {
  for (int i = 0; i < file->service_count(); ++i) {
    for (int j = 0; j < file->service(i)->method_count(); ++j) {
      const MethodDescriptor* method = file->service(i)->method(j);
      if (!method->options().HasExtension(google::api::http)) continue;
      Add(method->options().GetExtension(google::api::http), method, routes);
    }
  }
}

}  // namespace

GatewayRoutes MakeGatewayRoutes() {
  GatewayRoutes routes;
  AddAll(etcdserverpb::PutRequest::descriptor()->file(), &routes);
  AddAll(v3lockpb::LockRequest::descriptor()->file(), &routes);
  AddAll(v3electionpb::LeaderRequest::descriptor()->file(), &routes);
  return routes;
}

}  // namespace kvorum::api
