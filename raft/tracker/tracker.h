#pragma once
// The configuration in force and the progress of each of its members.

#include <map>
#include <set>
#include <string>

#include "proto/raft.pb.h"
#include "raft/quorum/joint.h"
#include "raft/tracker/progress.h"

namespace kvorum::raft::tracker {

// Who takes part, as what. Learners and voters are disjoint; `learners_next` are outgoing voters
// that become learners when the joint state is left.
struct Config {
  quorum::JointConfig voters;
  bool auto_leave = false;  // the leader leaves the joint state by itself
  std::set<MemberId> learners;
  std::set<MemberId> learners_next;

  // Exactly one voter, not in a joint state.
  bool IsSingleton() const { return voters.incoming.size() == 1 && !voters.IsJoint(); }
  raftpb::ConfState ToConfState() const;
  // "voters=(1 2)&&(1) learners=(3) autoleave".
  std::string ToString() const;

  friend bool operator==(const Config&, const Config&) = default;
};

// In ascending order of id, which is the order messages go out in.
using ProgressMap = std::map<MemberId, Progress>;

// The largest index held by a (joint) quorum of voters.
Index Committed(const Config& config, const ProgressMap& progress);
// True if a (joint) quorum of voters has recent_active set.
bool QuorumActive(const Config& config, const ProgressMap& progress);

}  // namespace kvorum::raft::tracker
