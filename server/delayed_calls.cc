#include "server/delayed_calls.h"

#include <utility>
#include <vector>

namespace kvorum::server {

void DelayedCalls::After(Duration delay, std::function<void()> call) {
  {
    absl::MutexLock lock(&mutex_);
    if (!closed_) {
      calls_.emplace(clock_.Now() + delay, std::exchange(call, nullptr));
    }
  }
  if (call) return call();
  run_soon_();
}

TimePoint DelayedCalls::Step(TimePoint now) {
  std::vector<std::function<void()>> due;
  {
    absl::MutexLock lock(&mutex_);
    while (!calls_.empty() && calls_.begin()->first <= now) {
      due.push_back(std::move(calls_.extract(calls_.begin()).mapped()));
    }
  }
  for (const auto& call : due) call();
  absl::MutexLock lock(&mutex_);
  return calls_.empty() ? TimePoint::max() : calls_.begin()->first;
}

void DelayedCalls::Close() {
  std::multimap<TimePoint, std::function<void()>> left;
  {
    absl::MutexLock lock(&mutex_);
    closed_ = true;
    left.swap(calls_);
  }
  for (const auto& [at, call] : left) call();
}

bool DelayedCalls::closed() const {
  absl::MutexLock lock(&mutex_);
  return closed_;
}

}  // namespace kvorum::server
