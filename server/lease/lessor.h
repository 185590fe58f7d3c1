#pragma once
// Lessor: leases, the keys attached to them, and when they expire.
//
// State that all members share (which leases there are, their TTLs, their keys) changes on the
// apply thread only, and every change of a lease's record goes into the apply stage's batch. Expiry
// times are not shared: only the primary (the leader's lessor) has them; elsewhere every lease
// lasts for ever. The primary's owner asks for expired leases and proposes their revocation.
//
// Life of a lease on the primary:
//   Grant or Promote  expiry = now + TTL (the checkpointed rest, if there is one)
//   Renew             expiry = now + TTL, unless it has passed already
//   TakeExpired       hands it over once, and again after `retry_interval` if it is still there
//   Revoke            gone; who renewed it in vain is told
//
// Invariants:
//   1. A lease is never handed over as expired earlier than its TTL after grant, renewal or
//      promotion.
//   2. An expired lease cannot be renewed: its revocation may be on its way through the log.
//
// Rows: bucket `lease`, key = id as 8 bytes big-endian, value = leasepb.Lease.
// Threads: Recover, Grant, Revoke, Checkpoint, Attach, Detach on the apply thread; everything else
// on any thread. One leaf lock; callbacks run without it.
// Left out: scheduling of checkpoints (only their application is here), permission checks.
//
// Follows etcd server/lease/lessor.go.

#include <absl/base/thread_annotations.h>
#include <absl/container/flat_hash_map.h>
#include <absl/synchronization/mutex.h>

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
#include "server/errors.h"
#include "server/lease/expiry_queue.h"
#include "server/lease/lease.h"

namespace kvorum::server {

inline constexpr int64_t kMaxLeaseTtlSeconds = 9'000'000'000;
// Revocations a second that expiry may cause (etcd's leaseRevokeRate). TakeExpired is called twice
// a second for half as many.
inline constexpr int64_t kLeaseRevokeRate = 1000;
inline constexpr Duration kLeaseExpiryScanInterval = std::chrono::milliseconds(500);
inline constexpr size_t kLeaseExpiryScanMax = kLeaseRevokeRate / 2;

// The shortest TTL: one and a half election timeouts, in whole seconds, rounded up.
int64_t MinLeaseTtlSeconds(uint64_t election_ticks, Duration heartbeat);

struct LessorOptions {
  int64_t min_ttl_seconds = 2;
  // When a lease that was handed over as expired and not revoked is handed over again; the server's
  // request timeout.
  Duration retry_interval = std::chrono::seconds(7);
};

struct LeaseGrantResult {
  Error error = Error::kOk;  // kLeaseTtlTooLarge, kLeaseExists, kLeaseNotFound (id 0)
  int64_t ttl_seconds = 0;   // the effective one
};

struct LeaseRevokeResult {
  Error error = Error::kOk;       // kLeaseNotFound
  std::vector<std::string> keys;  // ascending; to be deleted in the same batch
};

struct LeaseRenewResult {
  enum class Outcome {
    kRenewed,     // ttl_seconds is set
    kNotFound,    // etcd answers TTL 0
    kNotPrimary,  // ask the leader
    kExpired,     // `when_settled` will be called; then ask again
  };
  Outcome outcome = Outcome::kNotFound;
  int64_t ttl_seconds = 0;
};

// What a member knows of one lease.
struct LeaseInfo {
  int64_t granted_ttl_seconds = 0;
  // Truncated; negative when it expired seconds ago. Meaningful only if `primary`.
  int64_t remaining_seconds = 0;
  bool primary = false;  // at the time of the look-up
  std::vector<std::string> keys;
};

class Lessor : public mvcc::LeaseAttacher {
 public:
  // `clock` must outlive the lessor. Starts empty and not primary.
  Lessor(const Clock* clock, const LessorOptions& options);

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

  // --- Any thread ---

  bool Exists(LeaseId id) const;

  // This member leads: every lease gets a new expiry, `extend` later than its rest. With 1000
  // leases or more, expiries are pushed apart to 750 a second.
  void Promote(Duration extend);
  // It does not lead any more: nothing expires here.
  void Demote();
  bool primary() const;

  // `when_settled` is kept only for kExpired, and called exactly once, on the thread that revokes
  // the lease, demotes or recovers; it must not block.
  LeaseRenewResult Renew(LeaseId id, std::function<void()> when_settled);

  // Up to `limit` leases whose time is over, earliest first. Empty on others than the primary.
  std::vector<LeaseId> TakeExpired(size_t limit = kLeaseExpiryScanMax);

  std::optional<LeaseInfo> Find(LeaseId id, bool with_keys) const;
  // Keys of the lease, unsorted; empty if there is no such lease.
  std::vector<std::string> Keys(LeaseId id) const;
  // All ids, by remaining time (on the primary), then by id.
  std::vector<LeaseId> Leases() const;
  size_t size() const;

 private:
  using Callbacks = std::vector<std::function<void()>>;

  void Refresh(Lease& lease, TimePoint now, Duration extend) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void SpreadExpiries(TimePoint now, Duration extend) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void RebuildQueueIfStale() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  Callbacks TakeAllWaiting() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  Lease* FindLocked(LeaseId id) const ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);

  // Constant after construction.
  const Clock* const clock_;
  const LessorOptions options_;

  mutable absl::Mutex mutex_;
  bool primary_ ABSL_GUARDED_BY(mutex_) = false;
  absl::flat_hash_map<LeaseId, std::unique_ptr<Lease>> leases_ ABSL_GUARDED_BY(mutex_);
  // One entry a lease; only on the primary.
  ExpiryQueue queue_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace kvorum::server
