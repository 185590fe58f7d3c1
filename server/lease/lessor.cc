#include "server/lease/lessor.h"

#include <algorithm>
#include <utility>

#include "base/log.h"

namespace kvorum::server {
namespace {

// Stale queue entries that are put up with beside as many as there are leases.
constexpr size_t kStaleEntriesMax = 1000;
// A promotion spreads expiries from this many leases on, and to this many a second, which leaves
// room in the revocation rate for leases that end on their own.
constexpr size_t kSpreadFromLeases = kLeaseRevokeRate;
constexpr int64_t kSpreadPerSecond = 3 * kLeaseRevokeRate / 4;

// now + d, at most a moment before "never": TTLs may be centuries long.
TimePoint SaturatingAdd(TimePoint now, Duration d) {
  const TimePoint last = kNeverExpires - Duration(1);
  return d >= last - now ? last : now + d;
}

}  // namespace

int64_t MinLeaseTtlSeconds(uint64_t election_ticks, Duration heartbeat) {
  const Duration shortest = static_cast<int64_t>(3 * election_ticks / 2) * heartbeat;
  return std::chrono::ceil<std::chrono::seconds>(shortest).count();
}

Lessor::Lessor(const Clock* clock, const LessorOptions& options)
    : clock_(clock), options_(options) {}

Status Lessor::Recover(mvcc::Backend& backend) {
  absl::flat_hash_map<LeaseId, std::unique_ptr<Lease>> leases;
  auto rows = backend.NewIterator(mvcc::Bucket::kLease);
  for (; rows->Valid(); rows->Next()) {
    std::optional<Lease> row = DecodeLease(rows->value());
    if (!row) return absl::DataLossError("a row of the lease bucket is not a lease");
    row->ttl_seconds = std::max(row->ttl_seconds, options_.min_ttl_seconds);
    leases[row->id] = std::make_unique<Lease>(std::move(*row));
  }
  RETURN_IF_ERROR(rows->status(), "reading leases");

  Callbacks waiting;
  {
    absl::MutexLock lock(&mutex_);
    waiting = TakeAllWaiting();
    leases_ = std::move(leases);
    queue_.Clear();
    // Those of a primary start afresh, as after a promotion.
    if (primary_) {
      for (auto& [id, lease] : leases_) Refresh(*lease, clock_->Now(), Duration(0));
    }
  }
  for (auto& callback : waiting) callback();
  return absl::OkStatus();
}

LeaseGrantResult Lessor::Grant(LeaseId id, int64_t ttl_seconds, mvcc::Batch& batch) {
  if (id == LeaseId(0)) return {.error = Error::kLeaseNotFound};
  if (ttl_seconds > kMaxLeaseTtlSeconds) return {.error = Error::kLeaseTtlTooLarge};
  absl::MutexLock lock(&mutex_);
  auto [it, inserted] = leases_.try_emplace(id);
  if (!inserted) return {.error = Error::kLeaseExists};
  it->second = std::make_unique<Lease>();
  Lease& lease = *it->second;
  lease.id = id;
  lease.ttl_seconds = std::max(ttl_seconds, options_.min_ttl_seconds);
  if (primary_) Refresh(lease, clock_->Now(), Duration(0));
  batch.Put(mvcc::Bucket::kLease, EncodeLeaseKey(id), EncodeLease(lease));
  return {.ttl_seconds = lease.ttl_seconds};
}

LeaseRevokeResult Lessor::Revoke(LeaseId id, mvcc::Batch& batch) {
  std::unique_ptr<Lease> lease;
  {
    absl::MutexLock lock(&mutex_);
    auto it = leases_.find(id);
    if (it == leases_.end()) return {.error = Error::kLeaseNotFound};
    lease = std::move(it->second);
    leases_.erase(it);
    RebuildQueueIfStale();
  }
  batch.Delete(mvcc::Bucket::kLease, EncodeLeaseKey(id));
  LeaseRevokeResult result{.keys = {lease->keys.begin(), lease->keys.end()}};
  std::sort(result.keys.begin(), result.keys.end());
  for (auto& callback : lease->waiting) callback();
  return result;
}

void Lessor::Checkpoint(LeaseId id, int64_t remaining_seconds, mvcc::Batch& batch) {
  absl::MutexLock lock(&mutex_);
  Lease* lease = FindLocked(id);
  if (lease == nullptr) return;
  lease->remaining_seconds = remaining_seconds;
  batch.Put(mvcc::Bucket::kLease, EncodeLeaseKey(id), EncodeLease(*lease));
}

void Lessor::Attach(LeaseId id, std::string_view key) {
  absl::MutexLock lock(&mutex_);
  if (Lease* lease = FindLocked(id)) {
    lease->keys.emplace(key);
  } else {
    LOG_WARN("a key names a lease that does not exist", {"lease-id", HexId(id.value())});
  }
}

void Lessor::Detach(LeaseId id, std::string_view key) {
  absl::MutexLock lock(&mutex_);
  if (Lease* lease = FindLocked(id)) lease->keys.erase(std::string(key));
}

bool Lessor::Exists(LeaseId id) const {
  absl::MutexLock lock(&mutex_);
  return FindLocked(id) != nullptr;
}

void Lessor::Promote(Duration extend) {
  absl::MutexLock lock(&mutex_);
  primary_ = true;
  const TimePoint now = clock_->Now();
  for (auto& [id, lease] : leases_) {
    lease->expiry = SaturatingAdd(now, lease->rest() + extend);
  }
  if (leases_.size() >= kSpreadFromLeases) SpreadExpiries(now, extend);
  std::vector<ExpiryQueue::Entry> entries;
  entries.reserve(leases_.size());
  for (auto& [id, lease] : leases_) {
    lease->queued_for = lease->expiry;
    entries.push_back({lease->expiry, id});
  }
  queue_.Assign(std::move(entries));
}

// Walks the leases by expiry in windows of a second. What is more than the rate in a window is
// pushed out in proportion, which stretches the window; a lease behind the window begins the next
// one.
void Lessor::SpreadExpiries(TimePoint now, Duration extend) {
  std::vector<std::pair<TimePoint, Lease*>> order;
  order.reserve(leases_.size());
  for (auto& [id, lease] : leases_) order.emplace_back(lease->expiry, lease.get());
  std::sort(order.begin(), order.end(), [](const auto& a, const auto& b) {
    return a.first != b.first ? a.first < b.first : a.second->id < b.second->id;
  });
  constexpr Duration kSecond = std::chrono::seconds(1);
  TimePoint base = order.front().first;
  TimePoint window_end = SaturatingAdd(base, kSecond);
  int64_t in_window = 0;
  for (auto& [expiry, lease] : order) {
    if (expiry > window_end) {
      base = expiry;
      window_end = SaturatingAdd(base, kSecond);
      in_window = 1;
      continue;
    }
    if (++in_window <= kSpreadPerSecond) continue;
    // Who is some way into the window already needs that much less of a push.
    const Duration delay = kSecond * in_window / kSpreadPerSecond - (expiry - base);
    window_end = SaturatingAdd(base, delay);
    lease->expiry = SaturatingAdd(now, lease->rest() + delay + extend);
  }
}

void Lessor::Demote() {
  Callbacks waiting;
  {
    absl::MutexLock lock(&mutex_);
    primary_ = false;
    queue_.Clear();
    for (auto& [id, lease] : leases_) lease->expiry = lease->queued_for = kNeverExpires;
    waiting = TakeAllWaiting();
  }
  for (auto& callback : waiting) callback();
}

bool Lessor::primary() const {
  absl::MutexLock lock(&mutex_);
  return primary_;
}

LeaseRenewResult Lessor::Renew(LeaseId id, std::function<void()> when_settled) {
  using Outcome = LeaseRenewResult::Outcome;
  absl::MutexLock lock(&mutex_);
  if (!primary_) return {.outcome = Outcome::kNotPrimary};
  Lease* lease = FindLocked(id);
  if (lease == nullptr) return {.outcome = Outcome::kNotFound};
  const TimePoint now = clock_->Now();
  if (lease->expired(now)) {
    lease->waiting.push_back(std::move(when_settled));
    return {.outcome = Outcome::kExpired};
  }
  // The queue keeps the old time; TakeExpired finds out.
  lease->expiry = SaturatingAdd(now, lease->rest());
  return {.outcome = Outcome::kRenewed, .ttl_seconds = lease->ttl_seconds};
}

std::vector<LeaseId> Lessor::TakeExpired(size_t limit) {
  std::vector<LeaseId> expired;
  absl::MutexLock lock(&mutex_);
  const TimePoint now = clock_->Now();
  while (!queue_.empty() && queue_.front().time <= now && expired.size() < limit) {
    const ExpiryQueue::Entry entry = queue_.Pop();
    Lease* lease = FindLocked(entry.id);
    if (lease == nullptr || lease->queued_for != entry.time) continue;  // stale
    lease->queued_for = lease->expiry;
    if (lease->expired(now)) {
      expired.push_back(entry.id);
      lease->queued_for = SaturatingAdd(now, options_.retry_interval);
    }
    queue_.Push(lease->queued_for, entry.id);
  }
  return expired;
}

std::optional<LeaseInfo> Lessor::Find(LeaseId id, bool with_keys) const {
  absl::MutexLock lock(&mutex_);
  const Lease* lease = FindLocked(id);
  if (lease == nullptr) return std::nullopt;
  LeaseInfo info{.granted_ttl_seconds = lease->ttl_seconds, .primary = primary_};
  const Duration left = lease->expiry - clock_->Now();
  info.remaining_seconds = std::chrono::duration_cast<std::chrono::seconds>(left).count();
  if (with_keys) info.keys.assign(lease->keys.begin(), lease->keys.end());
  return info;
}

std::vector<std::string> Lessor::Keys(LeaseId id) const {
  std::optional<LeaseInfo> info = Find(id, /*with_keys=*/true);
  return info ? std::move(info->keys) : std::vector<std::string>();
}

std::vector<LeaseId> Lessor::Leases() const {
  std::vector<std::pair<TimePoint, LeaseId>> order;
  {
    absl::MutexLock lock(&mutex_);
    order.reserve(leases_.size());
    for (const auto& [id, lease] : leases_) order.emplace_back(lease->expiry, id);
  }
  std::sort(order.begin(), order.end());
  std::vector<LeaseId> ids;
  ids.reserve(order.size());
  for (const auto& [expiry, id] : order) ids.push_back(id);
  return ids;
}

size_t Lessor::size() const {
  absl::MutexLock lock(&mutex_);
  return leases_.size();
}

// A new expiry and its queue entry.
void Lessor::Refresh(Lease& lease, TimePoint now, Duration extend) {
  lease.expiry = SaturatingAdd(now, lease.rest() + extend);
  lease.queued_for = lease.expiry;
  queue_.Push(lease.expiry, lease.id);
}

// Revoked leases leave their entries behind until their time; not too many of them.
void Lessor::RebuildQueueIfStale() {
  if (queue_.size() <= 2 * leases_.size() + kStaleEntriesMax) return;
  std::vector<ExpiryQueue::Entry> entries;
  entries.reserve(leases_.size());
  for (const auto& [id, lease] : leases_) entries.push_back({lease->queued_for, id});
  queue_.Assign(std::move(entries));
}

Lessor::Callbacks Lessor::TakeAllWaiting() {
  Callbacks all;
  for (auto& [id, lease] : leases_) {
    for (auto& callback : std::exchange(lease->waiting, {})) all.push_back(std::move(callback));
  }
  return all;
}

Lease* Lessor::FindLocked(LeaseId id) const {
  auto it = leases_.find(id);
  return it == leases_.end() ? nullptr : it->second.get();
}

}  // namespace kvorum::server
