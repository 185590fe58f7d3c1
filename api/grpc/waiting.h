#pragma once
// co_await for the server's waiters (server/waiter.h):
//
//   WaitFor<server::ProposalWaiter> wait(executor);
//   co_await wait.Until([&] { server.Propose(std::move(request), deadline, &wait); });
//   if (wait.error != server::Error::kOk) ...
//
// The server may resume the waiter on any thread, also before Propose has returned; in that case
// the coroutine is not suspended at all. Otherwise the executor decides where it goes on.

#include <atomic>
#include <coroutine>
#include <cstdint>
#include <span>
#include <tuple>

#include "server/server.h"
#include "server/waiter.h"

namespace kvorum::api {

class Executor;

template <typename W>
class WaitFor final : public W {
 public:
  explicit WaitFor(Executor& executor);

  // `start` hands this waiter to the server. It may capture by reference only.
  template <typename Start>
  auto Until(Start start) {
    return Awaiter<Start>(this, start);
  }

 private:
  template <typename>
  friend class WaiterResumer;
  enum class State : uint8_t { kStarting, kSuspended, kDone };

  template <typename Start>
  class Awaiter {
   public:
    Awaiter(WaitFor* wait, Start start) : wait_(wait), start_(start) {}
    bool await_ready() const noexcept { return false; }
    // Nobody resumes the coroutine, and so ends this frame, before the state says suspended.
    bool await_suspend(std::coroutine_handle<> self) {
      wait_->handle_ = self;
      start_();
      return wait_->state_.exchange(State::kSuspended, std::memory_order_acq_rel) ==
             State::kStarting;
    }
    void await_resume() const noexcept {}

   private:
    WaitFor* wait_;
    Start start_;
  };

  std::coroutine_handle<> handle_;
  std::atomic<State> state_{State::kStarting};
};

// The Resumer of all waiters of one type that belong to one executor.
template <typename W>
class WaiterResumer final : public server::Resumer {
 public:
  explicit WaiterResumer(Executor* executor) : executor_(executor) {}
  void Resume(std::span<server::Waiter* const> batch) override;

 private:
  Executor* executor_;
};

// Decides on which thread suspended coroutines go on.
class Executor {
 public:
  virtual ~Executor() = default;
  // Thread-safe; must not block.
  virtual void Resume(std::span<const std::coroutine_handle<>> batch) = 0;

  template <typename W>
  server::Resumer& resumer() {
    return std::get<WaiterResumer<W>>(resumers_);
  }

 private:
  std::tuple<WaiterResumer<server::Waiter>, WaiterResumer<server::ProposalWaiter>,
             WaiterResumer<server::LeaseRenewWaiter>, WaiterResumer<server::LeaseTimeToLiveWaiter>>
      resumers_{this, this, this, this};
};

template <typename W>
WaitFor<W>::WaitFor(Executor& executor) : W(executor.resumer<W>()) {}

template <typename W>
void WaiterResumer<W>::Resume(std::span<server::Waiter* const> batch) {
  using State = typename WaitFor<W>::State;
  constexpr size_t kChunk = 64;  // on the stack; larger batches go in several pieces
  std::coroutine_handle<> suspended[kChunk];
  size_t count = 0;
  for (size_t i = 0; i < batch.size(); ++i) {
    auto* wait = static_cast<WaitFor<W>*>(batch[i]);
    const std::coroutine_handle<> handle = wait->handle_;
    const bool resume =
        wait->state_.exchange(State::kDone, std::memory_order_acq_rel) == State::kSuspended;
    if (resume) suspended[count++] = handle;
    if (count == kChunk) {
      executor_->Resume({suspended, count});
      count = 0;
    }
  }
  if (count > 0) executor_->Resume({suspended, count});
}

}  // namespace kvorum::api
