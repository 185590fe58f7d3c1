#pragma once
// LeaseScheduler: what the leader does about leases on its own: it proposes the revocation of those
// whose time is over, and checkpoints of how much is left of long ones.
//
// Twice a second it takes up to 500 expired leases; of their revocations 16 at most are under way,
// and the next ones are taken when all of these have begun. One that fails is handed over again by
// the lessor. Checkpoints go one entry after the other, up to a thousand leases in each.
//
// Nothing is proposed while the raft loop has not ticked for three heartbeats: a loop that hangs
// may have been deposed without knowing.
//
// Threads: Step on the timers stage. Follows etcd server/lease/lessor.go runLoop and
// server/etcdserver/server.go revokeExpiredLeases.

#include <atomic>
#include <deque>
#include <functional>

#include "base/clock.h"
#include "base/types.h"
#include "server/lease/lessor.h"
#include "server/proposer.h"
#include "server/raft_loop.h"

namespace kvorum::server {

class LeaseScheduler {
 public:
  // Revocations under way at a time (etcd's maxPendingRevokes).
  static constexpr size_t kMaxPendingRevokes = 16;
  // Entries of checkpoints in one scan: half of etcd's leaseCheckpointRate.
  static constexpr size_t kCheckpointEntriesPerScan = 500;

  // All pointers must outlive this. `run_soon` makes the job due, on any thread.
  struct Parts {
    MemberId self;
    Lessor* lessor = nullptr;
    const RaftLoop* raft = nullptr;
    Proposer* proposer = nullptr;
    std::function<void()> run_soon;
  };
  explicit LeaseScheduler(Parts parts) : parts_(std::move(parts)) {}

  // Returns when to call again.
  TimePoint Step(TimePoint now);

 private:
  void Scan(TimePoint now);
  void ProposeRevokes();
  void ProposeCheckpoints();
  void OnRevoked(LeaseId id, Error error);

  const Parts parts_;

  // The stage's alone.
  TimePoint next_scan_ = TimePoint::min();
  std::deque<LeaseId> expired_;  // at most kLeaseExpiryScanMax
  size_t checkpoint_entries_left_ = 0;

  std::atomic<size_t> revokes_under_way_ = 0;
  std::atomic<bool> checkpoint_under_way_ = false;
};

}  // namespace kvorum::server
