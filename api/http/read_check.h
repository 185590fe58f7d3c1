#pragma once
// The read by which the HTTP checks find out whether this member works: a range that finds nothing,
// through the same waiting and the same store as a client's.

#include "api/grpc/task.h"
#include "api/grpc/waiting.h"
#include "server/server.h"

namespace kvorum::api {

// kOk or what a client would have been told. Linearizable unless `serializable`; waits for at most
// the server's request timeout and goes on where `executor` says.
Task<server::Error> CheckRead(server::Server& server, Executor& executor, bool serializable);

}  // namespace kvorum::api
