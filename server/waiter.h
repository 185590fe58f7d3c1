#pragma once
// How a call that waits (for its entry to be applied, for a read index, for a pool thread) is
// woken.
//
// The caller embeds a Waiter in its own frame, hands its address to the server and suspends.
// Exactly one Resume(waiter) follows, on any thread, unless the server gave the waiter back at once
// or the caller took it back by an Abandon call that returned true. The server never touches a
// waiter after handing it to its Resumer.

#include <span>

#include "server/errors.h"

namespace kvorum::server {

class Waiter;

// Knows on which thread its waiters go on. Thread-safe; must outlive the server.
class Resumer {
 public:
  virtual ~Resumer() = default;
  // All waiters of one finished batch that belong to this resumer. Must not block.
  virtual void Resume(std::span<Waiter* const> batch) = 0;
};

class Waiter {
 public:
  explicit Waiter(Resumer& resumer) : resumer_(&resumer) {}
  Waiter(const Waiter&) = delete;
  Waiter& operator=(const Waiter&) = delete;
  Resumer& resumer() const { return *resumer_; }

  // Set before Resume.
  Error error = Error::kOk;

 protected:
  ~Waiter() = default;

 private:
  Resumer* resumer_;
};

// Ends the wait of one call: most often one that is refused before it began to wait.
void ResumeOne(Waiter* waiter, Error error);

// Groups `waiters` by their resumer and resumes each group once. Reorders `waiters`.
void ResumeAll(std::span<Waiter*> waiters);

}  // namespace kvorum::server
