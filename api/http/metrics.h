#pragma once
// /metrics, for any method: what the process has counted, what the member says of itself and what
// the kernel knows, as Prometheus' text format, compressed for clients that prefer it.
//
// Follows etcd server/etcdserver/api/etcdhttp/metrics.go, client_golang prometheus/promhttp.

#include "api/http/router.h"
#include "server/server.h"

namespace kvorum::api {

// `server` must outlive the router.
void AddMetrics(HttpRouter* router, server::Server* server);

}  // namespace kvorum::api
