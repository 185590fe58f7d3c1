#pragma once
// LeaseCalls: what clients ask of leases without writing to the log, KeepAlive and TimeToLive. All
// of it is the leader's business: elsewhere leases have no expiry.
//
// A renewal, step by step: this member leads, and its raft loop ticks or a read round has proved
// it; what is committed has been applied, which only a lease not known here (or every lease,
// without the gate FastLeaseKeepAlive) has to wait for; the lease has not expired, else its end is
// waited for; a checkpointed rest is cleared through the log; the lessor renews.
//
// Follows etcd server/etcdserver/v3_server.go LeaseRenew, LeaseTimeToLive.

#include <functional>

#include "base/clock.h"
#include "server/apply_stage.h"
#include "server/lease/lessor.h"
#include "server/proposer.h"
#include "server/raft_loop.h"
#include "server/server.h"

namespace kvorum::server {

class LeaseCalls {
 public:
  // How long a call waits for entries committed and not yet applied.
  static constexpr Duration kApplyWait = std::chrono::seconds(1);

  // All pointers must outlive this. `wait_read_index` is Server::ReadIndex.
  struct Parts {
    const Clock* clock = nullptr;
    Lessor* lessor = nullptr;
    const RaftLoop* raft = nullptr;
    const ApplyStage* apply = nullptr;
    Proposer* proposer = nullptr;
    std::function<void(TimePoint deadline, Waiter* waiter)> wait_read_index;
    bool fast_keep_alive = true;  // the gate FastLeaseKeepAlive
  };
  explicit LeaseCalls(Parts parts) : parts_(std::move(parts)) {}

  // See Server. Any thread.
  void Renew(LeaseId id, TimePoint deadline, LeaseRenewWaiter* waiter);
  Error TimeToLive(LeaseId id, bool with_keys, LeaseTimeToLiveResult* result) const;

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

  const Parts parts_;
};

}  // namespace kvorum::server
