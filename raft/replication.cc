// The leader's side of replication: what is sent to whom, what the answers mean, what is committed.

#include <algorithm>

#include "base/check.h"
#include "raft/raft_core.h"

namespace kvorum::raft {

using tracker::Progress;
using tracker::ProgressState;

// ---- Sending ----

void RaftCore::BroadcastAppend() {
  for (auto& [id, pr] : progress_) {
    if (id != config_.id) SendAppend(id);
  }
}

void RaftCore::BroadcastHeartbeat() {
  const SharedBytes context = lead().reads.HeartbeatContext();
  for (auto& [id, pr] : progress_) {
    if (id == config_.id) continue;
    // Never beyond what the follower is known to hold: its tail may still differ from ours.
    const Index commit = std::min(pr.match(), log_.committed());
    Send({.type = MessageType::kHeartbeat, .to = id, .commit = commit, .context = context});
    pr.SentCommit(commit);
  }
}

bool RaftCore::MaybeSendAppend(MemberId to, bool send_if_empty) {
  Progress* pr = FindProgress(to);
  if (pr->IsPaused()) return false;
  const Index prev = pr->next() - 1;
  const std::optional<Term> prev_term = log_.TermAt(prev);
  if (!prev_term) return MaybeSendSnapshot(to, pr);

  std::vector<Entry> entries;
  // With a full window only an empty append may pass: its answer shows what was lost.
  if (pr->state() != ProgressState::kReplicate || !pr->inflights().Full()) {
    auto found = log_.Entries(pr->next(), config_.max_message_bytes);
    if (!found) return MaybeSendSnapshot(to, pr);
    entries = std::move(*found);
  }
  if (entries.empty() && !send_if_empty) return false;
  const size_t count = entries.size();
  const uint64_t bytes = PayloadSize(entries);
  Send({.type = MessageType::kApp,
        .to = to,
        .log_term = *prev_term,
        .index = prev,
        .entries = std::move(entries),
        .commit = log_.committed()});
  pr->SentEntries(count, bytes);
  pr->SentCommit(log_.committed());
  return true;
}

bool RaftCore::MaybeSendSnapshot(MemberId to, Progress* pr) {
  // A snapshot is expensive: not for somebody who may not be there.
  if (!pr->recent_active()) return false;
  SnapshotPtr snapshot = log_.CurrentSnapshot();
  if (!snapshot) return false;
  const Index index = snapshot->metadata.index;
  if (index == Index(0)) return false;  // nothing was compacted: not a matter of snapshots
  Trace(TraceLevel::kInfo, " [firstindex: ", log_.FirstIndex().value(),
        ", commit: ", log_.committed().value(), "] sent snapshot[index: ", index.value(),
        ", term: ", snapshot->metadata.term.value(), "] to ", HexId(to), " [", pr->ToString(), "]");
  pr->BecomeSnapshot(index);
  Send({.type = MessageType::kSnap, .to = to, .snapshot = std::move(snapshot)});
  return true;
}

// ---- Answers ----

void RaftCore::HandleAppendResponse(const Message& m, Progress* pr) {
  pr->set_recent_active(true);
  if (m.reject) {
    HandleRejection(m, pr);
    return;
  }
  // Nobody can hold more of our log than we do.
  if (m.index > log_.LastIndex()) return;
  const bool news = pr->MaybeUpdate(m.index);
  // A probe is also answered by what was known: it matches there, and streaming can start.
  if (!news && !(pr->match() == m.index && pr->state() == ProgressState::kProbe)) return;
  switch (pr->state()) {
    case ProgressState::kProbe:
      pr->BecomeReplicate();
      break;
    case ProgressState::kSnapshot:
      // Whatever became of the snapshot, the follower can go on from our log.
      if (pr->match() + 1 >= log_.FirstIndex()) pr->BecomeReplicate();
      break;
    case ProgressState::kReplicate:
      pr->FreeInflightsUpTo(m.index);
      break;
  }
  const bool self = m.from == config_.id;
  if (MaybeCommit()) {
    BroadcastAppend();
  } else if (!self && pr->CanBumpCommit(log_.committed())) {
    SendAppend(m.from);
  }
  if (self) return;
  // The window may have room for more than one message now.
  while (MaybeSendAppend(m.from, /*send_if_empty=*/false)) {
  }
  if (m.from == lead().transferee && pr->match() == log_.LastIndex()) {
    Send({.type = MessageType::kTimeoutNow, .to = m.from});
  }
}

void RaftCore::HandleRejection(const Message& m, Progress* pr) {
  Index next_probe = m.reject_hint;
  // The follower's term at the hint lets us skip, in turn, all of ours that is newer than that.
  if (m.log_term > Term(0)) next_probe = log_.FindConflictByTerm(m.reject_hint, m.log_term).index;
  if (!pr->MaybeDecrease(m.index, next_probe)) return;
  if (pr->state() == ProgressState::kReplicate) pr->BecomeProbe();
  SendAppend(m.from);
}

void RaftCore::HandleHeartbeatResponse(const Message& m, Progress* pr) {
  pr->set_recent_active(true);
  pr->set_flow_paused(false);
  // Also lets a follower that missed messages say so, and ends a probe that was lost.
  if (pr->match() < log_.LastIndex() || pr->state() == ProgressState::kProbe) SendAppend(m.from);
  if (m.context.empty()) return;
  lead().reads.ReceiveAck(m.from, m.context);
  AnswerConfirmedReads();
}

void RaftCore::HandleSnapshotStatus(const Message& m, Progress* pr) {
  if (pr->state() != ProgressState::kSnapshot) return;
  if (m.reject) pr->ForgetPendingSnapshot();
  pr->BecomeProbe();
  // Sent, but not yet installed; or failed, and not to be tried again at once. Either way the next
  // answer (to the snapshot, or to a heartbeat) continues.
  pr->set_flow_paused(true);
}

// ---- Committing ----

bool RaftCore::MaybeCommit() {
  const Index index = tracker::Committed(membership_, progress_);
  // Entries of earlier terms are committed only along with one of ours (paper, figure 8).
  if (!log_.MaybeCommit({.term = term_, .index = index})) return false;
  ReleasePostponedReads();
  return true;
}

}  // namespace kvorum::raft
