// What every role does alike: terms and votes.

#include "base/check.h"
#include "raft/raft_core.h"

namespace kvorum::raft {
namespace {

bool IsVoteRequest(const Message& m) {
  return m.type == MessageType::kVote || m.type == MessageType::kPreVote;
}

// Only a leader sends these, so the sender of one leads its term.
bool IsFromLeader(const Message& m) {
  return m.type == MessageType::kApp || m.type == MessageType::kHeartbeat ||
         m.type == MessageType::kSnap;
}

MessageType ResponseTo(MessageType request) {
  return request == MessageType::kVote ? MessageType::kVoteResp : MessageType::kPreVoteResp;
}

}  // namespace

void RaftCore::Step(Message m) {
  if (m.term > term_) {
    if (!AdmitHigherTerm(m)) return;
  } else if (m.term != Term(0) && m.term < term_) {
    AnswerLowerTerm(m);
    return;
  }
  if (m.type == MessageType::kHup) {
    Hup(Campaign::kTimer);
  } else if (IsVoteRequest(m)) {
    HandleVoteRequest(m);
  } else if (IsLeader()) {
    StepLeader(std::move(m));
  } else if (std::holds_alternative<Candidate>(role_)) {
    StepCandidate(std::move(m));
  } else {
    StepFollower(std::move(m));
  }
}

bool RaftCore::AdmitHigherTerm(const Message& m) {
  if (IsVoteRequest(m)) {
    // While we hear from a leader, a member that does not (removed, cut off) must not disturb it.
    const bool in_lease = config_.check_quorum && leader() != kNone &&
                          election_elapsed_ < config_.election_timeout_ticks;
    if (in_lease && m.context.view() != kCampaignTransfer) {
      Trace(TraceLevel::kInfo, " ignored ", Name(m.type), " from ", HexId(m.from), " at term ",
            term_.value(), ": lease is not expired (remaining ticks: ",
            config_.election_timeout_ticks - election_elapsed_, ")");
      return false;
    }
  }
  // A pre-vote asks about a term nobody is in yet, and so does its grant.
  if (m.type == MessageType::kPreVote) return true;
  if (m.type == MessageType::kPreVoteResp && !m.reject) return true;
  Trace(TraceLevel::kInfo, " [term: ", term_.value(), "] received a ", Name(m.type),
        " message with higher term from ", HexId(m.from), " [term: ", m.term.value(), "]");
  BecomeFollower(m.term, IsFromLeader(m) ? m.from : kNone);
  return true;
}

void RaftCore::AnswerLowerTerm(const Message& m) {
  const bool from_old_leader = m.type == MessageType::kHeartbeat || m.type == MessageType::kApp;
  if (from_old_leader && (config_.check_quorum || config_.pre_vote)) {
    // Tells a leader of an older term about ours. Without it a member that raised its term while
    // cut off would be stuck: its vote requests are ignored in the lease, its silence keeps it out.
    Send({.type = MessageType::kAppResp, .to = m.from});
  } else if (m.type == MessageType::kPreVote) {
    // With our term, so that a member behind (perhaps one that knows no pre-votes) catches up.
    Send({.type = MessageType::kPreVoteResp, .to = m.from, .term = term_, .reject = true});
  }
}

void RaftCore::HandleVoteRequest(const Message& m) {
  const bool pre = m.type == MessageType::kPreVote;
  const bool can_vote =
      vote_ == m.from || (vote_ == kNone && leader() == kNone) || (pre && m.term > term_);
  const bool grant = can_vote && log_.IsUpToDate({.term = m.log_term, .index = m.index});
  const EntryId last = log_.LastEntryId();
  Trace(TraceLevel::kInfo, " [logterm: ", last.term.value(), ", index: ", last.index.value(),
        ", vote: ", HexId(vote_), "] ", grant ? "cast " : "rejected ", Name(m.type),
        grant ? " for " : " from ", HexId(m.from), " [logterm: ", m.log_term.value(),
        ", index: ", m.index.value(), "] at term ", term_.value());
  // A grant speaks of the term asked for, a rejection tells ours.
  Send(
      {.type = ResponseTo(m.type), .to = m.from, .term = grant ? m.term : term_, .reject = !grant});
  if (grant && !pre) {
    election_elapsed_ = 0;
    vote_ = m.from;
  }
}

}  // namespace kvorum::raft
