#include "server/compactor/auto_compactor.h"

#include <utility>

#include "server/compactor/periodic_compactor.h"
#include "server/compactor/revision_compactor.h"

namespace kvorum::server {

std::unique_ptr<AutoCompactor> AutoCompactor::New(const CompactionRetention& retention,
                                                  Parts parts) {
  if (retention.off()) return nullptr;
  if (retention.mode == CompactionMode::kRevision) {
    return std::make_unique<RevisionCompactor>(retention.revisions, std::move(parts));
  }
  return std::make_unique<PeriodicCompactor>(retention.period, std::move(parts));
}

TimePoint AutoCompactor::Step(TimePoint now) {
  if (under_way_) {
    if (!finished_.load(std::memory_order_acquire)) return TimePoint::max();  // until run_soon
    Finish(now);
    wait_until_ = BeginWait(now);
  }
  if (!wait_until_) wait_until_ = BeginWait(now);
  if (now < *wait_until_) return *wait_until_;
  std::optional<Revision> revision;
  if (parts_.leads()) revision = Choose(now);
  if (revision) {
    Start(*revision, now);
    return TimePoint::max();
  }
  wait_until_ = BeginWait(now);
  return *wait_until_;
}

void AutoCompactor::Start(Revision revision, TimePoint now) {
  LogStarting(revision);
  under_way_ = revision;
  started_at_ = now;
  finished_.store(false, std::memory_order_relaxed);
  parts_.compact(revision, [this](Error error) {
    result_ = error;
    finished_.store(true, std::memory_order_release);
    parts_.run_soon();
  });
}

void AutoCompactor::Finish(TimePoint now) {
  const Revision revision = *std::exchange(under_way_, std::nullopt);
  if (result_ == Error::kOk || result_ == Error::kCompacted) {
    OnDone(revision, now, now - started_at_);
  } else if (result_ != Error::kStopped) {
    LogFailed(revision, result_);
  }
}

}  // namespace kvorum::server
