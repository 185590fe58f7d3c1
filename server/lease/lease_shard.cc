#include "server/lease/lease_shard.h"

#include <algorithm>
#include <utility>

#include "server/lease/spread.h"

namespace kvorum::server {
namespace {

// Stale queue entries that are put up with beside as many as there are leases.
constexpr size_t kStaleEntriesMax = 100;
// What is done in one hold of the lock: queue entries of renewed leases moved, keys copied.
constexpr int kEntriesPerHold = 1000;
constexpr int kKeysPerHold = 1000;

int64_t SecondsIn(Duration d) {
  return std::chrono::duration_cast<std::chrono::seconds>(d).count();
}

}  // namespace

// ---- The part as a whole ------------------------------------------------------------------------

std::vector<LeaseShard::Callback> LeaseShard::Replace(Leases leases, TimePoint now) {
  absl::flat_hash_map<LeaseId, std::unique_ptr<Entry>> entries;
  entries.reserve(leases.size());
  for (auto& [id, lease] : leases) {
    auto entry = std::make_unique<Entry>();
    entry->lease = std::move(lease);
    entries.emplace(id, std::move(entry));
  }
  absl::MutexLock lock(&mutex_);
  leases_.swap(entries);
  expiries_ = {};
  checkpoints_ = {};
  // Those of a primary start afresh, as after a promotion.
  if (primary_) {
    for (auto& [id, entry] : leases_) Refresh(*entry, now);
  }
  return TakeWaiting();
}

std::vector<LeaseShard::Callback> LeaseShard::Demote() {
  ExpiryQueue expiries;
  ExpiryQueue checkpoints;
  absl::MutexLock lock(&mutex_);
  primary_ = false;
  std::swap(expiries_, expiries);
  std::swap(checkpoints_, checkpoints);
  return TakeWaiting();
}

void LeaseShard::Promote(TimePoint now, Duration extend) {
  absl::MutexLock lock(&mutex_);
  primary_ = true;
  ++epoch_;
  promoted_at_ = now;
  extend_ = extend;
  expiries_ = {};
  checkpoints_ = {};
}

void LeaseShard::Settle(std::vector<ExpiryQueue::Entry>* expiries) {
  absl::MutexLock lock(&mutex_);
  if (!primary_) return;
  for (auto& [id, entry] : leases_) {
    if (entry->epoch == epoch_) continue;  // granted or renewed since
    Touch(*entry);
    expiries->push_back({entry->expiry, id});
  }
}

void LeaseShard::PushOut(LeaseId id, TimePoint from, TimePoint to) {
  absl::MutexLock lock(&mutex_);
  Entry* const entry = FindEntry(id);
  if (primary_ && entry != nullptr && entry->expiry == from) entry->expiry = to;
}

// ---- Changes ------------------------------------------------------------------------------------

bool LeaseShard::Insert(Lease lease, TimePoint now) {
  absl::MutexLock lock(&mutex_);
  auto [it, inserted] = leases_.try_emplace(lease.id);
  if (!inserted) return false;
  it->second = std::make_unique<Entry>();
  it->second->lease = std::move(lease);
  if (primary_) Refresh(*it->second, now);
  return true;
}

std::optional<LeaseShard::Removed> LeaseShard::Remove(LeaseId id) {
  std::unique_ptr<Entry> entry;
  Removed removed;
  {
    absl::MutexLock lock(&mutex_);
    const auto it = leases_.find(id);
    if (it == leases_.end()) return std::nullopt;
    entry = std::move(it->second);
    leases_.erase(it);
    if (const auto waiting = waiting_.find(id); waiting != waiting_.end()) {
      removed.waiting = std::move(waiting->second);
      waiting_.erase(waiting);
    }
    DropStaleEntries();
  }
  removed.lease = std::move(entry->lease);
  return removed;
}

std::optional<Lease> LeaseShard::Checkpoint(LeaseId id, int64_t remaining_seconds, TimePoint now) {
  absl::MutexLock lock(&mutex_);
  Entry* const entry = FindEntry(id);
  if (entry == nullptr) return std::nullopt;
  Touch(*entry);  // its expiry is not changed by this
  Lease& lease = entry->lease;
  lease.remaining_seconds = remaining_seconds;
  if (primary_) ScheduleCheckpoint(*entry, now);
  return Lease{.id = id,
               .ttl_seconds = lease.ttl_seconds,
               .remaining_seconds = remaining_seconds,
               .keys = {}};
}

bool LeaseShard::Attach(LeaseId id, std::string_view key) {
  absl::MutexLock lock(&mutex_);
  Entry* const entry = FindEntry(id);
  if (entry != nullptr) entry->lease.keys.emplace(key);
  return entry != nullptr;
}

void LeaseShard::Detach(LeaseId id, std::string_view key) {
  absl::MutexLock lock(&mutex_);
  if (Entry* const entry = FindEntry(id))
    entry->lease.keys.erase(absl::string_view(key.data(), key.size()));
}

// ---- Look-ups -----------------------------------------------------------------------------------

bool LeaseShard::Contains(LeaseId id) const {
  absl::MutexLock lock(&mutex_);
  return leases_.contains(id);
}

std::optional<LeaseInfo> LeaseShard::Find(LeaseId id, TimePoint now) const {
  absl::MutexLock lock(&mutex_);
  const Entry* const entry = FindEntry(id);
  if (entry == nullptr) return std::nullopt;
  return LeaseInfo{.granted_ttl_seconds = entry->lease.ttl_seconds,
                   .remaining_seconds = SecondsIn(ExpiryOf(*entry) - now),
                   .primary = primary_,
                   .keys = {}};
}

std::vector<std::string> LeaseShard::Keys(LeaseId id) const {
  std::vector<std::string> keys;
  for (bool more = true; more;) {
    absl::MutexLock lock(&mutex_);
    const Entry* const entry = FindEntry(id);
    if (entry == nullptr) break;
    const auto& all = entry->lease.keys;
    auto it = keys.empty() ? all.begin() : all.upper_bound(keys.back());
    for (int i = 0; i < kKeysPerHold && it != all.end(); ++i, ++it) keys.push_back(*it);
    more = it != all.end();
  }
  return keys;
}

void LeaseShard::List(std::vector<ExpiryQueue::Entry>* leases) const {
  absl::MutexLock lock(&mutex_);
  for (const auto& [id, entry] : leases_) leases->push_back({ExpiryOf(*entry), id});
}

LeaseRenewResult LeaseShard::Renew(LeaseId id, TimePoint now, bool checkpoint_first,
                                   Callback when_settled) {
  using Outcome = LeaseRenewResult::Outcome;
  absl::MutexLock lock(&mutex_);
  if (!primary_) return {.outcome = Outcome::kNotPrimary};
  Entry* const entry = FindEntry(id);
  if (entry == nullptr) return {.outcome = Outcome::kNotFound};
  Touch(*entry);
  if (entry->expiry <= now) {
    waiting_[id].push_back(std::move(when_settled));
    return {.outcome = Outcome::kExpired};
  }
  if (checkpoint_first && entry->lease.remaining_seconds > 0) {
    return {.outcome = Outcome::kCheckpointed};
  }
  entry->expiry = SaturatingAdd(now, entry->lease.rest());
  // The queue keeps an earlier time; LookAtFront finds out. A checkpoint can leave it a later one.
  if (entry->expiry < entry->queued_for) Enqueue(*entry, entry->expiry);
  return {.outcome = Outcome::kRenewed, .ttl_seconds = entry->lease.ttl_seconds};
}

// ---- Time ---------------------------------------------------------------------------------------

std::optional<TimePoint> LeaseShard::NextExpired(TimePoint now) {
  for (bool look_again = true; look_again;) {
    absl::MutexLock lock(&mutex_);
    const Entry* const entry = AdvanceToExpired(now, &look_again);
    if (entry != nullptr) return entry->queued_for;
  }
  return std::nullopt;
}

std::optional<LeaseId> LeaseShard::TakeExpired(TimePoint now) {
  for (bool look_again = true; look_again;) {
    absl::MutexLock lock(&mutex_);
    Entry* const entry = AdvanceToExpired(now, &look_again);
    if (entry == nullptr) continue;
    expiries_.Pop();
    Enqueue(*entry, SaturatingAdd(now, options_.retry_interval));
    return entry->lease.id;
  }
  return std::nullopt;
}

// The lease at the front of the queue, if it has expired by `now`. `look_again` if that is not
// known after as much work as one hold of the lock allows.
LeaseShard::Entry* LeaseShard::AdvanceToExpired(TimePoint now, bool* look_again) {
  *look_again = false;
  for (int i = 0; i < kEntriesPerHold; ++i) {
    Entry* entry = nullptr;
    switch (LookAtFront(now, &entry)) {
      case Due::kNothing:
        return nullptr;
      case Due::kExpired:
        return entry;
      case Due::kLookAgain:
        break;
    }
  }
  *look_again = true;
  return nullptr;
}

LeaseShard::Due LeaseShard::LookAtFront(TimePoint now, Entry** entry) {
  if (expiries_.empty() || expiries_.front().time > now) return Due::kNothing;
  const auto [time, id] = expiries_.front();
  *entry = FindEntry(id);
  const bool stale = *entry == nullptr || (*entry)->queued_for != time;
  if (!stale && (*entry)->expiry <= time) return Due::kExpired;
  expiries_.Pop();
  if (!stale) Enqueue(**entry, (*entry)->expiry);  // renewed meanwhile
  return Due::kLookAgain;
}

void LeaseShard::TakeCheckpoints(TimePoint now, size_t max, std::vector<LeaseRest>* checkpoints) {
  absl::MutexLock lock(&mutex_);
  while (checkpoints->size() < max && !checkpoints_.empty() && checkpoints_.front().time <= now) {
    if (const std::optional<LeaseRest> rest = PopCheckpoint(now)) checkpoints->push_back(*rest);
  }
}

std::optional<LeaseRest> LeaseShard::PopCheckpoint(TimePoint now) {
  const auto [time, id] = checkpoints_.Pop();
  Entry* const entry = FindEntry(id);
  if (entry == nullptr || entry->checkpoint_at != time) return std::nullopt;
  entry->checkpoint_at = kNeverExpires;
  if (entry->expiry <= now) return std::nullopt;
  const int64_t rest = std::chrono::ceil<std::chrono::seconds>(entry->expiry - now).count();
  // Again in any case, should this one get lost or be needless because of a renewal just now.
  if (std::chrono::seconds(rest) > kLeaseCheckpointInterval) {
    entry->checkpoint_at = now + kLeaseCheckpointInterval;
    checkpoints_.Push(entry->checkpoint_at, id);
  }
  if (rest >= entry->lease.ttl_seconds) return std::nullopt;
  return LeaseRest{.id = id, .remaining_seconds = rest};
}

// ---- Under the lock -----------------------------------------------------------------------------

LeaseShard::Entry* LeaseShard::FindEntry(LeaseId id) const {
  const auto it = leases_.find(id);
  return it == leases_.end() ? nullptr : it->second.get();
}

TimePoint LeaseShard::ExpiryOf(const Entry& entry) const {
  if (!primary_) return kNeverExpires;
  if (entry.epoch == epoch_) return entry.expiry;
  return SaturatingAdd(promoted_at_, entry.lease.rest() + extend_);
}

// Writes down what the promotion did to the lease, if that was not done before.
void LeaseShard::Touch(Entry& entry) {
  if (!primary_ || entry.epoch == epoch_) return;
  entry.expiry = ExpiryOf(entry);
  entry.epoch = epoch_;
  entry.checkpoint_at = kNeverExpires;
  Enqueue(entry, entry.expiry);
  ScheduleCheckpoint(entry, promoted_at_);
}

// A new expiry, counted from `now`.
void LeaseShard::Refresh(Entry& entry, TimePoint now) {
  entry.expiry = SaturatingAdd(now, entry.lease.rest());
  entry.epoch = epoch_;
  Enqueue(entry, entry.expiry);
  ScheduleCheckpoint(entry, now);
}

void LeaseShard::Enqueue(Entry& entry, TimePoint time) {
  entry.queued_for = time;
  expiries_.Push(time, entry.lease.id);
}

void LeaseShard::ScheduleCheckpoint(Entry& entry, TimePoint now) {
  if (!options_.checkpoints || entry.checkpoint_at != kNeverExpires) return;
  if (entry.lease.rest() <= kLeaseCheckpointInterval) return;
  entry.checkpoint_at = now + kLeaseCheckpointInterval;
  checkpoints_.Push(entry.checkpoint_at, entry.lease.id);
}

// Revoked leases leave their entries behind until their time; not too many of them.
void LeaseShard::DropStaleEntries() {
  const size_t entries_max = 2 * leases_.size() + kStaleEntriesMax;
  const auto rebuild = [&](ExpiryQueue& queue, TimePoint Entry::*time) {
    if (queue.size() <= entries_max) return;
    std::vector<ExpiryQueue::Entry> entries;
    entries.reserve(leases_.size());
    for (const auto& [id, entry] : leases_) {
      const bool queued = entry->epoch == epoch_ && (*entry).*time != kNeverExpires;
      if (queued) entries.push_back({(*entry).*time, id});
    }
    queue.Assign(std::move(entries));
  };
  rebuild(expiries_, &Entry::queued_for);
  rebuild(checkpoints_, &Entry::checkpoint_at);
}

std::vector<LeaseShard::Callback> LeaseShard::TakeWaiting() {
  std::vector<Callback> all;
  for (auto& [id, waiting] : std::exchange(waiting_, {})) {
    for (Callback& callback : waiting) all.push_back(std::move(callback));
  }
  return all;
}

}  // namespace kvorum::server
