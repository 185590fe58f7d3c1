#pragma once
// /debug/vars: what Go's expvar publishes of an etcd, as far as it is true of this process.
//
// raft.status has no vote and no progress of the members, memstats only Sys: the rest is about Go's
// heap and its collector. Follows etcd server/etcdserver/api/etcdhttp/debug.go.

#include "api/http/router.h"
#include "server/server.h"

namespace kvorum::api {

// Blocks for a few reads below /proc when asked. `server` outlives the router.
void AddVars(HttpRouter* router, server::Server* server);

}  // namespace kvorum::api
