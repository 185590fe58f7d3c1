#pragma once
// LeaseShard: a fixed part of a lessor's leases under a lock of its own, so that what has to look
// at all leases holds nobody up for longer than one part takes.
//
// A promotion is a change of epoch: it costs nothing for each lease. A lease of an earlier epoch
// has the expiry that the promotion gives it, promoted_at + rest + extend, without that being
// written down; Touch writes it down the first time anything is done with the lease, Settle for all
// that are left.
//
// Threads: all methods on any; one leaf lock. Keys are copied out in slices, the lock given up
// between them.

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
#include "base/types.h"
#include "server/lease/expiry_queue.h"
#include "server/lease/lease.h"
#include "server/lease/lessor_types.h"

namespace kvorum::server {

class LeaseShard {
 public:
  using Callback = std::function<void()>;
  using Leases = absl::flat_hash_map<LeaseId, Lease>;

  // `options` must outlive the shard.
  explicit LeaseShard(const LessorOptions& options) : options_(options) {}
  LeaseShard(const LeaseShard&) = delete;
  LeaseShard& operator=(const LeaseShard&) = delete;

  // What happened to the part as a whole. Each returns the renewals that are to be told, the
  // callbacks not yet called.
  std::vector<Callback> Replace(Leases leases, TimePoint now);
  std::vector<Callback> Demote();
  // Ends the epoch before, and with it all expiries.
  void Promote(TimePoint now, Duration extend);
  // Gives the leases that nothing was done with since the promotion their expiry and their place in
  // the queues, and adds them to `expiries`. Nothing on others than the primary.
  void Settle(std::vector<ExpiryQueue::Entry>* expiries);
  // Moves an expiry that is still the one SpreadExpiries has seen.
  void PushOut(LeaseId id, TimePoint from, TimePoint to);

  // False if there is one already.
  [[nodiscard]] bool Insert(Lease lease, TimePoint now);
  struct Removed {
    Lease lease;
    std::vector<Callback> waiting;
  };
  std::optional<Removed> Remove(LeaseId id);
  // The lease as it is then, without keys; nothing if there is no such lease.
  std::optional<Lease> Checkpoint(LeaseId id, int64_t remaining_seconds, TimePoint now);

  // False if there is no such lease.
  bool Attach(LeaseId id, std::string_view key);
  void Detach(LeaseId id, std::string_view key);

  bool Contains(LeaseId id) const;
  // Without keys.
  std::optional<LeaseInfo> Find(LeaseId id, TimePoint now) const;
  std::vector<std::string> Keys(LeaseId id) const;
  // Adds all leases with their expiries.
  void List(std::vector<ExpiryQueue::Entry>* leases) const;

  LeaseRenewResult Renew(LeaseId id, TimePoint now, bool checkpoint_first, Callback when_settled);

  // When the next lease that has expired by `now` did; nothing if none has.
  std::optional<TimePoint> NextExpired(TimePoint now);
  // Hands it over, until `retry_interval` has passed.
  std::optional<LeaseId> TakeExpired(TimePoint now);
  // Adds checkpoints that are due to `checkpoints`, up to `max` of them in all.
  void TakeCheckpoints(TimePoint now, size_t max, std::vector<LeaseRest>* checkpoints);

 private:
  struct Entry {
    Lease lease;
    TimePoint expiry = kNeverExpires;  // of `epoch`
    // The times of its entries in the queues; entries with another time are stale.
    TimePoint queued_for = kNeverExpires;
    TimePoint checkpoint_at = kNeverExpires;  // never: none is due
    uint64_t epoch = 0;                       // 0: of none, not touched by a primary yet
  };
  enum class Due { kNothing, kExpired, kLookAgain };

  Entry* FindEntry(LeaseId id) const ABSL_SHARED_LOCKS_REQUIRED(mutex_);
  TimePoint ExpiryOf(const Entry& entry) const ABSL_SHARED_LOCKS_REQUIRED(mutex_);
  void Touch(Entry& entry) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void Refresh(Entry& entry, TimePoint now) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void Enqueue(Entry& entry, TimePoint time) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void ScheduleCheckpoint(Entry& entry, TimePoint now) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  Due LookAtFront(TimePoint now, Entry** entry) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  Entry* AdvanceToExpired(TimePoint now, bool* look_again) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  std::optional<LeaseRest> PopCheckpoint(TimePoint now) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void DropStaleEntries() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  std::vector<Callback> TakeWaiting() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);

  const LessorOptions& options_;

  mutable absl::Mutex mutex_;
  bool primary_ ABSL_GUARDED_BY(mutex_) = false;
  uint64_t epoch_ ABSL_GUARDED_BY(mutex_) = 0;
  TimePoint promoted_at_ ABSL_GUARDED_BY(mutex_);
  Duration extend_ ABSL_GUARDED_BY(mutex_){0};
  absl::flat_hash_map<LeaseId, std::unique_ptr<Entry>> leases_ ABSL_GUARDED_BY(mutex_);
  // Of leases of this epoch that were touched; empty on others than the primary.
  ExpiryQueue expiries_ ABSL_GUARDED_BY(mutex_);
  ExpiryQueue checkpoints_ ABSL_GUARDED_BY(mutex_);
  // Renewals that came too late, to be told how it ended.
  absl::flat_hash_map<LeaseId, std::vector<Callback>> waiting_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace kvorum::server
