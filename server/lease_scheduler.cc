#include "server/lease_scheduler.h"

#include <utility>

#include "base/log.h"
#include "server/metrics.h"

namespace kvorum::server {

TimePoint LeaseScheduler::Step(TimePoint now) {
  parts_.lessor->SettlePromotion();
  if (now >= next_scan_) {
    next_scan_ = now + kLeaseExpiryScanInterval;
    Scan(now);
  }
  ProposeRevokes();
  ProposeCheckpoints();
  return next_scan_;
}

void LeaseScheduler::Scan(TimePoint now) {
  if (!parts_.lessor->primary()) return;
  if (!parts_.raft->is_leader() || !parts_.raft->active(now)) {
    LOG_WARN("Ignore the lease revoking request because current member isn't a leader",
             {"local-member-id", HexId(parts_.self)});
    return;
  }
  checkpoint_entries_left_ = kCheckpointEntriesPerScan;
  if (!expired_.empty()) return;  // the log is behind
  const std::vector<LeaseId> expired = parts_.lessor->TakeExpired();
  expired_.assign(expired.begin(), expired.end());
}

void LeaseScheduler::ProposeRevokes() {
  while (!expired_.empty() && revokes_under_way_.load() < kMaxPendingRevokes) {
    const LeaseId id = expired_.front();
    expired_.pop_front();
    revokes_under_way_.fetch_add(1);
    etcdserverpb::InternalRaftRequest request;
    request.mutable_lease_revoke()->set_id(id.value());
    parts_.proposer->ProposeOwn(std::move(request), [this, id](Error error) {
      OnRevoked(id, error);
      revokes_under_way_.fetch_sub(1);
      parts_.run_soon();
    });
  }
}

void LeaseScheduler::OnRevoked(LeaseId id, Error error) {
  if (error == Error::kOk) leases_expired_total.Add();
  if (error == Error::kOk || error == Error::kStopped) return;
  LOG_WARN("failed to revoke lease", {"lease-id", HexId(id.value())}, {"error", TextOf(error)});
}

void LeaseScheduler::ProposeCheckpoints() {
  if (checkpoint_entries_left_ == 0 || checkpoint_under_way_.load()) return;
  const std::vector<LeaseRest> rests = parts_.lessor->TakeCheckpoints();
  if (rests.empty()) {
    checkpoint_entries_left_ = 0;
    return;
  }
  --checkpoint_entries_left_;
  etcdserverpb::InternalRaftRequest request;
  for (const LeaseRest& rest : rests) {
    auto* const checkpoint = request.mutable_lease_checkpoint()->add_checkpoints();
    checkpoint->set_id(rest.id.value());
    checkpoint->set_remaining_ttl(rest.remaining_seconds);
  }
  checkpoint_under_way_.store(true);
  // The lessor schedules the next one whatever becomes of this.
  parts_.proposer->ProposeOwn(std::move(request), [this](Error) {
    checkpoint_under_way_.store(false);
    parts_.run_soon();
  });
}

}  // namespace kvorum::server
