// What a leader does with proposals and read requests.

#include <absl/strings/str_cat.h>

#include "base/check.h"
#include "raft/raft_core.h"

namespace kvorum::raft {
namespace {

// nullopt if the entry is no configuration change or cannot be one; `ok` tells the two apart.
std::optional<ConfChangeV2> ParseConfChange(const Entry& e, bool* ok) {
  *ok = true;
  const std::string_view data = e.data.view();
  ConfChangeV2 v2;
  if (e.type == EntryType::kConfChange) {
    ConfChange v1;
    // A type we do not know would be kept as an unknown field, and read as "add".
    *ok = v1.ParseFromArray(data.data(), static_cast<int>(data.size())) &&
          v1.unknown_fields().empty();
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

// Replaces changes that may not be proposed now by empty entries. False, and nothing done, if one
// could not be applied: once committed it would end the process of every member.
bool RaftCore::AdmitConfChanges(std::vector<Entry>* entries) {
  std::vector<std::pair<size_t, ConfChangeV2>> changes;  // and where they are
  for (size_t i = 0; i < entries->size(); ++i) {
    if ((*entries)[i].type == EntryType::kConfChangeV2 && !config_.allow_conf_change_v2)
      return false;
    bool ok = true;
    std::optional<ConfChangeV2> change = ParseConfChange((*entries)[i], &ok);
    if (!ok) return false;
    if (change) changes.emplace_back(i, *std::move(change));
  }
  const Index pending = lead().pending_conf_index;
  for (const auto& [i, change] : changes) {
    const std::string refusal =
        config_.disable_conf_change_validation ? std::string() : WhyNotNow(change);
    if (!refusal.empty()) {
      Trace(TraceLevel::kInfo, " ignoring conf change at config ", membership_.ToString(), ": ",
            refusal);
      (*entries)[i] = Entry{};
    } else if (config_.disable_conf_change_validation || CanApply(change)) {
      lead().pending_conf_index = log_.LastIndex() + i + 1;
    } else {
      lead().pending_conf_index = pending;
      return false;
    }
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
  if (m.entries[0].data.size() > ReadOnly::kMaxContextBytes) return;
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

void RaftCore::AnswerConfirmedReads() {
  for (const ReadOnly::Request& read : lead().reads.Advance(membership_.voters)) {
    AnswerRead(read.message, read.index);
  }
}

void RaftCore::ReleasePostponedReads() {
  if (lead().postponed_reads.empty() || !HasCommittedInTerm()) return;
  std::vector<Message> reads;
  reads.swap(lead().postponed_reads);
  for (Message& m : reads) StartRead(std::move(m));
}

}  // namespace kvorum::raft
