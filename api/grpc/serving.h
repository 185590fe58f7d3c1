#pragma once
// The three ways in which a unary handler waits for the server, as coroutines.

#include <memory>

#include "api/grpc/call.h"
#include "api/grpc/interceptors.h"
#include "server/server.h"

namespace kvorum::api {

using RaftRequest = std::unique_ptr<etcdserverpb::InternalRaftRequest>;

// Proposes and waits until applied here. The answer, with its header filled, or the error; goes on
// on any thread.
Task<Reply> Propose(server::Server& server, const Interceptors& interceptors, UnaryCall& call,
                    RaftRequest request);

// Waits until a read is linearizable.
Task<server::Error> WaitLinearizable(server::Server& server, UnaryCall& call);

// Goes on on a read pool thread; kTooManyRequests, on the same thread, when the pool is full.
Task<server::Error> EnterReadPool(server::Server& server);

}  // namespace kvorum::api
