#pragma once
// How many calls may run at once; who comes later waits in line. For one thread.

#include <coroutine>
#include <cstdint>
#include <deque>
#include <utility>

namespace kvorum::api {

class CallSlots {
 public:
  // Held while a call runs. False if the slots were closed instead.
  class Slot {
   public:
    Slot() = default;
    explicit Slot(CallSlots* slots) : slots_(slots) {}
    Slot(Slot&& other) noexcept : slots_(std::exchange(other.slots_, nullptr)) {}
    Slot& operator=(Slot&&) = delete;
    ~Slot() {
      if (slots_ != nullptr) slots_->Release();
    }
    explicit operator bool() const { return slots_ != nullptr; }

   private:
    CallSlots* slots_ = nullptr;
  };
  class Awaiter {
   public:
    explicit Awaiter(CallSlots* slots) : slots_(slots) {}
    bool await_ready() const noexcept { return slots_->closed_ || slots_->TryTake(); }
    void await_suspend(std::coroutine_handle<> self) { slots_->line_.push_back(self); }
    Slot await_resume() const noexcept { return slots_->closed_ ? Slot() : Slot(slots_); }

   private:
    CallSlots* slots_;
  };

  // 0: no limit.
  explicit CallSlots(uint32_t limit) : limit_(limit) {}
  CallSlots(const CallSlots&) = delete;

  // co_await Take() is a Slot.
  Awaiter Take() { return Awaiter(this); }
  // Nobody gets a slot any more; who waits is told.
  void Close() {
    closed_ = true;
    for (const std::coroutine_handle<> waiter : std::exchange(line_, {})) waiter.resume();
  }

 private:
  bool TryTake() {
    if (limit_ != 0 && taken_ >= limit_) return false;
    ++taken_;
    return true;
  }
  // The next in line inherits the slot.
  void Release() {
    if (line_.empty()) {
      --taken_;
      return;
    }
    const std::coroutine_handle<> next = line_.front();
    line_.pop_front();
    next.resume();
  }

  const uint32_t limit_;
  uint32_t taken_ = 0;
  bool closed_ = false;
  std::deque<std::coroutine_handle<>> line_;
};

}  // namespace kvorum::api
