#pragma once
// GET /health: no alarm, a leader, and a read that works; the last two as the query asks
// ("serializable=true" asks this member only, "exclude=NOSPACE" overlooks an alarm).
//
// Follows etcd server/etcdserver/api/etcdhttp/health.go.

#include "api/grpc/waiting.h"
#include "api/http/router.h"
#include "server/server.h"

namespace kvorum::api {

// `server` and `executor`, which decides where a check that waited goes on, must outlive the
// router.
void AddHealth(HttpRouter* router, server::Server* server, Executor* executor);

}  // namespace kvorum::api
