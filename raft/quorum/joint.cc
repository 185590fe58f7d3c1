#include "raft/quorum/joint.h"

#include <algorithm>

namespace kvorum::raft::quorum {

MajorityConfig JointConfig::Ids() const {
  MajorityConfig all = incoming;
  for (MemberId id : outgoing) all.Insert(id);
  return all;
}

uint64_t JointConfig::CommittedIndex(AckedFn acked) const {
  return std::min(incoming.CommittedIndex(acked), outgoing.CommittedIndex(acked));
}

VoteResult JointConfig::Result(const Votes& votes) const {
  const VoteResult a = incoming.Result(votes);
  const VoteResult b = outgoing.Result(votes);
  if (a == b) return a;
  if (a == VoteResult::kLost || b == VoteResult::kLost) return VoteResult::kLost;
  return VoteResult::kPending;
}

std::string JointConfig::ToString() const {
  return IsJoint() ? incoming.ToString() + "&&" + outgoing.ToString() : incoming.ToString();
}

}  // namespace kvorum::raft::quorum
