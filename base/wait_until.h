#pragma once
// Waiting on a condition variable to a deadline of ours, where no deadline and one long past are
// values too: TimePoint::max() waits for the signal alone, TimePoint::min() must not be subtracted
// from.

#include <absl/base/thread_annotations.h>
#include <absl/synchronization/mutex.h>
#include <absl/time/time.h>

#include <chrono>

#include "base/clock.h"

namespace kvorum {

// False if `deadline` (of the steady clock) has passed already; else true after a signal, at
// the deadline or without a cause: look at the condition again.
inline bool WaitUntil(absl::CondVar& changed, absl::Mutex& mutex, TimePoint deadline)
    ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex) {
  if (deadline == TimePoint::max()) {
    changed.Wait(&mutex);
    return true;
  }
  const TimePoint now = std::chrono::steady_clock::now();
  if (deadline <= now) return false;
  changed.WaitWithTimeout(&mutex, absl::FromChrono(deadline - now));
  return true;
}

}  // namespace kvorum
