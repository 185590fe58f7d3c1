#pragma once
// DelayedCalls: things to do again after a while: questions to a leader that is not there yet. A
// job of the timers stage.
//
// Threads: After and Close on any, Step on the stage, where the calls run; they must not block.

#include <absl/base/thread_annotations.h>
#include <absl/synchronization/mutex.h>

#include <functional>
#include <map>

#include "base/clock.h"

namespace kvorum::server {

class DelayedCalls {
 public:
  // `run_soon` makes the job due. `clock` must outlive this.
  DelayedCalls(const Clock& clock, std::function<void()> run_soon)
      : clock_(clock), run_soon_(std::move(run_soon)) {}

  // Bounded by the callers: one call under way each. After Close, and when that comes, `call` runs
  // at once.
  void After(Duration delay, std::function<void()> call);
  // Returns when to call again.
  TimePoint Step(TimePoint now);
  // The server stops: nothing is worth waiting for.
  void Close();
  bool closed() const;

 private:
  const Clock& clock_;
  const std::function<void()> run_soon_;
  mutable absl::Mutex mutex_;
  std::multimap<TimePoint, std::function<void()>> calls_ ABSL_GUARDED_BY(mutex_);
  bool closed_ ABSL_GUARDED_BY(mutex_) = false;
};

}  // namespace kvorum::server
