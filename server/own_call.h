#pragma once
// Calls of the server to itself: publishing its attributes, revoking expired leases, raising
// alarms. They go the way of a client's call and end in a function instead of a coroutine.

#include <functional>
#include <string_view>
#include <utility>

#include "server/server.h"

namespace kvorum::server {

// Runs on the thread that resumes; must not block.
using OnDone = std::function<void(Error error)>;

// What the log says of a call that failed: etcd's text, for the errors that own calls and applied
// entries end with.
std::string_view TextOf(Error error);

// Waiters that delete themselves after `done` ran. Given to the server like any other waiter.
ProposalWaiter* NewOwnProposal(OnDone done);
Waiter* NewOwnWait(OnDone done);

}  // namespace kvorum::server
