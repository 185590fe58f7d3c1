#pragma once
// ClientWatch, for unary calls that may wait for minutes, and Signal.

#include <absl/base/thread_annotations.h>
#include <absl/synchronization/mutex.h>
#include <grpc/support/time.h>
#include <grpcpp/alarm.h>

#include <coroutine>
#include <functional>
#include <optional>
#include <utility>

#include "api/grpc/queue.h"
#include "api/grpc/task.h"
#include "server/errors.h"

namespace kvorum::api {

// Whether it is the deadline of a call without one.
bool IsNever(gpr_timespec deadline);

// Set once, awaited by one coroutine; for one thread.
class Signal {
 public:
  class Awaiter {
   public:
    explicit Awaiter(Signal* signal) : signal_(signal) {}
    bool await_ready() const noexcept { return signal_->set_; }
    void await_suspend(std::coroutine_handle<> self) { signal_->waiter_ = self; }
    void await_resume() const noexcept {}

   private:
    Signal* signal_;
  };

  Signal() = default;
  Signal(const Signal&) = delete;
  // Resumes who waits; the signal may be gone afterwards.
  void Set() {
    set_ = true;
    if (waiter_) std::exchange(waiter_, nullptr).resume();
  }
  Awaiter Wait() { return Awaiter(this); }
  bool is_set() const { return set_; }

 private:
  bool set_ = false;
  std::coroutine_handle<> waiter_;
};

// Notices that the client of a unary call has gone or its deadline has passed, for a handler that
// may wait for minutes. Thread-safe, but for WatchDeadline and End.
class ClientWatch final : public Tag {
 public:
  using Resume = std::function<void(server::Error)>;

  // `leave` says whether it has taken the handler out of its wait; if so `resume` is called with
  // the reason, which may end the call. At once if the client is gone already.
  void OnGone(std::function<bool()> leave, Resume resume);
  // Not called any more, and not running.
  void Clear() { OnGone(nullptr, nullptr); }

  // On the polling thread: when the call has been received, and before its end.
  Detached WatchDeadline(CallQueue* queue, gpr_timespec deadline);
  Task<bool> End();

  void Complete(bool ok) override;

 private:
  void Leave(server::Error reason);

  absl::Mutex mutex_;
  server::Error reason_ ABSL_GUARDED_BY(mutex_) = server::Error::kOk;
  std::function<bool()> leave_ ABSL_GUARDED_BY(mutex_);
  Resume resume_ ABSL_GUARDED_BY(mutex_);
  Signal over_;
  std::optional<grpc::Alarm> deadline_;
  Signal deadline_over_;
};

}  // namespace kvorum::api
