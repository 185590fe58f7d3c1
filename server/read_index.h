#pragma once
// ReadIndexQueue: linearizable reads, from the call to the moment the local store may answer it.
//
// A read joins the batch that waits for the next round, so it never uses an index asked for before
// it arrived. One round at a time: the raft loop takes the batch, asks the core under a fresh id
// and hands back the answer; the batch then waits until the apply stage has reached the index.
//
//   next_  --StartRound-->  asking_  --OnAnswer(index)-->  confirmed_[index]  --OnApplied-->
//   resumed
//
// A round that gets no answer is asked again under another id; an answer to any id of the round
// will do. A change of leader fails the round (kLeaderChanged): its answer could come from the old
// one. Reads that wait for the store are not touched by that: their index is already right.
//
// Threads: Add and Abandon on any, OnApplied on the apply stage, the rest on the raft loop. Waiters
// are resumed outside the lock. Follows etcd server/etcdserver/read/read.go.

#include <absl/base/thread_annotations.h>
#include <absl/synchronization/mutex.h>

#include <cstdint>
#include <map>
#include <optional>
#include <vector>

#include "base/clock.h"
#include "base/types.h"
#include "server/errors.h"
#include "server/waiter.h"

namespace kvorum::server {

class ReadIndexQueue {
 public:
  // An unanswered round is asked again after this.
  static constexpr Duration kRetryInterval = std::chrono::milliseconds(500);

  // `round_timeout`: how long a round may take before its reads get kTimeout.
  explicit ReadIndexQueue(Duration round_timeout) : round_timeout_(round_timeout) {}
  ReadIndexQueue(const ReadIndexQueue&) = delete;
  ReadIndexQueue& operator=(const ReadIndexQueue&) = delete;

  enum class Added {
    kQueued,    // a round will take it up; the raft loop knows already
    kWakeRaft,  // the same, and the caller has to wake the raft loop
    kClosed,    // not taken
  };
  // `deadline` is the client's: the read then gets kDeadlineExceeded, wherever it is.
  [[nodiscard]] Added Add(TimePoint deadline, Waiter* waiter);
  // True: the waiter was here and will not be resumed.
  bool Abandon(Waiter* waiter);

  // The raft loop asks for a read index under the id given. `next_id` is used only if there is
  // something to ask: a new round, or an unanswered one at its retry time (at once with
  // `retry_now`, which a first commit in a new term calls for).
  bool StartRound(TimePoint now, uint64_t next_id, bool retry_now = false);
  // `index` answers the request `id`; ignored unless that is of the running round.
  void OnAnswer(uint64_t id, Index index);
  // Fails the running round.
  void OnLeaderChange();
  // Ends reads and rounds that are out of time.
  void Expire(TimePoint now);
  // Everything up to `applied` is visible in the store.
  void OnApplied(Index applied);
  // Ends every wait with `error`, and refuses new ones.
  void Close(Error error);

 private:
  struct Read {
    Waiter* waiter;
    TimePoint deadline;
  };
  using Batch = std::vector<Read>;
  static void Finish(Batch batch, Error error);
  void TakeApplied(Index applied, Batch* done) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  template <typename F>
  void ForEachBatch(F f) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);

  const Duration round_timeout_;

  absl::Mutex mutex_;
  Batch next_ ABSL_GUARDED_BY(mutex_);
  Batch asking_ ABSL_GUARDED_BY(mutex_);
  std::vector<uint64_t> asked_ids_ ABSL_GUARDED_BY(mutex_);  // of the running round; empty: none
  TimePoint retry_at_ ABSL_GUARDED_BY(mutex_);
  TimePoint round_deadline_ ABSL_GUARDED_BY(mutex_);
  std::map<Index, Batch> confirmed_ ABSL_GUARDED_BY(mutex_);
  // Last OnApplied; a read confirmed at or below it is done at once.
  Index applied_ ABSL_GUARDED_BY(mutex_);
  // No deadline of a read is earlier.
  TimePoint earliest_deadline_ ABSL_GUARDED_BY(mutex_) = TimePoint::max();
  bool closed_ ABSL_GUARDED_BY(mutex_) = false;
};

}  // namespace kvorum::server
