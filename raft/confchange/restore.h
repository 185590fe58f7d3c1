#pragma once
// A stored configuration (ConfState, of a snapshot or the store) turned back into the working one.

#include "raft/confchange/changer.h"

namespace kvorum::raft::confchange {

// Built by replaying a sequence of changes that leads there, so that every invariant is checked on
// the way. An error means that the ConfState is not one that changes can reach.
StatusOr<Result> Restore(const raftpb::ConfState& state, Index last_index, ProgressLimits limits);

}  // namespace kvorum::raft::confchange
