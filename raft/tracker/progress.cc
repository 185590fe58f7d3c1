#include "raft/tracker/progress.h"

#include <algorithm>

#include "base/check.h"

namespace kvorum::raft::tracker {

Progress::Progress(const Options& options)
    : match_(options.match),
      next_(options.next),
      recent_active_(options.recent_active),
      is_learner_(options.is_learner),
      inflights_(options.max_inflight_messages, options.max_inflight_bytes) {
  CHECK_LT(match_, next_);
}

void Progress::ResetState(ProgressState state) {
  flow_paused_ = false;
  pending_snapshot_ = Index(0);
  state_ = state;
  inflights_.Reset();
}

void Progress::BecomeProbe() {
  // A snapshot that went through puts the follower at its index, known before the first ack.
  const Index assumed = state_ == ProgressState::kSnapshot ? pending_snapshot_ : Index(0);
  ResetState(ProgressState::kProbe);
  next_ = std::max(match_, assumed) + 1;
  sent_commit_ = std::min(sent_commit_, next_ - 1);
}

void Progress::BecomeReplicate() {
  ResetState(ProgressState::kReplicate);
  next_ = match_ + 1;
}

void Progress::BecomeSnapshot(Index snapshot) {
  ResetState(ProgressState::kSnapshot);
  pending_snapshot_ = snapshot;
  // A follower can be known beyond an old snapshot (its match was acked meanwhile).
  next_ = std::max(snapshot, match_) + 1;
  sent_commit_ = snapshot;
}

void Progress::SentEntries(size_t count, uint64_t bytes) {
  CHECK(state_ != ProgressState::kSnapshot) << "append while a snapshot is pending";
  if (state_ == ProgressState::kProbe) {
    if (count > 0) flow_paused_ = true;
    return;
  }
  if (count > 0) {
    next_ = next_ + count;
    inflights_.Add(next_ - 1, bytes);
  }
  // Also after an empty append: it was the one allowed while the window is full.
  flow_paused_ = inflights_.Full();
}

bool Progress::CanBumpCommit(Index commit) const {
  // The last commit sent may already cover everything that is on its way to the follower.
  return commit > sent_commit_ && sent_commit_ < next_ - 1;
}

bool Progress::MaybeUpdate(Index index) {
  if (index <= match_) return false;
  match_ = index;
  next_ = std::max(next_, index + 1);
  flow_paused_ = false;
  return true;
}

bool Progress::MaybeDecrease(Index rejected, Index hint) {
  if (state_ == ProgressState::kReplicate) {
    if (rejected <= match_) return false;
    next_ = match_ + 1;
  } else {
    if (next_ - 1 != rejected) return false;
    next_ = std::max(std::min(rejected, hint + 1), match_ + 1);
    flow_paused_ = false;
  }
  sent_commit_ = std::min(sent_commit_, next_ - 1);
  return true;
}

bool Progress::IsPaused() const { return state_ == ProgressState::kSnapshot || flow_paused_; }

std::string Progress::ToString() const {
  static constexpr const char* kNames[] = {"StateProbe", "StateReplicate", "StateSnapshot"};
  std::string out = kNames[static_cast<int>(state_)];
  out += " match=" + std::to_string(match_.value()) + " next=" + std::to_string(next_.value());
  if (is_learner_) out += " learner";
  if (IsPaused()) out += " paused";
  if (pending_snapshot_ > Index(0)) {
    out += " pendingSnap=" + std::to_string(pending_snapshot_.value());
  }
  if (!recent_active_) out += " inactive";
  if (inflights_.count() > 0) {
    out += " inflight=" + std::to_string(inflights_.count());
    if (inflights_.Full()) out += "[full]";
  }
  return out;
}

}  // namespace kvorum::raft::tracker
