// Elections, as the one who asks.

#include "base/check.h"
#include "raft/raft_core.h"

namespace kvorum::raft {

void RaftCore::Hup(Campaign kind) {
  if (IsLeader()) return;
  if (!IsPromotable()) {
    Trace(TraceLevel::kWarning, " is unpromotable and can not campaign");
    return;
  }
  if (!may_campaign_) {
    Trace(TraceLevel::kWarning, " does not campaign: told not to");
    return;
  }
  // Elected on a configuration that is about to change, a leader could count the wrong votes.
  if (log_.HasUnappliedConfChange()) {
    Trace(TraceLevel::kWarning, " cannot campaign at term ", term_.value(),
          " since there are still pending configuration changes to apply");
    return;
  }
  Trace(TraceLevel::kInfo, " is starting a new election at term ", term_.value());
  StartCampaign(kind);
}

void RaftCore::StartCampaign(Campaign kind) {
  const bool pre = kind == Campaign::kTimer && config_.pre_vote;
  if (pre) {
    BecomePreCandidate();
  } else {
    BecomeCandidate();
  }
  const Term term = pre ? term_ + 1 : term_;
  const EntryId last = log_.LastEntryId();
  for (MemberId id : membership_.voters.Ids()) {
    if (id == config_.id) {
      // Our own vote counts when it is on disk, like anyone's.
      Send({.type = pre ? MessageType::kPreVoteResp : MessageType::kVoteResp,
            .to = id,
            .term = term});
      continue;
    }
    const MessageType request = pre ? MessageType::kPreVote : MessageType::kVote;
    Trace(TraceLevel::kInfo, " [logterm: ", last.term.value(), ", index: ", last.index.value(),
          "] sent ", Name(request), " request to ", HexId(id), " at term ", term_.value());
    Send({.type = request,
          .to = id,
          .term = term,
          .log_term = last.term,
          .index = last.index,
          .context = kind == Campaign::kTransfer ? SharedBytes(std::string(kCampaignTransfer))
                                                 : SharedBytes()});
  }
}

void RaftCore::StepCandidate(Message m) {
  switch (m.type) {
    case MessageType::kApp:
    case MessageType::kHeartbeat:
    case MessageType::kSnap:
      // Somebody else won this term.
      BecomeFollower(m.term, m.from);
      HandleLeaderMessage(std::move(m));
      break;
    case MessageType::kVoteResp:
    case MessageType::kPreVoteResp:
      HandleVoteResponse(m);
      break;
    default:
      // Without a leader there is nobody to forward to; a candidate is campaigning already.
      break;
  }
}

void RaftCore::HandleVoteResponse(const Message& m) {
  Candidate& candidate = std::get<Candidate>(role_);
  // Opinions do not elect, and votes of an earlier campaign are no opinions.
  if (candidate.pre != (m.type == MessageType::kPreVoteResp)) return;
  candidate.votes.emplace(m.from, !m.reject);  // the first answer counts
  Trace(TraceLevel::kInfo, " received ", Name(m.type), m.reject ? " rejection from " : " from ",
        HexId(m.from), " at term ", term_.value());
  switch (membership_.voters.Result(candidate.votes)) {
    case quorum::VoteResult::kPending:
      break;
    case quorum::VoteResult::kLost:
      BecomeFollower(term_, kNone);
      break;
    case quorum::VoteResult::kWon:
      if (candidate.pre) {
        StartCampaign(Campaign::kElection);
      } else {
        BecomeLeader();
        BroadcastAppend();
      }
      break;
  }
}

}  // namespace kvorum::raft
