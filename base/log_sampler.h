#pragma once
// Decides which of many equal log lines are written: the first 100 of each second, then every
// 100th. Lock-free. Follows zap's sampler, down to letting two messages that hash alike share a
// counter.

#include <array>
#include <atomic>
#include <cstdint>
#include <functional>
#include <string_view>

#include "base/clock.h"

namespace kvorum::log {

class Sampler {
 public:
  static constexpr uint64_t kFirst = 100;
  static constexpr uint64_t kThereafter = 100;
  static constexpr Duration kTick = std::chrono::seconds(1);

  // Whether to write a line with this level and message at this time.
  bool Admit(int level, std::string_view msg, WallTime now) {
    Counter& counter = counters_[Hash(level, msg) % counters_.size()];
    const uint64_t n = counter.Increment(now.time_since_epoch().count());
    return n <= kFirst || (n - kFirst) % kThereafter == 0;
  }

 private:
  struct Counter {
    // Lines since the tick began, this one included. The first line after a tick's end begins the
    // next; threads that meet there may count a line twice or not at all, which is harmless.
    uint64_t Increment(int64_t now_ns) {
      int64_t end = tick_end_ns.load(std::memory_order_relaxed);
      if (now_ns <= end) return count.fetch_add(1, std::memory_order_relaxed) + 1;
      count.store(1, std::memory_order_relaxed);
      if (tick_end_ns.compare_exchange_strong(end, now_ns + kTick.count(),
                                              std::memory_order_relaxed)) {
        return 1;
      }
      return count.fetch_add(1, std::memory_order_relaxed) + 1;
    }

    std::atomic<int64_t> tick_end_ns{0};
    std::atomic<uint64_t> count{0};
  };

  static size_t Hash(int level, std::string_view msg) {
    return std::hash<std::string_view>()(msg) + static_cast<size_t>(level) * 0x9e3779b97f4a7c15u;
  }

  std::array<Counter, 4096> counters_;
};

}  // namespace kvorum::log
