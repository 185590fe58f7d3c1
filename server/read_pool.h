#pragma once
// ReadPool: a few threads for reads that need the disk or take long. Work waits in one queue; when
// that is full, new work is refused rather than delayed without bound.

#include <absl/base/thread_annotations.h>
#include <absl/synchronization/mutex.h>

#include <deque>
#include <functional>
#include <thread>
#include <vector>

namespace kvorum::server {

class ReadPool {
 public:
  static constexpr size_t kQueueLength = 1024;

  ReadPool() = default;
  ~ReadPool() { Stop(); }
  ReadPool(const ReadPool&) = delete;
  ReadPool& operator=(const ReadPool&) = delete;

  void Start(size_t threads);
  // False, with nothing done, when the queue is full or the pool does not run.
  [[nodiscard]] bool Run(std::function<void()> work);
  // Finishes what is queued. Idempotent.
  void Stop();

 private:
  void Loop();

  absl::Mutex mutex_;
  absl::CondVar not_empty_;
  std::deque<std::function<void()>> queue_ ABSL_GUARDED_BY(mutex_);
  bool running_ ABSL_GUARDED_BY(mutex_) = false;
  std::vector<std::thread> threads_;
};

}  // namespace kvorum::server
