#pragma once
// CallQueue: a gRPC completion queue, the one thread that polls it, and the coroutines that wait on
// it.
//
// gRPC hands every finished operation back as a tag, on the polling thread. Here a tag is a Tag,
// and nearly always an awaiter inside a suspended coroutine: `co_await Operation(start)` starts the
// operation and goes on, on the polling thread, with gRPC's verdict on it.
//
// Calls that wait for the server (server/waiter.h) go on by one of two ways. Up to
// Options::direct_resumes waiters of a finished batch are resumed on the thread that finished it:
// one put then needs no second wake-up. Larger batches are queued and one alarm brings the polling
// thread to all of them: the finishing thread does not pay for serialising and sending. A queue
// with direct_resumes == 0 runs its coroutines on the polling thread only, so those need no locks.
//
// The stages that the polling thread hands work to are woken once for a burst of completions: when
// there is no other, or after kCompletionsBetweenWakeups (base/wakeup_batch.h). With a thousand
// clients a wake-up for each of their puts took a tenth of the server's CPU time.
//
// Life: construct with the builder, Start() once the gRPC server runs, then coroutines. Each has a
// Hold from before its first operation until its end. After grpc::Server::Shutdown, Finish() waits
// until all are gone, and only then shuts the completion queue down: an operation started later
// would abort the process.
//
// Threads: all methods are thread-safe, except Start and Finish, which belong to the owner.

#include <absl/base/thread_annotations.h>
#include <absl/synchronization/mutex.h>
#include <grpcpp/alarm.h>
#include <grpcpp/completion_queue.h>

#include <coroutine>
#include <memory>
#include <span>
#include <string>
#include <thread>
#include <vector>

#include "api/grpc/waiting.h"
#include "base/clock.h"
#include "base/wakeup_batch.h"

namespace kvorum::api {

// What a completion queue's tags point to.
class Tag {
 public:
  // On the polling thread. `ok` as gRPC documents it for the operation.
  virtual void Complete(bool ok) = 0;

 protected:
  ~Tag() = default;
};

// co_await Operation([&](void* tag) { reader.Read(&message, tag); }) is the operation's `ok`. The
// function object may capture by reference only.
template <typename Start>
class Operation final : public Tag {
 public:
  explicit Operation(Start start) : start_(start) {}
  Operation(const Operation&) = delete;

  bool await_ready() const noexcept { return false; }
  // Once started, the operation may have completed and the frame be gone: nothing is touched after.
  void await_suspend(std::coroutine_handle<> self) {
    self_ = self;
    start_(static_cast<Tag*>(this));
  }
  bool await_resume() const noexcept { return ok_; }

  void Complete(bool ok) override {
    ok_ = ok;
    self_.resume();
  }

 private:
  Start start_;
  std::coroutine_handle<> self_;
  bool ok_ = false;
};

// A completion queue whose thread waits for completions only and leaves sockets to the server's
// queues; calls may be bound to it, but are announced on one of those. A second queue that polls
// would take turns with the first at reading every connection: measured with puts that do nothing,
// 93 us of CPU each instead of 65 at one client, 24 instead of 17 at a thousand.
std::unique_ptr<grpc::CompletionQueue> NewNonPollingQueue();

class CallQueue final : public Executor {
 public:
  // So that work handed on waits for 0.2 ms at most while the polling thread is never idle.
  static constexpr int kCompletionsBetweenWakeups = 16;
  // More than one read of a connection brings, so that what belongs together has come in.
  static constexpr int kCompletionsBeforeBehind = 256;

  struct Options {
    std::string thread_name;
    size_t direct_resumes = 0;
  };
  // Keeps the queue alive for the coroutine that holds it.
  class Hold {
   public:
    explicit Hold(CallQueue* queue) : queue_(queue) { queue_->Acquire(); }
    Hold(const Hold&) = delete;
    ~Hold() { queue_->Release(); }

   private:
    CallQueue* queue_;
  };

  // With a queue of the server's, the thread does the network's work, too.
  CallQueue(std::unique_ptr<grpc::CompletionQueue> queue, Options options);
  ~CallQueue();

  void Start();
  // Blocks until every Hold is gone, then stops the thread. The gRPC server is shut down already.
  void Finish();

  grpc::CompletionQueue* grpc_queue() const { return queue_.get(); }

  // Executor: resumes here at once, or on the polling thread.
  void Resume(std::span<const std::coroutine_handle<>> batch) override;
  // Always on the polling thread.
  void Post(std::span<const std::coroutine_handle<>> batch);
  // Resumes always on the polling thread, for coroutines whose state has no lock.
  Executor& poster() { return poster_; }
  // co_await queue.Switch() goes on on the polling thread.
  auto Switch() { return SwitchAwaiter(this); }
  // co_await queue.Behind(), on the polling thread, goes on there when the completions at hand have
  // been handled, or kCompletionsBeforeBehind of them: costs no more than looking for them.
  auto Behind() { return BehindAwaiter(this); }

 private:
  class Poster final : public Executor {
   public:
    explicit Poster(CallQueue* queue) : queue_(queue) {}
    void Resume(std::span<const std::coroutine_handle<>> batch) override { queue_->Post(batch); }

   private:
    CallQueue* queue_;
  };
  class BatchAlarm final : public Tag {
   public:
    explicit BatchAlarm(CallQueue* queue) : queue_(queue) {}
    void Set();
    void Complete(bool ok) override;

   private:
    CallQueue* queue_;
    grpc::Alarm alarm_;
  };
  class SwitchAwaiter {
   public:
    explicit SwitchAwaiter(CallQueue* queue) : queue_(queue) {}
    bool await_ready() const noexcept { return false; }
    void await_suspend(std::coroutine_handle<> self) { queue_->Post({&self, 1}); }
    void await_resume() const noexcept {}

   private:
    CallQueue* queue_;
  };
  class BehindAwaiter {
   public:
    explicit BehindAwaiter(CallQueue* queue) : queue_(queue) {}
    bool await_ready() const noexcept { return false; }
    void await_suspend(std::coroutine_handle<> self) { queue_->behind_.push_back(self); }
    void await_resume() const noexcept {}

   private:
    CallQueue* queue_;
  };

  void Poll();
  void RunBehind();
  void Flush(WakeupBatch& wakeups);
  bool NextCompletion(WakeupBatch& wakeups, void** tag, bool* ok);
  void RunPending();
  void Acquire();
  void Release();

  const Options options_;
  const std::unique_ptr<grpc::CompletionQueue> queue_;
  Poster poster_{this};
  std::thread thread_;
  // The polling thread's.
  int since_wakeup_ = 0;  // completions handled
  int since_behind_ = 0;
  std::vector<std::coroutine_handle<>> behind_;

  absl::Mutex mutex_;
  int64_t holds_ ABSL_GUARDED_BY(mutex_) = 0;
  std::vector<std::coroutine_handle<>> pending_ ABSL_GUARDED_BY(mutex_);
  // An alarm must not be set again before its tag has come out: two take turns.
  BatchAlarm alarms_[2];
  int next_alarm_ ABSL_GUARDED_BY(mutex_) = 0;
  bool armed_ ABSL_GUARDED_BY(mutex_) = false;
};

}  // namespace kvorum::api
