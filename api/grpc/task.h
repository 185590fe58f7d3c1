#pragma once
// The two coroutine types of the front end.
//
//   Task<T>   lazy: runs when awaited, on the awaiter's thread, and hands it a T. Owned by the
//             value.
//   Detached  eager: runs until its first suspension when called and destroys itself at its end.
//             Who starts one makes sure that what it refers to outlives it (CallQueue counts them).
//
// House rules, because g++ 12.2 miscompiles the alternatives; tests/tidy checks them:
//   1. No co_await inside a condition: `const bool ok = co_await ...; if (ok)`.
//   2. No temporary of an aggregate type, and no lambda that captures by value, inside the full
//      expression of a co_await. Name it first; classes with a declared constructor are fine.
//   3. No co_await of a call that returns a reference: the awaiter is copied into the frame.
//      Awaiters are small classes, returned by value, that point to what they wait for.
//   4. A coroutine is never itself a lambda with captures: they die before it does.
// Exceptions do not leave a coroutine: they end the process.

#include <coroutine>
#include <exception>
#include <optional>
#include <utility>

namespace kvorum::api {

template <typename T>
class [[nodiscard]] Task {
 public:
  struct promise_type;
  using Handle = std::coroutine_handle<promise_type>;

  Task(Task&& other) noexcept : handle_(std::exchange(other.handle_, nullptr)) {}
  Task& operator=(Task&&) = delete;
  ~Task() {
    if (handle_) handle_.destroy();
  }

  bool await_ready() const noexcept { return false; }
  Handle await_suspend(std::coroutine_handle<> awaiter) noexcept {
    handle_.promise().awaiter = awaiter;
    return handle_;
  }
  T await_resume() { return std::move(*handle_.promise().value); }

 private:
  explicit Task(Handle handle) : handle_(handle) {}
  Handle handle_;
};

template <typename T>
struct Task<T>::promise_type {
  struct FinalAwaiter {
    bool await_ready() noexcept { return false; }
    std::coroutine_handle<> await_suspend(Handle finished) noexcept {
      return finished.promise().awaiter;
    }
    void await_resume() noexcept {}
  };

  Task get_return_object() { return Task(Handle::from_promise(*this)); }
  std::suspend_always initial_suspend() noexcept { return {}; }
  FinalAwaiter final_suspend() noexcept { return {}; }
  void return_value(T result) { value.emplace(std::move(result)); }
  void unhandled_exception() { std::terminate(); }

  std::coroutine_handle<> awaiter;
  std::optional<T> value;
};

struct Detached {
  struct promise_type {
    Detached get_return_object() { return {}; }
    std::suspend_never initial_suspend() noexcept { return {}; }
    std::suspend_never final_suspend() noexcept { return {}; }
    void return_void() {}
    void unhandled_exception() { std::terminate(); }
  };
};

}  // namespace kvorum::api
