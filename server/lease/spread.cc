#include "server/lease/spread.h"

#include <algorithm>

#include "server/lease/lease.h"

namespace kvorum::server {

TimePoint SaturatingAdd(TimePoint time, Duration d) {
  const TimePoint last = kNeverExpires - Duration(1);
  return d >= last - time ? last : time + d;
}

// Walks the leases by expiry in windows of a second. What is more than the rate in a window is
// pushed out in proportion, which stretches the window; a lease behind the window begins the next
// one.
std::vector<PushedOut> SpreadExpiries(std::vector<ExpiryQueue::Entry> expiries) {
  std::vector<PushedOut> moved;
  if (expiries.empty()) return moved;
  std::sort(expiries.begin(), expiries.end());
  constexpr Duration kSecond = std::chrono::seconds(1);
  TimePoint base = expiries.front().time;
  TimePoint window_end = SaturatingAdd(base, kSecond);
  int64_t in_window = 0;
  for (const auto& [expiry, id] : expiries) {
    if (expiry > window_end) {
      base = expiry;
      window_end = SaturatingAdd(base, kSecond);
      in_window = 1;
      continue;
    }
    if (++in_window <= kSpreadPerSecond) continue;
    // Who is some way into the window already needs that much less of a push.
    const Duration delay = kSecond * in_window / kSpreadPerSecond - (expiry - base);
    window_end = SaturatingAdd(base, delay);
    moved.push_back({.id = id, .from = expiry, .to = SaturatingAdd(expiry, delay)});
  }
  return moved;
}

}  // namespace kvorum::server
