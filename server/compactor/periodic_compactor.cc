#include "server/compactor/periodic_compactor.h"

#include <algorithm>
#include <utility>

#include "base/log.h"
#include "server/own_call.h"

namespace kvorum::server {
namespace {

constexpr Duration kIntervalMax = std::chrono::hours(1);
constexpr int kStepsPerInterval = 10;
// Of a sampling step, so that a period of a few microseconds does not keep the timers busy.
constexpr Duration kStepMin = std::chrono::milliseconds(1);

}  // namespace

PeriodicCompactor::PeriodicCompactor(Duration period, Parts parts)
    : AutoCompactor(std::move(parts)),
      period_(period),
      interval_(std::min(period, kIntervalMax)),
      step_(std::max(interval_ / kStepsPerInterval, kStepMin)),
      window_(static_cast<size_t>(period / step_) + 1),
      quiet_time_(period) {}

TimePoint PeriodicCompactor::BeginWait(TimePoint now) {
  if (!last_success_) last_success_ = now;
  samples_.push_back(parts().revision());
  if (samples_.size() > window_) samples_.pop_front();
  return now + step_;
}

std::optional<Revision> PeriodicCompactor::Choose(TimePoint now) {
  const Revision oldest = samples_.front();
  if (now - *last_success_ < quiet_time_ || oldest == last_compacted_) return std::nullopt;
  // Only the first compaction waits for a whole period.
  quiet_time_ = interval_;
  return oldest;
}

void PeriodicCompactor::LogStarting(Revision revision) const {
  LOG_INFO("starting auto periodic compaction", {"revision", revision.value()},
           {"compact-period", period_});
}

void PeriodicCompactor::OnDone(Revision revision, TimePoint now, Duration took) {
  LOG_INFO("completed auto periodic compaction", {"revision", revision.value()},
           {"compact-period", period_}, {"took", took});
  last_compacted_ = revision;
  last_success_ = now;
}

void PeriodicCompactor::LogFailed(Revision revision, Error error) const {
  LOG_WARN("failed auto periodic compaction", {"revision", revision.value()},
           {"compact-period", period_}, {"retry-interval", step_}, {"error", TextOf(error)});
}

}  // namespace kvorum::server
