#pragma once
// LeaseCalls: what clients ask of leases without writing to the log, KeepAlive and TimeToLive. All
// of it is the leader's business: elsewhere leases have no expiry, so other members pass both on to
// it, again and again while there is none.
//
// A renewal, step by step: this member leads, and its raft loop ticks or a read round has proved
// it; what is committed has been applied, which only a lease not known here (or every lease,
// without the gate FastLeaseKeepAlive) has to wait for; the lease has not expired, else its end is
// waited for; a checkpointed rest is cleared through the log; the lessor renews.
//
// Follows etcd server/etcdserver/v3_server.go LeaseRenew, LeaseTimeToLive.

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "base/clock.h"
#include "server/apply_stage.h"
#include "server/delayed_calls.h"
#include "server/lease/lessor.h"
#include "server/membership/membership.h"
#include "server/peers.h"
#include "server/proposer.h"
#include "server/raft_loop.h"
#include "server/server.h"

namespace kvorum::server {

class LeaseCalls {
 public:
  // How long a call waits for entries committed and not yet applied.
  static constexpr Duration kApplyWait = std::chrono::seconds(1);
  // Between two attempts to reach the leader.
  static constexpr Duration kForwardInterval = std::chrono::milliseconds(50);

  // All pointers must outlive this. `wait_read_index` is Server::ReadIndex.
  struct Parts {
    const Clock* clock = nullptr;
    Lessor* lessor = nullptr;
    const RaftLoop* raft = nullptr;
    const ApplyStage* apply = nullptr;
    Proposer* proposer = nullptr;
    std::function<void(TimePoint deadline, Waiter* waiter)> wait_read_index;
    bool fast_keep_alive = true;  // the gate FastLeaseKeepAlive
    // To pass calls on to the leader.
    const Membership* membership = nullptr;
    Peers* peers = nullptr;  // null: there is nobody
    DelayedCalls* delayed = nullptr;
    Duration election_timeout = std::chrono::seconds(1);
  };
  explicit LeaseCalls(Parts parts) : parts_(std::move(parts)) {}

  // See Server. Any thread.
  void Renew(LeaseId id, TimePoint deadline, LeaseRenewWaiter* waiter);
  void TimeToLive(LeaseId id, bool with_keys, TimePoint deadline, LeaseTimeToLiveWaiter* waiter);
  // The same for other members, which believe that this one leads; never passed on.
  void RenewHere(LeaseId id, TimePoint deadline, LeaseRenewWaiter* waiter);
  void TimeToLiveHere(LeaseId id, bool with_keys, LeaseTimeToLiveWaiter* waiter);

 private:
  // A renewal on its way; copied from callback to callback.
  struct Renewal {
    LeaseId id;
    LeaseRenewWaiter* waiter;
    bool applied = false;       // has waited for what was committed
    bool checkpointed = false;  // a checkpointed rest was cleared, or could not be
  };

  void Continue(Renewal renewal);
  void WaitApplied(Renewal renewal);
  void ClearCheckpoint(Renewal renewal);
  void Finish(const Renewal& renewal, Error error, int64_t ttl_seconds = 0) const;
  Error NotLeader() const;
  Error Find(LeaseId id, bool with_keys, LeaseTimeToLiveResult* result) const;

  // A question for the leader. `ask` is given its URLs; it ends the call, or says Again.
  struct Forwarding {
    TimePoint deadline;
    std::function<void(const std::vector<std::string>& urls)> ask;
    std::function<void()> lead;       // this member leads by now
    std::function<void(Error)> fail;  // out of time
  };
  void Forward(const std::shared_ptr<Forwarding>& call);
  void Again(const std::shared_ptr<Forwarding>& call, Duration delay);

  const Parts parts_;
};

}  // namespace kvorum::server
