#pragma once
// LeaseCalls: what clients ask of leases without writing to the log, KeepAlive and TimeToLive, and
// the revocation of leases whose time is over. All of it is the leader's business: elsewhere leases
// have no expiry. Follows etcd server/etcdserver/v3_server.go LeaseRenew, LeaseTimeToLive.

#include "base/clock.h"
#include "server/apply_stage.h"
#include "server/lease/lessor.h"
#include "server/proposer.h"
#include "server/raft_loop.h"
#include "server/read_index.h"
#include "server/server.h"

namespace kvorum::server {

class LeaseCalls {
 public:
  // A renewal of a lease not known here waits this long for entries committed and not yet applied.
  static constexpr Duration kApplyWait = std::chrono::seconds(1);

  // All pointers must outlive this. `wait_read_index` is Server::ReadIndex.
  struct Parts {
    const Clock* clock = nullptr;
    Lessor* lessor = nullptr;
    const RaftLoop* raft = nullptr;
    const ApplyStage* apply = nullptr;
    Proposer* proposer = nullptr;
    std::function<void(TimePoint deadline, Waiter* waiter)> wait_read_index;
  };
  explicit LeaseCalls(Parts parts) : parts_(std::move(parts)) {}

  // See Server. Any thread.
  void Renew(LeaseId id, TimePoint deadline, LeaseRenewWaiter* waiter);
  Error TimeToLive(LeaseId id, bool with_keys, LeaseTimeToLiveResult* result) const;

  // A job of the timers: proposes the revocation of expired leases.
  TimePoint RevokeExpired(TimePoint now);

 private:
  void Finish(LeaseRenewWaiter* waiter, Error error, int64_t ttl_seconds = 0) const;
  // The lease is unknown: it may have been granted by an entry not yet applied here.
  void RenewWhenApplied(LeaseId id, TimePoint deadline, LeaseRenewWaiter* waiter);

  const Parts parts_;
};

}  // namespace kvorum::server
