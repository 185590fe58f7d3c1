#include "server/replicated_state.h"

#include <absl/strings/numbers.h>
#include <absl/strings/str_split.h>

#include <utility>

namespace kvorum::server {
namespace {

LessorOptions TimesOf(const Config& config) {
  const auto heartbeat = std::chrono::milliseconds(config.heartbeat_interval_ms);
  return {.min_ttl_seconds = MinLeaseTtlSeconds(config.election_ticks(), heartbeat),
          .retry_interval = config.request_timeout(),
          .checkpoints = config.lease_checkpoint};
}

// Older members would not know what to do with a rest in a lease's row.
bool KnowsLeaseRests(const std::string& cluster_version) {
  const std::vector<std::string> parts = absl::StrSplit(cluster_version, '.');
  int major = 0;
  int minor = 0;
  return parts.size() >= 2 && absl::SimpleAtoi(parts[0], &major) &&
         absl::SimpleAtoi(parts[1], &minor) && std::pair(major, minor) >= std::pair(3, 6);
}

}  // namespace

ReplicatedState::ReplicatedState(const Config& config, const Clock& clock,
                                 std::unique_ptr<Random> random)
    : random_(std::move(random)), lessor_(&clock, LeaseOptions(config)) {}

LessorOptions ReplicatedState::LeaseOptions(const Config& config) const {
  LessorOptions options = TimesOf(config);
  options.persist_checkpoints = [this, always = config.lease_checkpoint_persist] {
    return always || KnowsLeaseRests(membership_->cluster_version());
  };
  return options;
}

ReplicatedState::~ReplicatedState() { SetFlushListener({}); }

StatusOr<std::unique_ptr<ReplicatedState>> ReplicatedState::Open(Recovered& recovered,
                                                                 const Config& config,
                                                                 const Clock& clock,
                                                                 std::unique_ptr<Random> random) {
  std::unique_ptr<ReplicatedState> state(new ReplicatedState(config, clock, std::move(random)));
  state->membership_ = std::move(recovered.membership);
  state->watches_ = mvcc::WatchableStore::New(
      state->random_.get(), {.progress_interval = config.watch_progress_notify_interval});
  RETURN_IF_ERROR(state->OpenStore(std::move(recovered.backend)));
  return state;
}

Status ReplicatedState::Replace(std::unique_ptr<mvcc::Backend> backend) {
  RETURN_IF_ERROR(membership_->Load(*backend), "members");
  return OpenStore(std::move(backend));
}

Status ReplicatedState::OpenStore(std::unique_ptr<mvcc::Backend> backend) {
  RETURN_IF_ERROR(alarms_.Load(*backend), "alarms");
  RETURN_IF_ERROR(lessor_.Recover(*backend), "leases");
  backend->SetFlushListener([relay = flush_relay_] {
    absl::MutexLock lock(&relay->mutex);
    if (relay->listener) relay->listener();
  });
  const mvcc::StoreOptions options{.leases = &lessor_, .events = watches_.get()};
  ASSIGN_OR_RETURN(std::shared_ptr<mvcc::Store> store,
                   mvcc::Store::Open(std::move(backend), options));
  store_.Set(store);
  watches_->Attach(mvcc::NewStoreWatchSource(std::move(store)));
  return absl::OkStatus();
}

void ReplicatedState::SetFlushListener(std::function<void()> listener) {
  absl::MutexLock lock(&flush_relay_->mutex);
  flush_relay_->listener = std::move(listener);
}

}  // namespace kvorum::server
