#include "server/member_calls.h"

#include <algorithm>
#include <utility>

#include "base/log.h"
#include "base/strings.h"
#include "server/own_call.h"

namespace kvorum::server {
namespace {

// A learner whose log is this near to the leader's may become a voter.
constexpr double kReadyFraction = 0.9;

bool IsLearner(const MemberChange& change) {
  return change.kind == MemberChange::Kind::kAddLearner;
}

raftpb::ConfChange ToConfChange(const MemberChange& change) {
  raftpb::ConfChange result;
  result.set_node_id(change.id.value());
  switch (change.kind) {
    case MemberChange::Kind::kAdd:
    case MemberChange::Kind::kAddLearner:
      result.set_type(IsLearner(change) ? raftpb::ConfChangeAddLearnerNode
                                        : raftpb::ConfChangeAddNode);
      result.set_context(EncodeMemberJson(
          {.id = change.id, .peer_urls = change.peer_urls, .is_learner = IsLearner(change)}));
      break;
    case MemberChange::Kind::kRemove:
      result.set_type(raftpb::ConfChangeRemoveNode);
      break;
    case MemberChange::Kind::kUpdate:
      result.set_type(raftpb::ConfChangeUpdateNode);
      result.set_context(EncodeMemberJson({.id = change.id, .peer_urls = change.peer_urls}));
      break;
    case MemberChange::Kind::kPromote:
      result.set_type(raftpb::ConfChangeAddNode);
      result.set_context(EncodePromoteContext(change.id));
      break;
  }
  return result;
}

}  // namespace

ReconfigView MemberCalls::View() const {
  const TimePoint since = parts_.clock->Now() - kHealthInterval;
  const auto active_since = [peers = parts_.peers](MemberId id) {
    return peers == nullptr ? std::nullopt : peers->ActiveSince(id);
  };
  return {.members = parts_.membership->Members(),
          .self = parts_.membership->self(),
          .connected =
              [active_since, since](MemberId id) {
                const std::optional<TimePoint> active = active_since(id);
                return active && *active < since;
              },
          .active = [active_since](MemberId id) { return active_since(id).has_value(); }};
}

Error MemberCalls::MayAdd(const MemberChange& change) const {
  if (!parts_.config->strict_reconfig_check) return Error::kOk;
  const Error error = CheckAdd(View(), IsLearner(change));
  if (error == Error::kOk) return error;
  const bool unhealthy = error == Error::kUnhealthy;
  LOG_WARN(unhealthy ? "rejecting member add request; local member has not been connected to "
                       "majority peers, reconfigure breaks active quorum"
                     : "rejecting member add request; not enough healthy members",
           {"local-member-id", HexId(parts_.membership->self())},
           {"requested-member-add", HexId(change.id)}, {"error", TextOf(error)});
  return error;
}

// The last voter stays even if --strict-reconfig-check is off: raft has no configuration without
// voters, and the reference ends in a panic there.
Error MemberCalls::MayRemove(MemberId id) const {
  const ReconfigView view = View();
  const bool last_voter =
      !parts_.membership->IsLearner(id) &&
      std::none_of(view.members.begin(), view.members.end(),
                   [&](const MemberInfo& member) { return !member.is_learner && member.id != id; });
  Error error = last_voter ? Error::kMemberNotEnoughStarted : Error::kOk;
  if (parts_.config->strict_reconfig_check) error = CheckRemove(view, id);
  if (error == Error::kOk) return error;
  const bool unhealthy = error == Error::kUnhealthy;
  LOG_WARN(unhealthy ? "rejecting member remove request; local member has not been connected to "
                       "all peers, reconfigure breaks active quorum"
                     : "rejecting member remove request; not enough healthy members",
           {"local-member-id", HexId(parts_.membership->self())},
           {"requested-member-remove-id", HexId(id)}, {"error", TextOf(error)});
  return error;
}

// What is applied may still refuse it: a member that is no learner, or not there any more.
Error MemberCalls::MayPromote(const raft::NodeStatus& status, MemberId id) const {
  const auto learner = status.progress.find(id);
  if (learner == status.progress.end()) return Error::kMemberNotFound;
  const double match = static_cast<double>(learner->second.match().value());
  const double own = static_cast<double>(status.progress.at(status.id).match().value());
  if (match / own < kReadyFraction) {
    LOG_ERROR("rejecting promote learner: learner is not ready",
              {"learner-ready-percent", match / own}, {"ready-percent-threshold", kReadyFraction});
    return Error::kLearnerNotReady;
  }
  if (!parts_.config->strict_reconfig_check) return Error::kOk;
  const Error error = CheckPromote(View());
  if (error != Error::kOk) {
    LOG_WARN("rejecting member promote request; not enough healthy members",
             {"local-member-id", HexId(parts_.membership->self())},
             {"requested-member-remove-id", HexId(id)}, {"error", TextOf(error)});
  }
  return error;
}

void MemberCalls::Promote(MemberId id, TimePoint deadline, ProposalWaiter* waiter) {
  const bool queued = parts_.raft->Run([this, id, deadline, waiter](raft::RawNode& node) {
    if (node.role() != raft::Role::kLeader) return PassOnPromotion(id, waiter);
    const Error error = MayPromote(node.GetStatus(), id);
    if (error != Error::kOk) return ResumeOne(waiter, error);
    MemberChange change;
    change.kind = MemberChange::Kind::kPromote;
    change.id = id;
    Propose(change, deadline, waiter);
  });
  if (!queued) ResumeOne(waiter, Error::kStopped);
}

void MemberCalls::PassOnPromotion(MemberId id, ProposalWaiter* waiter) {
  const std::optional<MemberInfo> leader = parts_.membership->Find(parts_.raft->leader());
  if (parts_.peers == nullptr || !leader) return ResumeOne(waiter, Error::kNoLeader);
  parts_.peers->PromoteMember(leader->peer_urls, id, [waiter](const peer::Answer<bool>& answer) {
    ResumeOne(waiter, answer.error);
  });
}

void MemberCalls::Change(const MemberChange& change, TimePoint deadline, ProposalWaiter* waiter) {
  Error error = Error::kOk;
  switch (change.kind) {
    case MemberChange::Kind::kAdd:
    case MemberChange::Kind::kAddLearner:
      error = MayAdd(change);
      break;
    case MemberChange::Kind::kRemove:
      error = MayRemove(change.id);
      break;
    case MemberChange::Kind::kUpdate:
      break;
    case MemberChange::Kind::kPromote:
      return Promote(change.id, deadline, waiter);
  }
  if (error != Error::kOk) return ResumeOne(waiter, error);
  Propose(change, deadline, waiter);
}

void MemberCalls::Propose(const MemberChange& change, TimePoint deadline, ProposalWaiter* waiter) {
  raftpb::ConfChange proposal = ToConfChange(change);
  proposal.set_id(parts_.request_ids->Next());
  deadline = std::min(deadline, parts_.clock->Now() + parts_.config->request_timeout());
  if (!parts_.wait_list->Add(proposal.id(), deadline, waiter)) {
    return ResumeOne(waiter, Error::kStopped);
  }
  parts_.raft->ProposeConfChange(std::move(proposal));
}

}  // namespace kvorum::server
