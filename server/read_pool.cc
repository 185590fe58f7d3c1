#include "server/read_pool.h"

#include <pthread.h>

#include <utility>

namespace kvorum::server {

void ReadPool::Start(size_t threads) {
  {
    absl::MutexLock lock(&mutex_);
    running_ = true;
  }
  for (size_t i = 0; i < threads; ++i) threads_.emplace_back([this] { Loop(); });
}

bool ReadPool::Run(std::function<void()> work) {
  absl::MutexLock lock(&mutex_);
  if (!running_ || queue_.size() >= kQueueLength) return false;
  queue_.push_back(std::move(work));
  not_empty_.Signal();
  return true;
}

void ReadPool::Stop() {
  {
    absl::MutexLock lock(&mutex_);
    running_ = false;
    not_empty_.SignalAll();
  }
  for (std::thread& thread : threads_) thread.join();
  threads_.clear();
}

void ReadPool::Loop() {
  pthread_setname_np(pthread_self(), "read");
  while (true) {
    std::function<void()> work;
    {
      absl::MutexLock lock(&mutex_);
      while (queue_.empty() && running_) not_empty_.Wait(&mutex_);
      if (queue_.empty()) return;
      work = std::move(queue_.front());
      queue_.pop_front();
    }
    work();
  }
}

}  // namespace kvorum::server
