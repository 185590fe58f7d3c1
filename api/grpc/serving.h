#pragma once
// The ways in which a handler waits for the server, as coroutines.

#include <functional>
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

// Refuses a malformed request, with `malformed` or what takes precedence (Server::Refuse).
Task<Reply> Refuse(server::Server& server, UnaryCall& call, RaftRequest request,
                   server::Error malformed);

// Waits until a read is linearizable; goes on where `queue` resumes.
Task<server::Error> WaitLinearizable(server::Server& server, CallQueue& queue, TimePoint deadline);

// Waits for what `start` begins with a waiter, and as long as the client does: when it goes away
// or its deadline passes, `abandon` is to take the waiter back, and the answer is kContextCanceled
// or kDeadlineExceeded.
Task<server::Error> WaitWithClient(UnaryCall& call, std::function<void(server::Waiter*)> start,
                                   std::function<bool(server::Waiter*)> abandon);

// Goes on on a read pool thread; kTooManyRequests, on the same thread, when the pool is full.
Task<server::Error> EnterReadPool(server::Server& server);

}  // namespace kvorum::api
