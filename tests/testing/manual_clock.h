#pragma once
// A Clock that stands still until the test moves it.

#include <atomic>

#include "base/clock.h"

namespace kvorum {

// Thread-safe. Both readings start at a fixed point and move together.
class ManualClock : public Clock {
 public:
  TimePoint Now() const override { return TimePoint(kStart + elapsed()); }
  // 2024-01-01T00:00:00Z plus what has passed.
  WallTime WallNow() const override { return WallTime(kWallStart + elapsed() + wall_offset()); }

  void Advance(Duration by) { elapsed_ns_.fetch_add(by.count()); }
  // Someone sets the machine's clock: only WallNow jumps.
  void JumpWall(Duration by) { wall_offset_ns_.fetch_add(by.count()); }

 private:
  // Not zero, so that "never" and "at the start" stay different.
  static constexpr Duration kStart = std::chrono::hours(1);
  static constexpr Duration kWallStart = std::chrono::seconds(1704067200);

  Duration elapsed() const { return Duration(elapsed_ns_.load()); }
  Duration wall_offset() const { return Duration(wall_offset_ns_.load()); }

  std::atomic<int64_t> elapsed_ns_{0};
  std::atomic<int64_t> wall_offset_ns_{0};
};

}  // namespace kvorum
