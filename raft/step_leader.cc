// What a leader does with proposals, read requests and requests to hand over.

#include <absl/strings/str_cat.h>

#include "base/check.h"
#include "raft/raft_core.h"

namespace kvorum::raft {
namespace {

// nullopt if the entry is no configuration change or does not parse; `ok` tells the two apart.
std::optional<ConfChangeV2> ParseConfChange(const Entry& e, bool* ok) {
  *ok = true;
  const std::string_view data = e.data.view();
  ConfChangeV2 v2;
  if (e.type == EntryType::kConfChange) {
    ConfChange v1;
    *ok = v1.ParseFromArray(data.data(), static_cast<int>(data.size()));
    v2 = confchange::AsV2(v1);
  } else if (e.type == EntryType::kConfChangeV2) {
    *ok = v2.ParseFromArray(data.data(), static_cast<int>(data.size()));
  } else {
    return std::nullopt;
  }
  if (!*ok) return std::nullopt;
  return v2;
}

}  // namespace

void RaftCore::StepLeader(Message m) {
  switch (m.type) {
    case MessageType::kProp:
      (void)Propose(std::move(m));
      return;
    case MessageType::kReadIndex:
      HandleReadIndex(std::move(m));
      return;
    default:
      break;
  }
  // The rest concerns one member: its answers, or what the transport knows about it.
  tracker::Progress* pr = FindProgress(m.from);
  if (pr == nullptr) return;
  switch (m.type) {
    case MessageType::kAppResp:
      HandleAppendResponse(m, pr);
      break;
    case MessageType::kHeartbeatResp:
      HandleHeartbeatResponse(m, pr);
      break;
    case MessageType::kSnapStatus:
      HandleSnapshotStatus(m, pr);
      break;
    case MessageType::kUnreachable:
      // What was streamed is probably lost: find out where it stands before streaming on.
      if (pr->state() == tracker::ProgressState::kReplicate) pr->BecomeProbe();
      break;
    case MessageType::kTransferLeader:
      HandleTransferRequest(m, *pr);
      break;
    default:
      // Late answers to our own campaign; MsgForgetLeader and MsgTimeoutNow mean nothing to a
      // leader.
      break;
  }
}

// ---- Proposals ----

ProposeResult RaftCore::Propose(Message m) {
  if (m.entries.empty()) return ProposeResult::kInvalid;
  if (IsLeader()) return ProposeAsLeader(std::move(m));
  if (leader() == kNone) return ProposeResult::kNoLeader;
  if (config_.disable_proposal_forwarding) return ProposeResult::kNotForwarded;
  ForwardToLeader(std::move(m));
  return ProposeResult::kOk;
}

ProposeResult RaftCore::ProposeAsLeader(Message m) {
  if (FindProgress(config_.id) == nullptr) return ProposeResult::kNotMember;
  if (lead().transferee != kNone) return ProposeResult::kTransferring;
  if (!AdmitConfChanges(&m.entries)) return ProposeResult::kInvalid;
  if (!AppendEntries(std::move(m.entries))) return ProposeResult::kUncommittedFull;
  BroadcastAppend();
  return ProposeResult::kOk;
}

// Replaces changes that may not be proposed now by empty entries. False if one does not parse.
bool RaftCore::AdmitConfChanges(std::vector<Entry>* entries) {
  std::vector<std::optional<ConfChangeV2>> changes;
  for (const Entry& e : *entries) {
    bool ok = true;
    changes.push_back(ParseConfChange(e, &ok));
    if (!ok) return false;
  }
  for (size_t i = 0; i < changes.size(); ++i) {
    if (!changes[i]) continue;
    const std::string refusal = WhyNotNow(*changes[i]);
    if (refusal.empty() || config_.disable_conf_change_validation) {
      lead().pending_conf_index = log_.LastIndex() + i + 1;
      continue;
    }
    Trace(TraceLevel::kInfo, " ignoring conf change at config ", membership_.ToString(), ": ",
          refusal);
    (*entries)[i] = Entry{};
  }
  return true;
}

std::string RaftCore::WhyNotNow(const ConfChangeV2& change) const {
  if (lead().pending_conf_index > log_.applied()) {
    return absl::StrCat("possible unapplied conf change at index ",
                        lead().pending_conf_index.value(), " (applied to ", log_.applied().value(),
                        ")");
  }
  const bool joint = membership_.voters.IsJoint();
  const bool leaves = change.changes().empty();
  if (joint && !leaves) return "must transition out of joint config first";
  if (!joint && leaves) return "not in joint state; refusing empty conf change";
  return "";
}

// Gives entries their place in the log. False if that would leave too much uncommitted.
bool RaftCore::AppendEntries(std::vector<Entry> entries) {
  const uint64_t bytes = PayloadSize(entries);
  uint64_t& uncommitted = lead().uncommitted_bytes;
  // One proposal always fits, however large, and entries without payload never count.
  if (config_.max_uncommitted_bytes != 0 && uncommitted > 0 && bytes > 0 &&
      uncommitted + bytes > config_.max_uncommitted_bytes) {
    Trace(TraceLevel::kWarning,
          " appending new entries to log would exceed uncommitted entry size "
          "limit; dropping proposal");
    return false;
  }
  uncommitted += bytes;
  Index index = log_.LastIndex();
  for (Entry& e : entries) {
    e.term = term_;
    e.index = ++index;
  }
  log_.Append(std::move(entries));
  // Our own acknowledgement counts when the entries are on disk; one for all of a Ready is enough.
  if (!self_responses_.empty() && self_responses_.back().type == MessageType::kAppResp &&
      self_responses_.back().term == term_) {
    self_responses_.back().index = index;
  } else {
    Send({.type = MessageType::kAppResp, .to = config_.id, .index = index});
  }
  return true;
}

// ---- Reads ----

bool RaftCore::IsSoleVoter() const {
  return membership_.IsSingleton() && membership_.voters.incoming.Contains(config_.id);
}

bool RaftCore::HasCommittedInTerm() const {
  const std::optional<Term> term = log_.TermAt(log_.committed());
  return term.has_value() && *term == term_;
}

void RaftCore::HandleReadIndex(Message m) {
  if (m.entries.size() != 1) return;
  if (!HasCommittedInTerm()) {
    // Entries of earlier terms may be committed that we do not know to be: no read point yet.
    if (lead().postponed_reads.size() < ReadOnly::kMaxWaiting) {
      lead().postponed_reads.push_back(std::move(m));
    }
    return;
  }
  StartRead(std::move(m));
}

void RaftCore::StartRead(Message m) {
  if (IsSoleVoter()) {
    AnswerRead(m, log_.committed());
    return;
  }
  ReadOnly& reads = lead().reads;
  if (!reads.Add(log_.committed(), std::move(m))) return;
  reads.ReceiveAck(config_.id, reads.position());
  BroadcastHeartbeat();
}

void RaftCore::AnswerRead(const Message& request, Index index) {
  if (request.from == kNone || request.from == config_.id) {
    read_states_.push_back({.index = index, .context = request.entries[0].data});
    return;
  }
  Send({.type = MessageType::kReadIndexResp,
        .to = request.from,
        .index = index,
        .entries = request.entries});
}

void RaftCore::ReleasePostponedReads() {
  if (lead().postponed_reads.empty() || !HasCommittedInTerm()) return;
  std::vector<Message> reads;
  reads.swap(lead().postponed_reads);
  for (Message& m : reads) StartRead(std::move(m));
}

// ---- Handing over ----

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
  MemberId best = kNone;
  Index best_match;
  for (const auto& [id, pr] : progress_) {
    if (id == config_.id || pr.is_learner() || !pr.recent_active()) continue;
    if (best != kNone && pr.match() <= best_match) continue;
    best = id;
    best_match = pr.match();
  }
  return best;
}

void RaftCore::CheckQuorum() {
  if (!tracker::QuorumActive(membership_, progress_)) {
    Trace(TraceLevel::kWarning, " stepped down to follower since quorum is not active");
    BecomeFollower(term_, kNone);
    return;
  }
  for (auto& [id, pr] : progress_) {
    if (id != config_.id) pr.set_recent_active(false);
  }
}

}  // namespace kvorum::raft
