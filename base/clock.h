#pragma once
// Time as a dependency: stages take a Clock, so a simulation decides what time it is. `raft/` sees
// no clock at all, only ticks.

#include <chrono>

namespace kvorum {

using Duration = std::chrono::nanoseconds;
// Monotonic; comparable only within one process.
using TimePoint = std::chrono::time_point<std::chrono::steady_clock, Duration>;
using WallTime = std::chrono::time_point<std::chrono::system_clock, Duration>;

// Thread-safe.
class Clock {
 public:
  virtual ~Clock() = default;
  virtual TimePoint Now() const = 0;
  virtual WallTime WallNow() const = 0;
};

// The machine's clocks. Never destroyed.
Clock& SystemClock();

}  // namespace kvorum
