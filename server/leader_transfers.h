#pragma once
// LeaderTransfers: clients' wishes that another member lead.
//
// A wish is handed to raft, once, and has come true when the leader is the one wished for; raft
// gives up after an election timeout without telling, so the client's deadline is the only end of
// a wish that failed. Step looks every tick.
//
// Threads: Step on the timers, everything else on any. Follows etcd server/etcdserver/server.go
// MoveLeader.

#include <absl/base/thread_annotations.h>
#include <absl/synchronization/mutex.h>

#include <functional>
#include <utility>
#include <vector>

#include "base/clock.h"
#include "base/types.h"
#include "server/errors.h"
#include "server/waiter.h"

namespace kvorum::server {

class LeaderTransfers {
 public:
  // All of it must outlive this.
  struct Parts {
    MemberId self;
    const Clock* clock = nullptr;
    Duration interval;                       // between two looks
    std::function<MemberId()> leader;        // 0: none
    std::function<bool(MemberId)> is_voter;  // of the members known here
    std::function<void(MemberId)> transfer;  // asks raft; must not block
    std::function<void()> run_soon;          // makes Step due; thread-safe
  };
  explicit LeaderTransfers(Parts parts) : parts_(std::move(parts)) {}
  LeaderTransfers(const LeaderTransfers&) = delete;
  LeaderTransfers& operator=(const LeaderTransfers&) = delete;

  // See Server::MoveLeader.
  void Begin(MemberId target, TimePoint deadline, Waiter* waiter);
  // True: the waiter was here and will not be resumed. The transfer goes on.
  bool Abandon(Waiter* waiter);
  // Ends all waits with `error`, and refuses new ones.
  void Close(Error error);

  // A job of the timers. Returns when to call again.
  TimePoint Step(TimePoint now);

 private:
  struct Transfer {
    MemberId from;
    MemberId to;
    TimePoint began;
    TimePoint deadline;
    Waiter* waiter;
  };
  Error Refusal(MemberId target) const;
  void LogFinished(const Transfer& transfer, TimePoint now) const;

  const Parts parts_;
  absl::Mutex mutex_;
  std::vector<Transfer> transfers_ ABSL_GUARDED_BY(mutex_);  // one a call that is open
  bool closed_ ABSL_GUARDED_BY(mutex_) = false;
};

}  // namespace kvorum::server
