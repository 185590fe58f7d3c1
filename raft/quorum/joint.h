#pragma once
// Two voter sets whose majorities must both agree: the state between two configurations. Outside of
// a change `outgoing` is empty and only `incoming` counts.

#include <string>

#include "raft/quorum/majority.h"

namespace kvorum::raft::quorum {

struct JointConfig {
  MajorityConfig incoming;
  MajorityConfig outgoing;

  bool IsJoint() const { return !outgoing.empty(); }
  bool Contains(MemberId id) const { return incoming.Contains(id) || outgoing.Contains(id); }
  // Union of both halves.
  MajorityConfig Ids() const;

  // The smaller of the halves' values.
  uint64_t CommittedIndex(AckedFn acked) const;
  // Lost if one half lost, won if both won.
  VoteResult Result(const Votes& votes) const;

  // "(1 2 3)" or "(1 2)&&(1 2 3)".
  std::string ToString() const;

  friend bool operator==(const JointConfig&, const JointConfig&) = default;
};

}  // namespace kvorum::raft::quorum
