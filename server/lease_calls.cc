#include "server/lease_calls.h"

#include <algorithm>
#include <utility>

#include "server/own_call.h"

namespace kvorum::server {

void LeaseCalls::Finish(LeaseRenewWaiter* waiter, Error error, int64_t ttl_seconds) const {
  waiter->ttl_seconds = ttl_seconds;
  ResumeOne(waiter, error);
}

void LeaseCalls::Renew(LeaseId id, TimePoint deadline, LeaseRenewWaiter* waiter) {
  using Outcome = LeaseRenewResult::Outcome;
  if (parts_.clock->Now() >= deadline) return Finish(waiter, Error::kTimeout);
  const LeaseRenewResult result =
      parts_.lessor->Renew(id, [this, id, deadline, waiter] { Renew(id, deadline, waiter); });
  switch (result.outcome) {
    case Outcome::kRenewed:
      return Finish(waiter, Error::kOk, result.ttl_seconds);
    case Outcome::kExpired:
      return;  // asked again when it is settled
    case Outcome::kNotPrimary:
      return Finish(waiter, parts_.raft->leader() == raft::kNone ? Error::kNoLeader
                                                                 : Error::kNotPrimaryLessor);
    case Outcome::kNotFound:
      return RenewWhenApplied(id, deadline, waiter);
  }
}

void LeaseCalls::RenewWhenApplied(LeaseId id, TimePoint deadline, LeaseRenewWaiter* waiter) {
  if (parts_.apply->applied() >= parts_.raft->committed()) return Finish(waiter, Error::kOk);
  deadline = std::min(deadline, parts_.clock->Now() + kApplyWait);
  parts_.wait_read_index(deadline, NewOwnWait([this, id, deadline, waiter](Error error) {
                           if (error == Error::kDeadlineExceeded) {
                             error = Error::kTimeoutWaitAppliedIndex;
                           }
                           if (error != Error::kOk) return Finish(waiter, error);
                           if (parts_.lessor->Exists(id)) return Renew(id, deadline, waiter);
                           Finish(waiter, Error::kOk);
                         }));
}

Error LeaseCalls::TimeToLive(LeaseId id, bool with_keys, LeaseTimeToLiveResult* result) const {
  if (!parts_.raft->is_leader()) {
    return parts_.raft->leader() == raft::kNone ? Error::kNoLeader : Error::kNotPrimaryLessor;
  }
  std::optional<LeaseInfo> lease = parts_.lessor->Find(id, with_keys);
  *result = {};
  if (!lease) return Error::kOk;
  // Won but not yet in force, or lost during the look-up: nobody here knows the rest.
  if (!lease->primary) return Error::kLeaderChanged;
  result->ttl_seconds = lease->remaining_seconds;
  result->granted_ttl_seconds = lease->granted_ttl_seconds;
  result->keys = std::move(lease->keys);
  return Error::kOk;
}

TimePoint LeaseCalls::RevokeExpired(TimePoint now) {
  for (const LeaseId id : parts_.lessor->TakeExpired()) {
    etcdserverpb::InternalRaftRequest request;
    request.mutable_lease_revoke()->set_id(id.value());
    // One that fails is handed over again by the lessor.
    parts_.proposer->ProposeOwn(std::move(request), [](Error) {});
  }
  return now + kLeaseExpiryScanInterval;
}

}  // namespace kvorum::server
