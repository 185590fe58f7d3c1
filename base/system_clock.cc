#include "base/clock.h"

namespace kvorum {
namespace {

class MachineClock : public Clock {
 public:
  TimePoint Now() const override {
    return std::chrono::time_point_cast<Duration>(std::chrono::steady_clock::now());
  }
  WallTime WallNow() const override {
    return std::chrono::time_point_cast<Duration>(std::chrono::system_clock::now());
  }
};

}  // namespace

Clock& SystemClock() {
  static MachineClock* const clock = new MachineClock;
  return *clock;
}

}  // namespace kvorum
