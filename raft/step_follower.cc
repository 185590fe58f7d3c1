// What a follower does with its leader's messages, and with requests meant for the leader.

#include <algorithm>

#include "base/check.h"
#include "raft/confchange/restore.h"
#include "raft/raft_core.h"

namespace kvorum::raft {
namespace {

// Entries follow `prev` without gap, and terms never go down nor beyond the sender's.
bool IsWellFormedAppend(const Message& m) {
  EntryId prev{.term = m.log_term, .index = m.index};
  for (const Entry& e : m.entries) {
    if (e.index != prev.index + 1 || e.term < prev.term) return false;
    prev = IdOf(e);
  }
  return prev.term <= m.term;
}

bool Names(const google::protobuf::RepeatedField<uint64_t>& ids, MemberId id) {
  return std::find(ids.begin(), ids.end(), id.value()) != ids.end();
}

}  // namespace

void RaftCore::StepFollower(Message m) {
  switch (m.type) {
    case MessageType::kApp:
    case MessageType::kHeartbeat:
    case MessageType::kSnap:
      election_elapsed_ = 0;
      role_ = Follower{.leader = m.from};
      HandleLeaderMessage(std::move(m));
      break;
    case MessageType::kTransferLeader:
    case MessageType::kReadIndex:
      ForwardToLeader(std::move(m));
      break;
    case MessageType::kProp:
      (void)Propose(std::move(m));
      break;
    case MessageType::kReadIndexResp:
      if (m.entries.size() == 1) {
        read_states_.push_back({.index = m.index, .context = m.entries[0].data});
      }
      break;
    case MessageType::kTimeoutNow:
      Trace(TraceLevel::kInfo, " [term ", term_.value(), "] received MsgTimeoutNow from ",
            HexId(m.from), " and starts an election to get leadership.");
      Hup(Campaign::kTransfer);
      break;
    case MessageType::kForgetLeader:
      role_ = Follower{.leader = kNone};
      break;
    default:
      // Answers to a leader or candidate we no longer are.
      break;
  }
}

void RaftCore::ForwardToLeader(Message m) {
  if (leader() == kNone) return;  // the requester asks again
  m.to = leader();
  Send(std::move(m));
}

void RaftCore::HandleLeaderMessage(Message m) {
  if (m.type == MessageType::kApp) {
    HandleAppend(std::move(m));
  } else if (m.type == MessageType::kHeartbeat) {
    HandleHeartbeat(m);
  } else {
    HandleSnapshot(m);
  }
}

void RaftCore::HandleAppend(Message m) {
  if (!IsWellFormedAppend(m)) {
    Trace(TraceLevel::kWarning, " dropped a malformed MsgApp from ", HexId(m.from));
    return;
  }
  if (m.index < log_.committed()) {
    // What is committed agrees anyway; our commit index is where the leader can go on.
    Send({.type = MessageType::kAppResp, .to = m.from, .index = log_.committed()});
    return;
  }
  const EntryId prev{.term = m.log_term, .index = m.index};
  if (const auto last = log_.MaybeAppend(prev, std::move(m.entries), m.commit)) {
    Send({.type = MessageType::kAppResp, .to = m.from, .index = *last});
    return;
  }
  // The leader skips, with the hint, everything that cannot match: see log.h, FindConflictByTerm.
  const EntryId hint = log_.FindConflictByTerm(std::min(prev.index, log_.LastIndex()), prev.term);
  Send({.type = MessageType::kAppResp,
        .to = m.from,
        .log_term = hint.term,
        .index = prev.index,
        .reject = true,
        .reject_hint = hint.index});
}

void RaftCore::HandleHeartbeat(const Message& m) {
  log_.CommitTo(m.commit);
  // A heartbeat answer promises nothing, so reads are confirmed without waiting for our disk.
  Send({.type = MessageType::kHeartbeatResp, .to = m.from, .context = m.context});
}

void RaftCore::HandleSnapshot(const Message& m) {
  if (!m.snapshot || m.snapshot->metadata.term == Term(0) || m.snapshot->metadata.term > m.term) {
    Trace(TraceLevel::kWarning, " dropped a malformed MsgSnap from ", HexId(m.from));
    return;
  }
  const bool restored = RestoreSnapshot(m.snapshot);
  Trace(TraceLevel::kInfo, " [commit: ", log_.committed().value(), "] ",
        restored ? "restored" : "ignored", " snapshot [index: ", m.snapshot->metadata.index.value(),
        ", term: ", m.snapshot->metadata.term.value(), "]");
  Send({.type = MessageType::kAppResp,
        .to = m.from,
        .index = restored ? log_.LastIndex() : log_.committed()});
}

bool RaftCore::RestoreSnapshot(const SnapshotPtr& snapshot) {
  const SnapshotMetadata& meta = snapshot->metadata;
  if (meta.index <= log_.committed()) return false;
  const ConfState& members = meta.conf_state;
  if (!Names(members.voters(), config_.id) && !Names(members.learners(), config_.id) &&
      !Names(members.voters_outgoing(), config_.id)) {
    Trace(TraceLevel::kWarning, " attempted to restore snapshot but it is not in the ConfState");
    return false;
  }
  if (log_.Matches({.term = meta.term, .index = meta.index})) {
    // We have the entries; only the news that they are committed is new.
    log_.CommitTo(meta.index);
    return false;
  }
  StatusOr<confchange::Result> restored = confchange::Restore(members, meta.index, limits());
  if (!restored.ok() || !Equivalent(members, restored->config.ToConfState())) {
    Trace(TraceLevel::kWarning, " dropped a snapshot whose ConfState is impossible");
    return false;
  }
  superseded_.push_back(
      {.by = meta.index, .members = {.config = membership_, .progress = progress_}});
  log_.Restore(snapshot);
  SwitchTo(*std::move(restored));
  return true;
}

}  // namespace kvorum::raft
