#pragma once
// The read by which the HTTP checks find out whether this member works: a range that finds nothing,
// through the same waiting and the same store as a client's.

#include "api/grpc/task.h"
#include "api/grpc/waiting.h"
#include "server/server.h"

namespace kvorum::api {

enum class ReadKind { kLinearizable, kSerializable };

// kOk or what a client with that deadline would have been told. Goes on where `executor` says.
Task<server::Error> CheckRead(server::Server& server, Executor& executor, ReadKind kind,
                              TimePoint deadline);

}  // namespace kvorum::api
