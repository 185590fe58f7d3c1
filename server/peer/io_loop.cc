#include "server/peer/io_loop.h"

#include <absl/synchronization/notification.h>
#include <pthread.h>

#include <algorithm>
#include <utility>

#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>

namespace kvorum::server::peer {

namespace asio = boost::asio;

struct IoLoop::Work {
  asio::executor_work_guard<asio::io_context::executor_type> guard;
};

// One thread a context: without that, Beast's timeouts would need strands.
IoLoop::IoLoop()
    : context_(std::make_unique<asio::io_context>(1)),
      work_(std::make_unique<Work>(Work{asio::make_work_guard(*context_)})) {}

IoLoop::~IoLoop() = default;

void IoLoop::Run() {
  while (true) {
    context_->run();
    // Something may have been posted between the last callback and now.
    absl::MutexLock lock(&mutex_);
    ended_ = posted_ == 0;
    if (ended_) return;
    context_->restart();
  }
}

bool IoLoop::Post(std::function<void()> work) {
  absl::MutexLock lock(&mutex_);
  if (ended_) return false;
  ++posted_;
  asio::post(*context_, [this, work = std::move(work)]() mutable {
    std::exchange(work, nullptr)();
    absl::MutexLock lock(&mutex_);
    --posted_;
  });
  return true;
}

bool IoLoop::PostAndWait(const std::function<void()>& work) {
  absl::Notification done;
  const bool posted = Post([&] {
    work();
    done.Notify();
  });
  if (posted) done.WaitForNotification();
  return posted;
}

void IoLoop::Finish() {
  Post([this] {
    if (finishing_.exchange(true)) return;
    for (const std::weak_ptr<Closable>& one : std::exchange(tracked_, {})) {
      if (const auto closable = one.lock()) closable->Close();
    }
    work_.reset();
  });
}

// Swept whenever the list has doubled: one more costs O(1).
void IoLoop::Track(std::weak_ptr<Closable> closable) {
  if (finishing()) {
    Post([closable = std::move(closable)] {
      if (const auto late = closable.lock()) late->Close();
    });
    return;
  }
  if (tracked_.size() >= sweep_at_) {
    std::erase_if(tracked_, [](const auto& one) { return one.expired(); });
    sweep_at_ = std::max(kFirstSweep, 2 * tracked_.size());
  }
  tracked_.push_back(std::move(closable));
}

IoThread::IoThread(const std::string& name)
    : loop_(std::make_shared<IoLoop>()), thread_([loop = loop_] { loop->Run(); }) {
  pthread_setname_np(thread_.native_handle(), name.c_str());
}

IoThread::~IoThread() { Stop(); }

void IoThread::Stop() {
  if (!thread_.joinable()) return;
  loop_->Finish();
  thread_.join();
}

class Timer::Shot final : public Closable, public std::enable_shared_from_this<Shot> {
 public:
  Shot(IoLoop* loop, std::function<void()> work)
      : loop_(loop->shared_from_this()), timer_(loop->context()), work_(std::move(work)) {}

  void Start(Duration delay) {
    timer_.expires_after(delay);
    timer_.async_wait([self = shared_from_this()](boost::system::error_code) {
      if (self->work_) std::exchange(self->work_, nullptr)();
    });
  }
  void Close() override {
    work_ = nullptr;
    timer_.cancel();
  }

 private:
  const std::shared_ptr<IoLoop> loop_;  // outlives the timer
  asio::steady_timer timer_;
  std::function<void()> work_;
};

Timer::Timer(IoLoop* loop) : loop_(loop) {}

Timer::~Timer() { Cancel(); }

void Timer::After(Duration delay, std::function<void()> work) {
  Cancel();
  if (loop_->finishing()) return;
  shot_ = std::make_shared<Shot>(loop_, std::move(work));
  loop_->Track(shot_);
  shot_->Start(delay);
}

void Timer::Cancel() {
  if (shot_ != nullptr) std::exchange(shot_, nullptr)->Close();
}

}  // namespace kvorum::server::peer
