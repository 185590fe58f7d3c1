#pragma once
// GET /version: what this member runs, what the cluster has agreed on, and the form of its data.

#include "api/http/router.h"
#include "server/server.h"

namespace kvorum::api {

// `server` must outlive the router.
void AddVersion(HttpRouter* router, server::Server* server);

}  // namespace kvorum::api
