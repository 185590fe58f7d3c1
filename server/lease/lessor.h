#pragma once
// Lessor: leases, the keys attached to them, and when they expire.
//
// State that all members share (which leases there are, their TTLs, their keys) changes on the
// apply thread only, and every change of a lease's record goes into the apply stage's batch. Expiry
// times are not shared: only the primary (the leader's lessor) has them; elsewhere every lease
// lasts for ever. The primary's owner (server/lease_scheduler.h) asks for expired leases and for
// checkpoints, and proposes them.
//
// Life of a lease on the primary:
//   Grant or Promote  expiry = now + TTL (the checkpointed rest, if there is one)
//   Renew             expiry = now + TTL, unless it has passed already
//   TakeCheckpoints   every five minutes, how much is left of a lease that lasts longer than that
//   TakeExpired       hands it over once, and again after `retry_interval` if it is still there
//   Revoke            gone; who renewed it in vain is told
//
// Invariants:
//   1. A lease is never handed over as expired earlier than its TTL after grant, renewal or
//      promotion.
//   2. An expired lease cannot be renewed: its revocation may be on its way through the log.
//
// A million leases. They are divided into shards by id, each with its own lock. Grant, Revoke,
// Renew and the rest of what concerns one lease cost a hash look-up, and a heap operation at
// most; a renewal not even that (expiry_queue.h). Promote and Demote touch no lease. What has to
// look at all of them, Leases and SettlePromotion, does so off the apply thread, shard by shard.
//
// Rows: bucket `lease`, key = id as 8 bytes big-endian, value = leasepb.Lease.
// Threads: Recover, Grant, Revoke, Checkpoint, Attach, Detach, Promote on the apply thread;
// everything else on any thread, but SettlePromotion, TakeExpired and TakeCheckpoints on one at a
// time. Leaf locks; callbacks run without one.
// Left out: permission checks.
//
// Follows etcd server/lease/lessor.go.

#include <absl/base/thread_annotations.h>
#include <absl/synchronization/mutex.h>

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/status.h"
#include "base/types.h"
#include "mvcc/backend/backend.h"
#include "mvcc/mvcc.h"
#include "server/lease/lease_shard.h"
#include "server/lease/lessor_types.h"
#include "server/lease/spread.h"

namespace kvorum::server {

// TakeExpired is called twice a second, for half of what may be revoked in one.
inline constexpr Duration kLeaseExpiryScanInterval = std::chrono::milliseconds(500);
inline constexpr size_t kLeaseExpiryScanMax = kLeaseRevokeRate / 2;
// Of one entry of the log.
inline constexpr size_t kLeaseCheckpointBatchMax = 1000;

// The shortest TTL: one and a half election timeouts, in whole seconds, rounded up.
int64_t MinLeaseTtlSeconds(uint64_t election_ticks, Duration heartbeat);

class Lessor : public mvcc::LeaseAttacher {
 public:
  // `clock` must outlive the lessor. Starts empty and not primary.
  Lessor(const Clock* clock, LessorOptions options);

  // --- Apply thread ---

  // Replaces all leases by those of the store; keys follow by Attach when the store is opened
  // after. TTLs below the minimum are raised. DataLoss when a row is no lease.
  Status Recover(mvcc::Backend& backend);

  LeaseGrantResult Grant(LeaseId id, int64_t ttl_seconds, mvcc::Batch& batch);
  LeaseRevokeResult Revoke(LeaseId id, mvcc::Batch& batch);
  // Remembers that `remaining_seconds` of the lease are left, for the next promotion; 0 forgets it.
  // Unknown leases are ignored.
  void Checkpoint(LeaseId id, int64_t remaining_seconds, mvcc::Batch& batch);

  // Unknown leases are ignored: on Attach with a log line.
  void Attach(LeaseId lease, std::string_view key) override;
  void Detach(LeaseId lease, std::string_view key) override;

  // This member leads: every lease gets a new expiry, `extend` later than its rest. With 1000
  // leases or more, SettlePromotion pushes expiries apart to 750 a second.
  void Promote(Duration extend);

  // --- Any thread ---

  bool Exists(LeaseId id) const { return ShardOf(id).Contains(id); }

  // This member does not lead any more: nothing expires here.
  void Demote();
  bool primary() const { return primary_.load(std::memory_order_acquire); }

  // `when_settled` is kept only for kExpired, and called exactly once: by who revokes the lease,
  // demotes or recovers. It must not block.
  LeaseRenewResult Renew(LeaseId id, std::function<void()> when_settled);
  // The same, whatever checkpoint there is. Never kCheckpointed.
  LeaseRenewResult RenewAsIs(LeaseId id, std::function<void()> when_settled);

  // What a promotion left to do: looks at all leases. Nothing the second time. TakeExpired does it
  // as well.
  void SettlePromotion();
  // Up to `limit` leases whose time is over, earliest first. Empty on others than the primary.
  std::vector<LeaseId> TakeExpired(size_t limit = kLeaseExpiryScanMax);
  // Up to `max` checkpoints that are due. Empty without the option, and on others than the primary.
  std::vector<LeaseRest> TakeCheckpoints(size_t max = kLeaseCheckpointBatchMax);

  // Keys in ascending order; some may be missing or gone already if they change meanwhile.
  std::optional<LeaseInfo> Find(LeaseId id, bool with_keys) const;
  std::vector<std::string> Keys(LeaseId id) const { return ShardOf(id).Keys(id); }
  // All ids, by remaining time (on the primary), then by id. Sorts: not for a thread in a hurry.
  std::vector<LeaseId> Leases() const;
  size_t size() const { return size_.load(std::memory_order_relaxed); }

 private:
  static constexpr int kShardBits = 8;

  LeaseShard& ShardOf(LeaseId id) const;

  // Constant after construction.
  const Clock* const clock_;
  const LessorOptions options_;
  std::vector<std::unique_ptr<LeaseShard>> shards_;

  // One change of all shards at a time. Taken before a shard's lock.
  absl::Mutex role_mutex_;
  std::atomic<bool> primary_ = false;
  std::atomic<bool> promotion_to_settle_ = false;
  std::atomic<size_t> size_ = 0;
  size_t next_checkpoint_shard_ = 0;  // where TakeCheckpoints goes on
};

}  // namespace kvorum::server
