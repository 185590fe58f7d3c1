#pragma once
// IoLoop: one thread's event loop, on which sockets and timers of this folder live, without naming
// Asio to those who use it.
//
// Everything that can keep the loop busy is tracked as a Closable and closed by Finish, so that
// the loop always comes to its natural end: no callback is lost, none runs after.
//
// Threads: Post, Finish and stopping on any; everything else on the thread that runs the loop.

#include <absl/base/thread_annotations.h>
#include <absl/synchronization/mutex.h>

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "base/clock.h"

namespace boost::asio {
class io_context;
}

namespace kvorum::server::peer {

class Closable {
 public:
  virtual ~Closable() = default;
  // Ends what is under way, whose callbacks then run soon. Idempotent.
  virtual void Close() = 0;
};

class IoLoop : public std::enable_shared_from_this<IoLoop> {
 public:
  IoLoop();
  ~IoLoop();
  IoLoop(const IoLoop&) = delete;
  IoLoop& operator=(const IoLoop&) = delete;

  // Until Finish was called and all callbacks have run. Once, on one thread.
  void Run();
  // True: `work` will run on the loop's thread. False: too late, it is dropped.
  bool Post(std::function<void()> work);
  // The same, and waits until it has run. Not on the loop's thread.
  bool PostAndWait(const std::function<void()>& work);
  // Closes what is tracked; whatever begins later ends at once.
  void Finish();
  bool finishing() const { return finishing_.load(std::memory_order_relaxed); }

  void Track(std::weak_ptr<Closable> closable);
  boost::asio::io_context& context() { return *context_; }

 private:
  struct Work;
  static constexpr size_t kFirstSweep = 64;

  const std::unique_ptr<boost::asio::io_context> context_;
  std::unique_ptr<Work> work_;
  std::vector<std::weak_ptr<Closable>> tracked_;  // some of them gone
  size_t sweep_at_ = kFirstSweep;
  std::atomic<bool> finishing_ = false;
  absl::Mutex mutex_;
  int64_t posted_ ABSL_GUARDED_BY(mutex_) = 0;  // and not run yet
  bool ended_ ABSL_GUARDED_BY(mutex_) = false;  // nothing can be posted any more
};

// A loop on a thread of its own.
class IoThread {
 public:
  // `name`: at most 15 characters.
  explicit IoThread(const std::string& name);
  ~IoThread();  // Stop()

  IoLoop& loop() { return *loop_; }
  const std::shared_ptr<IoLoop>& shared_loop() { return loop_; }
  // Finishes the loop and joins.
  void Stop();

 private:
  const std::shared_ptr<IoLoop> loop_;
  std::thread thread_;
};

// Runs a callback once, later. Never after Cancel or its destruction, which count as Cancel. On
// the loop's thread.
class Timer {
 public:
  explicit Timer(IoLoop* loop);
  ~Timer();
  Timer(const Timer&) = delete;
  Timer& operator=(const Timer&) = delete;

  // Replaces what was set before. Does nothing once the loop is finishing.
  void After(Duration delay, std::function<void()> work);
  void Cancel();

 private:
  class Shot;

  IoLoop* const loop_;
  std::shared_ptr<Shot> shot_;
};

}  // namespace kvorum::server::peer
