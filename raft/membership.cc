// Configuration changes taking effect.

#include "base/check.h"
#include "raft/raft_core.h"

namespace kvorum::raft {

confchange::ProgressLimits RaftCore::limits() const {
  return {.max_inflight_messages = config_.max_inflight_messages,
          .max_inflight_bytes = config_.max_inflight_bytes};
}

confchange::Result RaftCore::Changed(confchange::Result from, const ConfChangeV2& change) const {
  StatusOr<confchange::Result> to =
      confchange::Changer(std::move(from), log_.LastIndex(), limits()).Apply(change);
  // The change is committed: every member applies it, and one that cannot has diverged.
  CHECK(to.ok()) << "a committed configuration change cannot be applied: " << to.status().message();
  return *std::move(to);
}

bool RaftCore::CanApply(const ConfChangeV2& change) const {
  return confchange::Changer({.config = membership_, .progress = progress_}, log_.LastIndex(),
                             limits())
      .Apply(change)
      .ok();
}

ConfState RaftCore::ApplyConfChange(Index index, const ConfChangeV2& change) {
  ForgetSuperseded(index);
  if (!superseded_.empty()) {
    // The store is still on its way to a snapshot and needs to know where it stands.
    confchange::Result& members = superseded_.front().members;
    members = Changed(std::move(members), change);
    return members.config.ToConfState();
  }
  return SwitchTo(Changed({.config = membership_, .progress = progress_}, change));
}

// The store has come to `index`.
void RaftCore::ForgetSuperseded(Index index) {
  while (!superseded_.empty() && superseded_.front().by < index) superseded_.pop_front();
}

ConfState RaftCore::SwitchTo(confchange::Result to) {
  membership_ = std::move(to.config);
  progress_ = std::move(to.progress);
  Trace(TraceLevel::kInfo, " switched to configuration ", membership_.ToString());
  const ConfState state = membership_.ToConfState();
  if (!IsLeader()) return state;

  const tracker::Progress* self = FindProgress(config_.id);
  if (self == nullptr || self->is_learner()) {
    // Leading on without a vote of its own, until the others take over, keeps the cluster served.
    if (config_.step_down_on_removal) BecomeFollower(term_, kNone);
    return state;
  }
  if (membership_.voters.incoming.empty()) return state;
  // A smaller quorum may already hold, and have confirmed, what was waiting for the larger one.
  if (MaybeCommit()) {
    BroadcastAppend();
  } else {
    for (const auto& [id, pr] : progress_) {
      if (id != config_.id) MaybeSendAppend(id, /*send_if_empty=*/false);
    }
  }
  AnswerConfirmedReads();
  if (lead().transferee != kNone && !membership_.voters.Contains(lead().transferee)) {
    AbortTransfer();
  }
  return state;
}

// Once the change that entered the joint state is applied, proposes to leave it; asked again with
// every batch applied, in case the proposal was refused (a transfer was running) or lost.
void RaftCore::MaybeLeaveJoint() {
  if (!membership_.auto_leave || log_.applied() < lead().pending_conf_index) return;
  Message m{.type = MessageType::kProp, .from = config_.id};
  m.entries.push_back({.type = EntryType::kConfChangeV2});
  if (Propose(std::move(m)) == ProposeResult::kOk) {
    Trace(TraceLevel::kInfo, " initiating automatic transition out of joint configuration ",
          membership_.ToString());
  }
}

}  // namespace kvorum::raft
