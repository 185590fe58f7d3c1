#pragma once
// GET /livez and /readyz with one path below for each check: should this process be restarted,
// should it get traffic. "verbose" lists the checks, "exclude=name" leaves one out.
//
//   livez   serializable_read
//   readyz  data_corruption, serializable_read, linearizable_read, non_learner
//
// No check has a deadline of its own: a read waits as long as the server lets it.
//
// Follows etcd server/etcdserver/api/etcdhttp/health.go.

#include "api/grpc/waiting.h"
#include "api/http/router.h"
#include "server/server.h"

namespace kvorum::api {

// `server` and `executor` must outlive the router.
void AddProbes(HttpRouter* router, server::Server* server, Executor* executor);

}  // namespace kvorum::api
