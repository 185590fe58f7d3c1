#pragma once
// WakeupBatch: wake-ups put off until the thread that causes them has nothing else to do.
//
// To wake a thread costs more than what a stage does with one item. A thread that handles events
// in bursts opens a WakeupBatch for as long as it runs and flushes it before it blocks; queues that
// are told that a wake-up may wait then have their consumer woken once a burst. On a thread without
// a batch nothing is put off.
//
//   WakeupBatch wakeups;
//   while (...) {
//     if (!TryNext(&event)) {
//       wakeups.Flush();  // nobody may wait for a thread that waits
//       Next(&event);
//     }
//     Handle(event);      // queue.TryPush(item, cost, Wakeup::kMayWait)
//   }
//
// Threads: a batch belongs to the thread that made it. At most one a thread.

#include <vector>

namespace kvorum {

enum class Wakeup : bool { kNow, kMayWait };

class WakeupBatch {
 public:
  // Has a consumer that may sleep on it. Must outlive the flush that follows its Add.
  class Target {
   public:
    virtual ~Target() = default;
    // Wakes the consumer if there is something for it. Thread-safe.
    virtual void WakeIfFilled() = 0;
  };

  WakeupBatch();
  ~WakeupBatch();  // Flush()
  WakeupBatch(const WakeupBatch&) = delete;
  WakeupBatch& operator=(const WakeupBatch&) = delete;

  // Puts a wake-up of `target` into this thread's batch. False: there is none, wake it now.
  static bool Add(Target* target);
  bool empty() const { return targets_.empty(); }
  void Flush();

 private:
  std::vector<Target*> targets_;  // each once
};

}  // namespace kvorum
