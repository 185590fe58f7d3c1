#include "raft/tracker/tracker.h"

namespace kvorum::raft::tracker {
namespace {

std::string SetToString(const std::set<MemberId>& ids) {
  std::string out = "(";
  for (MemberId id : ids) {
    if (out.size() > 1) out += ' ';
    out += HexId(id);
  }
  return out + ")";
}

}  // namespace

raftpb::ConfState Config::ToConfState() const {
  raftpb::ConfState state;
  for (MemberId id : voters.incoming) state.add_voters(id.value());
  for (MemberId id : voters.outgoing) state.add_voters_outgoing(id.value());
  for (MemberId id : learners) state.add_learners(id.value());
  for (MemberId id : learners_next) state.add_learners_next(id.value());
  state.set_auto_leave(auto_leave);  // written even when false, as the reference does
  return state;
}

std::string Config::ToString() const {
  std::string out = "voters=" + voters.ToString();
  if (!learners.empty()) out += " learners=" + SetToString(learners);
  if (!learners_next.empty()) out += " learners_next=" + SetToString(learners_next);
  if (auto_leave) out += " autoleave";
  return out;
}

Index Committed(const Config& config, const ProgressMap& progress) {
  return Index(config.voters.CommittedIndex([&](MemberId id) -> std::optional<uint64_t> {
    const auto it = progress.find(id);
    if (it == progress.end()) return std::nullopt;
    return it->second.match().value();
  }));
}

bool QuorumActive(const Config& config, const ProgressMap& progress) {
  quorum::Votes active;
  for (const auto& [id, pr] : progress) {
    if (!pr.is_learner()) active[id] = pr.recent_active();
  }
  return config.voters.Result(active) == quorum::VoteResult::kWon;
}

}  // namespace kvorum::raft::tracker
