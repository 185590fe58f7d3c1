#pragma once
// WaitList: the calls whose proposal is on its way through the log, by request id.
//
// A call is in the list from before its proposal is queued until exactly one of these takes it out:
// its entry was applied (Complete), its deadline passed (Expire), its proposal could not enter the
// log (Fail), the client went away (Abandon), the server stops (Close). Whoever takes it out
// resumes it, except Abandon.
//
// Several calls may share an id: the writes refused for want of space wait for the one alarm that
// their refusal raised, and are then told why they were refused, whatever became of the alarm.
//
// Threads: thread-safe; waiters are resumed outside the lock. Follows etcd pkg/wait/wait.go.

#include <absl/base/thread_annotations.h>
#include <absl/synchronization/mutex.h>

#include <cstdint>
#include <functional>
#include <unordered_map>
#include <vector>

#include "base/clock.h"
#include "server/metrics.h"
#include "server/server.h"

namespace kvorum::server {

class WaitList {
 public:
  // The outcome of one applied entry.
  struct Result {
    uint64_t id = 0;
    Error error = Error::kOk;
    ApplyResponse response;
  };

  WaitList() = default;
  WaitList(const WaitList&) = delete;
  WaitList& operator=(const WaitList&) = delete;

  // `answer` other than kOk is what the waiter gets in place of the entry's result; `operation`
  // says under what name its duration is counted. False, with nothing done, after Close.
  [[nodiscard]] bool Add(uint64_t id, TimePoint deadline, ProposalWaiter* waiter,
                         Error answer = Error::kOk, Operation operation = Operation::kOther);
  // Whether somebody waits for `id`.
  bool Contains(uint64_t id) const;

  // Hands results to the waiters that are still there, each group of a resumer at once. Moves
  // from `results`.
  void Complete(std::vector<Result>& results);
  // Keeps the waiters of `from` waiting under `to`, to be told `answer` when that is applied.
  void Redirect(uint64_t from, uint64_t to, Error answer);
  // Ends the wait for `id` with `error`.
  void Fail(uint64_t id, Error error);
  // Ends every wait whose deadline has passed; `error_of` names the error for one that was added
  // at the given time.
  void Expire(TimePoint now, const std::function<Error()>& error_of);
  // True: `waiter` was in the list and will not be resumed.
  bool Abandon(ProposalWaiter* waiter);
  // Ends every wait there is with `error`.
  void FailAll(Error error);
  // The same, and refuses new ones.
  void Close(Error error);

  size_t size() const;

 private:
  struct Entry {
    ProposalWaiter* waiter;
    TimePoint deadline;
    Error answer;
    Operation operation;
    TimePoint since;  // of the machine's clock
  };
  using Entries = std::unordered_multimap<uint64_t, Entry>;

  static void CountFailure(const Entry& entry);
  void Insert(uint64_t id, const Entry& entry) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);

  mutable absl::Mutex mutex_;
  Entries entries_ ABSL_GUARDED_BY(mutex_);
  // No deadline is earlier; so a sweep that would find nothing costs nothing.
  TimePoint earliest_deadline_ ABSL_GUARDED_BY(mutex_) = TimePoint::max();
  bool closed_ ABSL_GUARDED_BY(mutex_) = false;
};

}  // namespace kvorum::server
