#pragma once
// The queue between two stages: any number of producers, one consumer that takes everything at
// once.
//
// Bounded by a total cost (bytes, or 1 an item); what a full queue means is the producer's
// business: TryPush says no and the item stays with the caller. Push ignores the bound, for items
// that must not be lost and are bounded by other means (acknowledgements of work already queued).
// The consumer is woken by the first push since it last took everything; a push whose wake-up may
// wait leaves that to the producer's WakeupBatch, or to the next push that does not.

#include <absl/base/thread_annotations.h>
#include <absl/synchronization/mutex.h>

#include <cstdint>
#include <optional>
#include <utility>
#include <vector>

#include "base/clock.h"
#include "base/wait_until.h"
#include "base/wakeup_batch.h"

namespace kvorum {

template <typename T>
class BoundedQueue final : public WakeupBatch::Target {
 public:
  // `capacity` in the unit of the costs given to Push.
  explicit BoundedQueue(int64_t capacity) : capacity_(capacity) {}
  BoundedQueue(const BoundedQueue&) = delete;
  BoundedQueue& operator=(const BoundedQueue&) = delete;

  // False, with `item` untouched, when the queue is full or closed. An item larger than the whole
  // capacity is taken when the queue is empty, so that nothing is stuck for ever.
  [[nodiscard]] bool TryPush(T&& item, int64_t cost = 1, Wakeup wakeup = Wakeup::kNow) {
    absl::MutexLock lock(&mutex_);
    if (closed_ || (cost_ > 0 && cost_ + cost > capacity_)) return false;
    Append(std::move(item), cost, wakeup);
    return true;
  }
  // False only when closed.
  bool Push(T&& item, int64_t cost = 1) {
    absl::MutexLock lock(&mutex_);
    if (closed_) return false;
    Append(std::move(item), cost, Wakeup::kNow);
    return true;
  }

  // Everything queued, in order; waits for something until `deadline`. Empty on timeout, on Wake()
  // and when closed and drained. One consumer only.
  std::vector<T> PopAll(TimePoint deadline = TimePoint::max()) {
    absl::MutexLock lock(&mutex_);
    while (items_.empty() && !closed_ && !woken_ && WaitUntil(not_empty_, mutex_, deadline)) {
    }
    return Take();
  }
  // What is there now, without waiting.
  std::vector<T> TryPopAll() {
    absl::MutexLock lock(&mutex_);
    return Take();
  }

  // Makes a waiting (or the next) PopAll return.
  void Wake() {
    absl::MutexLock lock(&mutex_);
    woken_ = true;
    not_empty_.Signal();
  }
  // For a WakeupBatch.
  void WakeIfFilled() override {
    absl::MutexLock lock(&mutex_);
    if (!items_.empty()) SignalOnce();
  }
  // No more pushes; PopAll still hands out what is left, then returns empty at once.
  void Close() {
    absl::MutexLock lock(&mutex_);
    closed_ = true;
    not_empty_.SignalAll();
  }
  bool closed() const {
    absl::MutexLock lock(&mutex_);
    return closed_;
  }
  int64_t cost() const {
    absl::MutexLock lock(&mutex_);
    return cost_;
  }

 private:
  void Append(T&& item, int64_t cost, Wakeup wakeup) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) {
    items_.push_back(std::move(item));
    cost_ += cost;
    if (!signalled_ && (wakeup == Wakeup::kNow || !WakeupBatch::Add(this))) SignalOnce();
  }
  void SignalOnce() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) {
    if (std::exchange(signalled_, true)) return;
    not_empty_.Signal();
  }
  std::vector<T> Take() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) {
    woken_ = false;
    signalled_ = false;
    cost_ = 0;
    std::vector<T> taken;
    taken.swap(items_);
    return taken;
  }

  const int64_t capacity_;
  mutable absl::Mutex mutex_;
  absl::CondVar not_empty_;
  std::vector<T> items_ ABSL_GUARDED_BY(mutex_);
  int64_t cost_ ABSL_GUARDED_BY(mutex_) = 0;
  bool closed_ ABSL_GUARDED_BY(mutex_) = false;
  bool woken_ ABSL_GUARDED_BY(mutex_) = false;
  bool signalled_ ABSL_GUARDED_BY(mutex_) = false;  // for what is queued now
};

}  // namespace kvorum
