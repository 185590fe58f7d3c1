#include "api/grpc/stream_registry.h"

#include <grpc/support/time.h>

namespace kvorum::api {

using server::Error;

StreamRegistry::Entry::Entry(StreamRegistry* registry, StreamCall* call) : call_(call) {
  registry->streams_.push_back(*this);
  if (registry->stopped_ != Error::kOk) call_->Stop(registry->stopped_);
}

Detached StreamRegistry::StopAll(Error error) {
  const CallQueue::Hold hold(queue_);
  co_await queue_->Switch();
  stopped_ = error;
  // Stop starts operations and resumes nobody, so the list does not change under the loop.
  for (Entry& entry : streams_) entry.call().Stop(error);
  monitor_alarm_.Cancel();
}

Detached StreamRegistry::StartLeaderMonitor(Duration election_timeout) {
  const CallQueue::Hold hold(queue_);
  co_await queue_->Switch();
  int leaderless_ticks = 0;
  while (stopped_ == Error::kOk) {
    const gpr_timespec deadline = gpr_time_add(
        gpr_now(GPR_CLOCK_MONOTONIC), gpr_time_from_nanos(election_timeout.count(), GPR_TIMESPAN));
    const bool ticked = co_await Operation(
        [&](void* tag) { monitor_alarm_.Set(queue_->grpc_queue(), deadline, tag); });
    if (!ticked) break;
    leaderless_ticks = server_->has_leader() ? 0 : leaderless_ticks + 1;
    if (leaderless_ticks == kLeaderlessTicks) StopLeaderless();
  }
}

void StreamRegistry::StopLeaderless() {
  for (Entry& entry : streams_) {
    if (entry.call().requires_leader) entry.call().Stop(Error::kNoLeader);
  }
}

}  // namespace kvorum::api
