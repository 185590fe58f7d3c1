#include "server/member_calls.h"

#include <algorithm>
#include <utility>

#include "base/log.h"
#include "base/strings.h"

namespace kvorum::server {
namespace {

raftpb::ConfChange ToConfChange(const MemberChange& change) {
  raftpb::ConfChange result;
  result.set_node_id(change.id.value());
  switch (change.kind) {
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

// The voters that `id` would leave behind.
struct OtherVoters {
  OtherVoters(const std::vector<MemberInfo>& members, MemberId id) {
    for (const MemberInfo& member : members) {
      if (member.is_learner || member.id == id) continue;
      ++count;
      if (!member.name.empty()) ++started;
    }
  }
  bool have_quorum() const { return started >= count / 2 + 1; }

  size_t count = 0;
  size_t started = 0;
};

}  // namespace

// The last voter stays even if --strict-reconfig-check is off: raft has no configuration without
// voters, and the reference ends in a panic there.
Error MemberCalls::MayRemove(MemberId id) const {
  if (parts_.membership->IsLearner(id)) return Error::kOk;
  const OtherVoters others(parts_.membership->Members(), id);
  if (others.have_quorum()) return Error::kOk;
  if (others.count > 0 && !parts_.config->strict_reconfig_check) return Error::kOk;
  LOG_WARN("rejecting member remove request; not enough healthy members",
           {"local-member-id", HexId(parts_.membership->self())},
           {"requested-member-remove-id", HexId(id)},
           {"error", "etcdserver: re-configuration failed due to not enough started members"});
  return Error::kMemberNotEnoughStarted;
}

// A learner cannot have caught up: nothing is sent to other members yet.
Error MemberCalls::MayPromote(MemberId id) const {
  if (!parts_.membership->Find(id)) return Error::kMemberNotFound;
  return parts_.membership->IsLearner(id) ? Error::kLearnerNotReady : Error::kOk;
}

void MemberCalls::Change(const MemberChange& change, TimePoint deadline, ProposalWaiter* waiter) {
  Error error = Error::kOk;
  if (change.kind == MemberChange::Kind::kRemove) error = MayRemove(change.id);
  if (change.kind == MemberChange::Kind::kPromote) error = MayPromote(change.id);
  raftpb::ConfChange proposal = ToConfChange(change);
  proposal.set_id(parts_.request_ids->Next());
  deadline = std::min(deadline, parts_.clock->Now() + parts_.config->request_timeout());
  if (error == Error::kOk && !parts_.wait_list->Add(proposal.id(), deadline, waiter)) {
    error = Error::kStopped;
  }
  if (error == Error::kOk) return parts_.raft->ProposeConfChange(std::move(proposal));
  ResumeOne(waiter, error);
}

}  // namespace kvorum::server
