#include "server/defragmenter.h"

#include <algorithm>
#include <utility>

#include "base/human_bytes.h"
#include "base/log.h"
#include "base/metrics.h"
#include "server/fatal.h"
#include "server/job_stage.h"
#include "server/own_call.h"

namespace kvorum::server {
namespace {

metrics::Histogram& seconds = metrics::Default().AddHistogram(
    "etcd_disk_backend_defrag_duration_seconds",
    "The latency distribution of backend defragmentation.", metrics::ExponentialBounds(.1, 2, 13));
metrics::Gauge& in_flight = metrics::Default().AddGauge(
    "etcd_disk_defrag_inflight",
    "Whether or not defrag is active on the member. 1 means active, 0 means not.");

}  // namespace

bool Defragmenter::Begin(TimePoint now) {
  {
    absl::MutexLock lock(&mutex_);
    if (closed_ || next_.empty()) return false;
    waiting_ = std::exchange(next_, {});
  }
  running_ = true;
  options_.compactor->Get();
  generation_ = options_.compactor->generation();
  in_flight.Set(1);
  began_ = now;
  readers_only_since_ = now;
  before_ = SizesNow();
  LOG_INFO("defragmenting", {"path", options_.path}, {"current-db-size-bytes", before_.total},
           {"current-db-size", HumanBytes(before_.total)},
           {"current-db-size-in-use-bytes", before_.in_use},
           {"current-db-size-in-use", HumanBytes(before_.in_use)});
  return true;
}

TimePoint Defragmenter::Step(TimePoint now) {
  if (!running_ && !Begin(now)) return TimePoint::max();
  {
    absl::MutexLock lock(&mutex_);
    if (closed_) return TimePoint::max();
  }
  options_.compactor->Get();
  if (options_.compactor->generation() != generation_) {
    End(Error::kOk);  // the store that has taken its place is as tidy as can be
    return now;
  }
  if (HeldUp(now)) return now + kRetryInterval;
  return RewriteOne(now);
}

bool Defragmenter::HeldUp(TimePoint now) {
  if (!options_.compactor->Get().Unfinished()) return false;
  if (!options_.compactor->Get().WaitsForReaders()) readers_only_since_ = now;
  return now - readers_only_since_ < kReaderGrace;
}

TimePoint Defragmenter::RewriteOne(TimePoint now) {
  using Progress = mvcc::Compactor::Progress;
  const TimePoint piece_began = options_.clock->Now();
  const StatusOr<Progress> progress = options_.compactor->Get().DefragmentStep();
  if (absl::IsResourceExhausted(progress.status())) {
    LOG_WARN("failed to defragment", {"error", progress.status()});
    End(Error::kDiskFull);
    return now;
  }
  if (!progress.ok()) Fatal("failed to defragment the store", {{"error", progress.status()}});
  if (*progress == Progress::kWaitFiles) return now + kRetryInterval;
  if (*progress == Progress::kMore) return AfterRest(*options_.clock, piece_began);
  const TimePoint after = options_.clock->Now();

  const Sizes sizes = SizesNow();
  LOG_INFO("finished defragmenting directory", {"path", options_.path},
           {"current-db-size-bytes-diff", sizes.total - before_.total},
           {"current-db-size-bytes", sizes.total}, {"current-db-size", HumanBytes(sizes.total)},
           {"current-db-size-in-use-bytes-diff", sizes.in_use - before_.in_use},
           {"current-db-size-in-use-bytes", sizes.in_use},
           {"current-db-size-in-use", HumanBytes(sizes.in_use)}, {"took", after - began_});
  seconds.Observe(after - began_);
  options_.request_commit();  // which makes the new sizes part of what is stored
  End(Error::kOk);
  return after;
}

void Defragmenter::End(Error error) {
  running_ = false;
  in_flight.Set(0);
  std::vector<Waiter*> done;
  {
    absl::MutexLock lock(&mutex_);
    done = std::exchange(waiting_, {});
  }
  if (error == Error::kOk && !done.empty()) LOG_INFO("finished defragment");
  for (Waiter* waiter : done) waiter->error = error;
  ResumeAll(done);
}

Defragmenter::Sizes Defragmenter::SizesNow() const {
  const std::shared_ptr<mvcc::Store> store = options_.store->Get();
  return {.total = store->size_bytes(), .in_use = store->size_in_use_bytes()};
}

bool Defragmenter::Wait(Waiter* waiter) {
  {
    absl::MutexLock lock(&mutex_);
    if (!closed_) {
      LOG_INFO("starting defragment");
      next_.push_back(waiter);
      return true;
    }
  }
  ResumeOne(waiter, Error::kStopped);
  return false;
}

bool Defragmenter::WantAtStart(uint64_t threshold_bytes) {
  const Sizes sizes = SizesNow();
  if (static_cast<uint64_t>(sizes.total - sizes.in_use) >= threshold_bytes) {
    return Wait(NewOwnWait([](Error) {}));
  }
  LOG_INFO("Skipping defragmentation", {"current-db-size-bytes", sizes.total},
           {"current-db-size", HumanBytes(sizes.total)},
           {"current-db-size-in-use-bytes", sizes.in_use},
           {"current-db-size-in-use", HumanBytes(sizes.in_use)},
           {"bootstrap-defrag-threshold-bytes", threshold_bytes},
           {"bootstrap-defrag-threshold", HumanBytes(threshold_bytes)});
  return false;
}

bool Defragmenter::Abandon(Waiter* waiter) {
  absl::MutexLock lock(&mutex_);
  return std::erase(next_, waiter) + std::erase(waiting_, waiter) > 0;
}

void Defragmenter::Close(Error error) {
  std::vector<Waiter*> all;
  {
    absl::MutexLock lock(&mutex_);
    closed_ = true;
    all = std::exchange(next_, {});
    all.insert(all.end(), waiting_.begin(), waiting_.end());
    waiting_.clear();
  }
  for (Waiter* waiter : all) waiter->error = error;
  ResumeAll(all);
}

}  // namespace kvorum::server
