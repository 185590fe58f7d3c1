// How a leader stops being one without losing an election: by handing over, by finding that nobody
// hears it, or because it is told to.

#include <utility>

#include "raft/raft_core.h"

namespace kvorum::raft {

void RaftCore::HandleTransferRequest(const Message& m, const tracker::Progress& pr) {
  if (pr.is_learner()) return;
  const MemberId target = m.from;
  if (lead().transferee == target) return;
  if (lead().transferee != kNone) AbortTransfer();
  if (target == config_.id) return;
  Trace(TraceLevel::kInfo, " [term ", term_.value(), "] starts to transfer leadership to ",
        HexId(target));
  // It must end within an election timeout, or it is given up.
  election_elapsed_ = 0;
  lead().transferee = target;
  if (pr.match() == log_.LastIndex()) {
    Send({.type = MessageType::kTimeoutNow, .to = target});
  } else {
    SendAppend(target);
  }
}

void RaftCore::AbortTransfer() {
  Trace(TraceLevel::kInfo, " [term ", term_.value(), "] abort transferring leadership to ",
        HexId(lead().transferee));
  lead().transferee = kNone;
}

MemberId RaftCore::BestTransferee() const {
  if (!IsLeader()) return kNone;
  // Just after a quorum check nobody has been heard from since: hence the interval before.
  const auto rank = [](const tracker::Progress& pr) {
    return std::pair(pr.recent_active(), pr.match());
  };
  MemberId best = kNone;
  const tracker::Progress* best_pr = nullptr;
  for (MemberId id : membership_.voters.incoming) {
    const tracker::Progress& pr = progress_.at(id);
    if (id == config_.id || !(pr.recent_active() || pr.was_active())) continue;
    if (best_pr != nullptr && rank(pr) <= rank(*best_pr)) continue;
    best = id;
    best_pr = &pr;
  }
  return best;
}

void RaftCore::StepDown() {
  if (!IsLeader() || IsSoleVoter()) return;
  Trace(TraceLevel::kInfo, " stepped down to follower as asked to");
  BecomeFollower(term_, kNone);
}

void RaftCore::CheckQuorum() {
  if (!tracker::QuorumActive(membership_, progress_)) {
    Trace(TraceLevel::kWarning, " stepped down to follower since quorum is not active");
    BecomeFollower(term_, kNone);
    return;
  }
  for (auto& [id, pr] : progress_) {
    if (id != config_.id) pr.StartActivityInterval();
  }
}

}  // namespace kvorum::raft
