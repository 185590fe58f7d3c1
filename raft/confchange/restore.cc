#include "raft/confchange/restore.h"

namespace kvorum::raft::confchange {
namespace {

template <typename Ids>
void AddAll(std::vector<Single>* out, raftpb::ConfChangeType type, const Ids& ids) {
  for (uint64_t id : ids) out->push_back({.type = type, .id = MemberId(id)});
}

// The steps from the outgoing half (or nothing) to everything else.
std::vector<Single> Incoming(const raftpb::ConfState& state) {
  std::vector<Single> in;
  AddAll(&in, raftpb::ConfChangeRemoveNode, state.voters_outgoing());
  AddAll(&in, raftpb::ConfChangeAddNode, state.voters());
  AddAll(&in, raftpb::ConfChangeAddLearnerNode, state.learners());
  AddAll(&in, raftpb::ConfChangeAddLearnerNode, state.learners_next());
  return in;
}

}  // namespace

StatusOr<Result> Restore(const raftpb::ConfState& state, Index last_index, ProgressLimits limits) {
  std::vector<Single> one_by_one;
  AddAll(&one_by_one, raftpb::ConfChangeAddNode, state.voters_outgoing());
  std::vector<Single> in = Incoming(state);
  const bool joint = !one_by_one.empty();
  if (!joint) one_by_one.swap(in);

  Result r;
  for (const Single& step : one_by_one) {
    ASSIGN_OR_RETURN(r, Changer(std::move(r), last_index, limits).Simple({&step, 1}));
  }
  if (!joint) return r;
  return Changer(std::move(r), last_index, limits).EnterJoint(state.auto_leave(), in);
}

}  // namespace kvorum::raft::confchange
