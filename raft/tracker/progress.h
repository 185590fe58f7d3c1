#pragma once
// What a leader believes about one follower's log, and how it therefore sends.
//
//   kProbe      unknown position: one append per heartbeat interval, until an answer fixes it
//   kReplicate  position known: appends are streamed ahead of their acknowledgements
//   kSnapshot   needs entries that are gone: nothing is sent until the snapshot is through
//
//   kProbe --ack--> kReplicate --rejection, unreachable--> kProbe
//   kProbe, kReplicate --entries compacted--> kSnapshot --reported, or acked in our log--> kProbe
//
// Invariants: match < next; match never exceeds what the follower holds durably.
// Follows go.etcd.io/raft tracker/progress.go.

#include <cstdint>
#include <string>
#include <utility>

#include "base/types.h"
#include "raft/tracker/inflights.h"

namespace kvorum::raft::tracker {

enum class ProgressState : uint8_t { kProbe, kReplicate, kSnapshot };

class Progress {
 public:
  struct Options {
    Index match;
    Index next;
    bool is_learner = false;
    bool recent_active = false;
    int max_inflight_messages = 1;
    uint64_t max_inflight_bytes = 0;
  };
  explicit Progress(const Options& options);

  ProgressState state() const { return state_; }
  Index match() const { return match_; }                        // highest index known to agree
  Index next() const { return next_; }                          // first index of the next append
  Index sent_commit() const { return sent_commit_; }            // last commit index told
  Index pending_snapshot() const { return pending_snapshot_; }  // 0 unless kSnapshot
  bool recent_active() const { return recent_active_; }  // heard from since the last quorum check
  bool was_active() const { return was_active_; }        // between the last two
  bool is_learner() const { return is_learner_; }
  bool flow_paused() const { return flow_paused_; }
  const Inflights& inflights() const { return inflights_; }

  void set_recent_active(bool active) { recent_active_ = active; }
  // A quorum check begins the next interval.
  void StartActivityInterval() { was_active_ = std::exchange(recent_active_, false); }
  void set_is_learner(bool learner) { is_learner_ = learner; }
  // A paused follower gets no append until an answer un-pauses it.
  void set_flow_paused(bool paused) { flow_paused_ = paused; }

  void BecomeProbe();
  void BecomeReplicate();
  void BecomeSnapshot(Index snapshot);
  // The snapshot could not be delivered: the next probe starts behind match.
  void ForgetPendingSnapshot() { pending_snapshot_ = Index(0); }

  // An append with `count` entries of `bytes` payload is on its way.
  void SentEntries(size_t count, uint64_t bytes);
  void SentCommit(Index commit) { sent_commit_ = commit; }
  // A message with this commit index would tell the follower something it can use.
  bool CanBumpCommit(Index commit) const;
  // The follower acknowledged `index`. False if that was known.
  bool MaybeUpdate(Index index);
  // The follower rejected an append whose previous entry was `rejected`; it may match up to `hint`.
  // False if the rejection is stale: an answer to something older than what is now being tried.
  bool MaybeDecrease(Index rejected, Index hint);
  void FreeInflightsUpTo(Index index) { inflights_.FreeUpTo(index); }
  bool IsPaused() const;

  // "StateReplicate match=4 next=6 paused inflight=1".
  std::string ToString() const;

 private:
  void ResetState(ProgressState state);

  ProgressState state_ = ProgressState::kProbe;
  Index match_;
  Index next_;
  Index sent_commit_;
  Index pending_snapshot_;
  bool recent_active_ = false;
  bool was_active_ = false;
  bool flow_paused_ = false;
  bool is_learner_ = false;
  Inflights inflights_;
};

}  // namespace kvorum::raft::tracker
