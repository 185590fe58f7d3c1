#pragma once
// From one configuration to the next: pure functions of (configuration, progress, change).
//
// A simple change alters at most one voter, so that old and new majorities overlap. Anything else
// goes through a joint state: EnterJoint keeps the old voters as the outgoing half, LeaveJoint
// drops them.
//   voters=(1 2 3)  --EnterJoint(remove 1, learner 2, add 4)-->
//   voters=(3 4)&&(1 2 3) learners_next=(2)  --LeaveJoint-->  voters=(3 4) learners=(2)
// A voter of the outgoing half cannot be a learner at once, hence learners_next.
//
// Every result satisfies CheckInvariants. Node id 0 in a change means "refused": it does nothing.
// Follows go.etcd.io/raft confchange/confchange.go.

#include <optional>
#include <span>
#include <vector>

#include "base/status.h"
#include "proto/raft.pb.h"
#include "raft/tracker/tracker.h"

namespace kvorum::raft::confchange {

// One elementary step. The type is the wire's; a value it does not know is an error.
struct Single {
  raftpb::ConfChangeType type;
  MemberId id;
};

// What a wire change asks for.
std::vector<Single> Changes(const raftpb::ConfChangeV2& change);
// A V1 change as the V2 change it stands for.
raftpb::ConfChangeV2 AsV2(const raftpb::ConfChange& change);
// An automatic transition without changes leaves the joint state.
bool LeavesJoint(const raftpb::ConfChangeV2& change);
// Set if the change has to go through a joint state; true if that is left automatically.
std::optional<bool> EntersJoint(const raftpb::ConfChangeV2& change);

struct Result {
  tracker::Config config;
  tracker::ProgressMap progress;
};

// Limits for the progress of members that join.
struct ProgressLimits {
  int max_inflight_messages = 1;
  uint64_t max_inflight_bytes = 0;
};

// Holds what is changed from; its methods return what it changes to, or FailedPrecondition with the
// reason, and never change the Changer itself.
class Changer {
 public:
  // `last_index` of the log: where the probing of a new member starts.
  Changer(Result from, Index last_index, ProgressLimits limits)
      : from_(std::move(from)), last_index_(last_index), limits_(limits) {}

  StatusOr<Result> Simple(std::span<const Single> changes) const;
  StatusOr<Result> EnterJoint(bool auto_leave, std::span<const Single> changes) const;
  StatusOr<Result> LeaveJoint() const;
  // Whichever of the three the change calls for.
  StatusOr<Result> Apply(const raftpb::ConfChangeV2& change) const;

 private:
  Status ApplyAll(Result* to, std::span<const Single> changes) const;
  void MakeVoter(Result* to, MemberId id) const;
  void MakeLearner(Result* to, MemberId id) const;
  void AddMember(Result* to, MemberId id, bool is_learner) const;

  Result from_;
  Index last_index_;
  ProgressLimits limits_;
};

// OK if configuration and progress fit together; otherwise Internal, saying what does not.
Status CheckInvariants(const Result& r);

}  // namespace kvorum::raft::confchange
