#include "server/lease/lessor.h"

#include <algorithm>
#include <queue>
#include <utility>

#include "base/log.h"

namespace kvorum::server {
namespace {

void CallAll(const std::vector<LeaseShard::Callback>& callbacks) {
  for (const auto& callback : callbacks) callback();
}

}  // namespace

int64_t MinLeaseTtlSeconds(uint64_t election_ticks, Duration heartbeat) {
  const Duration shortest = static_cast<int64_t>(3 * election_ticks / 2) * heartbeat;
  return std::chrono::ceil<std::chrono::seconds>(shortest).count();
}

Lessor::Lessor(const Clock* clock, LessorOptions options)
    : clock_(clock), options_(std::move(options)) {
  for (int i = 0; i < 1 << kShardBits; ++i) {
    shards_.push_back(std::make_unique<LeaseShard>(options_));
  }
}

// By other bits than the shards' own tables use.
LeaseShard& Lessor::ShardOf(LeaseId id) const {
  const uint64_t mixed = static_cast<uint64_t>(id.value()) * 0x9e3779b97f4a7c15;
  return *shards_[mixed >> (64 - kShardBits)];
}

// ---- Apply thread -------------------------------------------------------------------------------

Status Lessor::Recover(mvcc::Backend& backend) {
  absl::flat_hash_map<const LeaseShard*, LeaseShard::Leases> leases;
  size_t count = 0;
  auto rows = backend.NewIterator(mvcc::Bucket::kLease);
  for (; rows->Valid(); rows->Next()) {
    std::optional<Lease> row = DecodeLease(rows->value());
    if (!row) return absl::DataLossError("a row of the lease bucket is not a lease");
    row->ttl_seconds = std::max(row->ttl_seconds, options_.min_ttl_seconds);
    const LeaseId id = row->id;
    leases[&ShardOf(id)].insert_or_assign(id, *std::move(row));
  }
  RETURN_IF_ERROR(rows->status(), "reading leases");

  std::vector<LeaseShard::Callback> waiting;
  {
    absl::MutexLock lock(&role_mutex_);
    for (auto& shard : shards_) {
      LeaseShard::Leases& part = leases[shard.get()];
      count += part.size();
      for (auto& callback : shard->Replace(std::move(part), clock_->Now())) {
        waiting.push_back(std::move(callback));
      }
    }
    size_.store(count, std::memory_order_relaxed);
  }
  CallAll(waiting);
  return absl::OkStatus();
}

LeaseGrantResult Lessor::Grant(LeaseId id, int64_t ttl_seconds, mvcc::Batch& batch) {
  if (id == LeaseId(0)) return {.error = Error::kLeaseNotFound};
  if (ttl_seconds > kMaxLeaseTtlSeconds) return {.error = Error::kLeaseTtlTooLarge};
  Lease lease;
  lease.id = id;
  lease.ttl_seconds = std::max(ttl_seconds, options_.min_ttl_seconds);
  const std::string row = EncodeLease(lease);
  const int64_t effective = lease.ttl_seconds;
  if (!ShardOf(id).Insert(std::move(lease), clock_->Now())) return {.error = Error::kLeaseExists};
  size_.fetch_add(1, std::memory_order_relaxed);
  batch.Put(mvcc::Bucket::kLease, EncodeLeaseKey(id), row);
  return {.ttl_seconds = effective};
}

LeaseRevokeResult Lessor::Revoke(LeaseId id, mvcc::Batch& batch) {
  std::optional<LeaseShard::Removed> removed = ShardOf(id).Remove(id);
  if (!removed) return {.error = Error::kLeaseNotFound};
  size_.fetch_sub(1, std::memory_order_relaxed);
  batch.Delete(mvcc::Bucket::kLease, EncodeLeaseKey(id));
  return {.keys = std::move(removed->lease.keys), .waiting = std::move(removed->waiting)};
}

void Lessor::Checkpoint(LeaseId id, int64_t remaining_seconds, mvcc::Batch& batch) {
  const std::optional<Lease> lease = ShardOf(id).Checkpoint(id, remaining_seconds, clock_->Now());
  if (!lease) return;
  if (options_.persist_checkpoints && !options_.persist_checkpoints()) return;
  batch.Put(mvcc::Bucket::kLease, EncodeLeaseKey(id), EncodeLease(*lease));
}

void Lessor::Attach(LeaseId id, std::string_view key) {
  if (ShardOf(id).Attach(id, key)) return;
  LOG_WARN("a key names a lease that does not exist", {"lease-id", HexId(id.value())});
}

void Lessor::Detach(LeaseId id, std::string_view key) { ShardOf(id).Detach(id, key); }

// ---- Role ---------------------------------------------------------------------------------------

void Lessor::Promote(Duration extend) {
  absl::MutexLock lock(&role_mutex_);
  const TimePoint now = clock_->Now();
  for (auto& shard : shards_) shard->Promote(now, extend);
  primary_.store(true, std::memory_order_release);
  promotion_to_settle_.store(true, std::memory_order_release);
}

void Lessor::Demote() {
  std::vector<LeaseShard::Callback> waiting;
  {
    absl::MutexLock lock(&role_mutex_);
    primary_.store(false, std::memory_order_release);
    for (auto& shard : shards_) {
      for (auto& callback : shard->Demote()) waiting.push_back(std::move(callback));
    }
  }
  CallAll(waiting);
}

// Expiries that moved since, by a renewal or another promotion, are left alone.
void Lessor::SettlePromotion() {
  if (!promotion_to_settle_.load(std::memory_order_relaxed)) return;
  if (!promotion_to_settle_.exchange(false, std::memory_order_acq_rel)) return;
  std::vector<ExpiryQueue::Entry> expiries;
  expiries.reserve(size());
  for (auto& shard : shards_) shard->Settle(&expiries);
  if (expiries.size() < kSpreadFromLeases) return;
  for (const auto& [id, from, to] : SpreadExpiries(std::move(expiries))) {
    ShardOf(id).PushOut(id, from, to);
  }
}

// ---- Any thread ---------------------------------------------------------------------------------

LeaseRenewResult Lessor::Renew(LeaseId id, std::function<void()> when_settled) {
  return ShardOf(id).Renew(id, clock_->Now(), options_.checkpoints, std::move(when_settled));
}

LeaseRenewResult Lessor::RenewAsIs(LeaseId id, std::function<void()> when_settled) {
  return ShardOf(id).Renew(id, clock_->Now(), /*checkpoint_first=*/false, std::move(when_settled));
}

std::vector<LeaseId> Lessor::TakeExpired(size_t limit) {
  SettlePromotion();
  std::vector<LeaseId> expired;
  const TimePoint now = clock_->Now();
  // The shards that have expired leases, by the first of them.
  using Front = std::pair<TimePoint, LeaseShard*>;
  std::priority_queue<Front, std::vector<Front>, std::greater<>> fronts;
  const auto look = [&](LeaseShard* shard) {
    if (const auto next = shard->NextExpired(now)) fronts.emplace(*next, shard);
  };
  for (auto& shard : shards_) look(shard.get());
  while (!fronts.empty() && expired.size() < limit) {
    LeaseShard* const shard = fronts.top().second;
    fronts.pop();
    if (const auto id = shard->TakeExpired(now)) expired.push_back(*id);
    look(shard);
  }
  return expired;
}

std::vector<LeaseRest> Lessor::TakeCheckpoints(size_t max) {
  std::vector<LeaseRest> checkpoints;
  if (!options_.checkpoints) return checkpoints;
  const TimePoint now = clock_->Now();
  for (size_t i = 0; i < shards_.size() && checkpoints.size() < max; ++i) {
    shards_[next_checkpoint_shard_]->TakeCheckpoints(now, max, &checkpoints);
    // A shard that filled the batch may have more.
    if (checkpoints.size() < max) {
      next_checkpoint_shard_ = (next_checkpoint_shard_ + 1) % shards_.size();
    }
  }
  return checkpoints;
}

std::optional<LeaseInfo> Lessor::Find(LeaseId id, bool with_keys) const {
  std::optional<LeaseInfo> info = ShardOf(id).Find(id, clock_->Now());
  if (info && with_keys) info->keys = Keys(id);
  return info;
}

std::vector<LeaseId> Lessor::Leases() const {
  std::vector<ExpiryQueue::Entry> order;
  order.reserve(size());
  for (const auto& shard : shards_) shard->List(&order);
  std::sort(order.begin(), order.end());
  std::vector<LeaseId> ids;
  ids.reserve(order.size());
  for (const auto& [expiry, id] : order) ids.push_back(id);
  return ids;
}

}  // namespace kvorum::server
