#include "server/lease_calls.h"

#include <utility>

#include "server/metrics.h"
#include "server/own_call.h"

namespace kvorum::server {

void LeaseCalls::Finish(const Renewal& renewal, Error error, int64_t ttl_seconds) const {
  renewal.waiter->ttl_seconds = ttl_seconds;
  ResumeOne(renewal.waiter, error);
}

Error LeaseCalls::NotLeader() const {
  return parts_.raft->leader() == raft::kNone ? Error::kNoLeader : Error::kNotPrimaryLessor;
}

// ---- To the leader ------------------------------------------------------------------------------

void LeaseCalls::Again(const std::shared_ptr<Forwarding>& call, Duration delay) {
  if (parts_.clock->Now() + delay >= call->deadline) {
    const bool leaderless = parts_.raft->leader() == raft::kNone;
    return call->fail(leaderless ? Error::kNoLeader : Error::kTimeout);
  }
  parts_.delayed->After(delay, [this, call] { Forward(call); });
}

void LeaseCalls::Forward(const std::shared_ptr<Forwarding>& call) {
  if (parts_.delayed->closed()) return call->fail(Error::kStopped);
  if (parts_.raft->is_leader()) return call->lead();
  const std::optional<MemberInfo> leader = parts_.membership->Find(parts_.raft->leader());
  if (!leader) return Again(call, parts_.election_timeout);
  call->ask(leader->peer_urls);
}

void LeaseCalls::Renew(LeaseId id, TimePoint deadline, LeaseRenewWaiter* waiter) {
  if (parts_.raft->is_leader() || parts_.peers == nullptr) return RenewHere(id, deadline, waiter);
  auto call = std::make_shared<Forwarding>();
  call->deadline = deadline;
  call->lead = [this, id, deadline, waiter] { RenewHere(id, deadline, waiter); };
  call->fail = [waiter](Error error) { ResumeOne(waiter, error); };
  call->ask = [this, id, waiter, weak = std::weak_ptr(call)](const Peers::Urls& urls) {
    parts_.peers->RenewLease(
        urls, id, [this, waiter, call = weak.lock()](const peer::Answer<int64_t>& answer) {
          const bool gone = answer.error == Error::kLeaseNotFound;
          if (answer.error != Error::kOk && !gone) return Again(call, kForwardInterval);
          waiter->ttl_seconds = gone ? 0 : answer.value;
          ResumeOne(waiter, Error::kOk);
        });
  };
  Forward(call);
}

void LeaseCalls::TimeToLive(LeaseId id, bool with_keys, TimePoint deadline,
                            LeaseTimeToLiveWaiter* waiter) {
  if (parts_.raft->is_leader() || parts_.peers == nullptr) {
    return TimeToLiveHere(id, with_keys, waiter);
  }
  auto call = std::make_shared<Forwarding>();
  call->deadline = deadline;
  call->lead = [this, id, with_keys, waiter] { TimeToLiveHere(id, with_keys, waiter); };
  call->fail = [waiter](Error error) { ResumeOne(waiter, error); };
  call->ask = [this, id, with_keys, waiter, weak = std::weak_ptr(call)](const Peers::Urls& urls) {
    parts_.peers->LeaseTimeToLive(
        urls, id, with_keys,
        [this, waiter, call = weak.lock()](const peer::Answer<peer::LeaseTtl>& answer) {
          const bool gone = answer.error == Error::kLeaseNotFound;
          if (answer.error != Error::kOk && !gone) return Again(call, kForwardInterval);
          if (!gone) {
            waiter->result = {.ttl_seconds = answer.value.ttl_seconds,
                              .granted_ttl_seconds = answer.value.granted_ttl_seconds,
                              .keys = answer.value.keys};
          }
          ResumeOne(waiter, Error::kOk);
        });
  };
  Forward(call);
}

// ---- Here ---------------------------------------------------------------------------------------

void LeaseCalls::RenewHere(LeaseId id, TimePoint deadline, LeaseRenewWaiter* waiter) {
  const Renewal renewal{.id = id, .waiter = waiter};
  if (!parts_.raft->is_leader()) return Finish(renewal, NotLeader());
  if (parts_.raft->active(parts_.clock->Now())) return Continue(renewal);
  parts_.wait_read_index(deadline, NewOwnWait([this, renewal](Error error) {
                           const bool leads = error == Error::kOk && parts_.raft->is_leader();
                           if (!leads) return Finish(renewal, Error::kNotPrimaryLessor);
                           Continue(renewal);
                         }));
}

void LeaseCalls::Continue(Renewal renewal) {
  using Outcome = LeaseRenewResult::Outcome;
  if (!parts_.fast_keep_alive && !renewal.applied) return WaitApplied(renewal);
  // If it was revoked, that is the answer; no entry still on its way can change it.
  auto when_settled = [this, settled = renewal]() mutable {
    settled.applied = true;
    Continue(settled);
  };
  const LeaseRenewResult result =
      renewal.checkpointed ? parts_.lessor->RenewAsIs(renewal.id, std::move(when_settled))
                           : parts_.lessor->Renew(renewal.id, std::move(when_settled));
  switch (result.outcome) {
    case Outcome::kRenewed:
      leases_renewed_total.Add();
      return Finish(renewal, Error::kOk, result.ttl_seconds);
    case Outcome::kExpired:
      return;
    case Outcome::kCheckpointed:
      return ClearCheckpoint(renewal);
    case Outcome::kNotPrimary:
      return Finish(renewal, NotLeader());
    case Outcome::kNotFound:
      return renewal.applied ? Finish(renewal, Error::kOk) : WaitApplied(renewal);
  }
}

// A lease not known here may have been granted by an entry that is committed and not yet applied.
void LeaseCalls::WaitApplied(Renewal renewal) {
  renewal.applied = true;
  if (parts_.apply->applied() >= parts_.raft->committed()) return Continue(renewal);
  parts_.wait_read_index(parts_.clock->Now() + kApplyWait, NewOwnWait([this, renewal](Error error) {
                           if (error == Error::kDeadlineExceeded) {
                             error = Error::kTimeoutWaitAppliedIndex;
                           }
                           if (error != Error::kOk) return Finish(renewal, error);
                           Continue(renewal);
                         }));
}

// So that a later leader counts from the whole TTL again. Should it fail, the lease is renewed for
// what the checkpoint left of it.
void LeaseCalls::ClearCheckpoint(Renewal renewal) {
  renewal.checkpointed = true;
  etcdserverpb::InternalRaftRequest request;
  request.mutable_lease_checkpoint()->add_checkpoints()->set_id(renewal.id.value());
  parts_.proposer->ProposeOwn(std::move(request), [this, renewal](Error) { Continue(renewal); });
}

// A lease not known here may have been granted by an entry that is committed and not yet applied.
void LeaseCalls::TimeToLiveHere(LeaseId id, bool with_keys, LeaseTimeToLiveWaiter* waiter) {
  const auto look = [this, id, with_keys, waiter](Error error) {
    if (error == Error::kDeadlineExceeded) error = Error::kTimeoutWaitAppliedIndex;
    if (error == Error::kOk) error = Find(id, with_keys, &waiter->result);
    ResumeOne(waiter, error);
  };
  if (!parts_.raft->is_leader()) return ResumeOne(waiter, NotLeader());
  if (parts_.apply->applied() >= parts_.raft->committed()) return look(Error::kOk);
  parts_.wait_read_index(parts_.clock->Now() + kApplyWait, NewOwnWait(look));
}

Error LeaseCalls::Find(LeaseId id, bool with_keys, LeaseTimeToLiveResult* result) const {
  if (!parts_.raft->is_leader()) return NotLeader();
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

}  // namespace kvorum::server
