#include "raft/confchange/changer.h"

#include <algorithm>

namespace kvorum::raft::confchange {
namespace {

using tracker::Progress;

Status Refused(const std::string& why) { return absl::FailedPreconditionError(why); }

Status Broken(MemberId id, std::string_view what) {
  return absl::InternalError("member " + HexId(id) + " " + std::string(what));
}

StatusOr<Result> Checked(Result r) {
  RETURN_IF_ERROR(CheckInvariants(r));
  return r;
}

// Number of ids in exactly one of the two sets.
size_t Difference(const quorum::MajorityConfig& a, const quorum::MajorityConfig& b) {
  size_t n = 0;
  for (MemberId id : a) n += b.Contains(id) ? 0 : 1;
  for (MemberId id : b) n += a.Contains(id) ? 0 : 1;
  return n;
}

// Takes `id` out of everything but the outgoing half; the progress stays while that needs it.
void Remove(Result* to, MemberId id) {
  to->config.voters.incoming.Erase(id);
  to->config.learners.erase(id);
  to->config.learners_next.erase(id);
  if (!to->config.voters.outgoing.Contains(id)) to->progress.erase(id);
}

Status CheckMembersHaveProgress(const Result& r) {
  const auto has = [&](MemberId id) { return r.progress.count(id) > 0; };
  for (MemberId id : r.config.voters.Ids()) {
    if (!has(id)) return Broken(id, "is a voter without progress");
  }
  for (MemberId id : r.config.learners) {
    if (!has(id)) return Broken(id, "is a learner without progress");
  }
  for (MemberId id : r.config.learners_next) {
    if (!has(id)) return Broken(id, "is a staged learner without progress");
  }
  return absl::OkStatus();
}

}  // namespace

std::vector<Single> Changes(const raftpb::ConfChangeV2& change) {
  std::vector<Single> out;
  for (const auto& c : change.changes()) {
    out.push_back({.type = c.type(), .id = MemberId(c.node_id())});
  }
  return out;
}

raftpb::ConfChangeV2 AsV2(const raftpb::ConfChange& change) {
  raftpb::ConfChangeV2 v2;
  auto* single = v2.add_changes();
  single->set_type(change.type());
  single->set_node_id(change.node_id());
  v2.set_context(change.context());
  return v2;
}

bool LeavesJoint(const raftpb::ConfChangeV2& change) {
  return change.transition() == raftpb::ConfChangeTransitionAuto && change.changes().empty();
}

std::optional<bool> EntersJoint(const raftpb::ConfChangeV2& change) {
  if (change.transition() == raftpb::ConfChangeTransitionAuto && change.changes_size() <= 1) {
    return std::nullopt;
  }
  return change.transition() != raftpb::ConfChangeTransitionJointExplicit;
}

StatusOr<Result> Changer::Apply(const raftpb::ConfChangeV2& change) const {
  if (LeavesJoint(change)) return LeaveJoint();
  const std::vector<Single> changes = Changes(change);
  if (const auto auto_leave = EntersJoint(change)) return EnterJoint(*auto_leave, changes);
  return Simple(changes);
}

StatusOr<Result> Changer::Simple(std::span<const Single> changes) const {
  RETURN_IF_ERROR(CheckInvariants(from_));
  if (from_.config.voters.IsJoint()) {
    return Refused("can't apply simple config change in joint config");
  }
  Result to = from_;
  RETURN_IF_ERROR(ApplyAll(&to, changes));
  if (Difference(from_.config.voters.incoming, to.config.voters.incoming) > 1) {
    return Refused("more than one voter changed without entering joint config");
  }
  return Checked(std::move(to));
}

StatusOr<Result> Changer::EnterJoint(bool auto_leave, std::span<const Single> changes) const {
  RETURN_IF_ERROR(CheckInvariants(from_));
  if (from_.config.voters.IsJoint()) return Refused("config is already joint");
  if (from_.config.voters.incoming.empty()) {
    return Refused("can't make a zero-voter config joint");
  }
  Result to = from_;
  to.config.voters.outgoing = to.config.voters.incoming;
  RETURN_IF_ERROR(ApplyAll(&to, changes));
  to.config.auto_leave = auto_leave;
  return Checked(std::move(to));
}

StatusOr<Result> Changer::LeaveJoint() const {
  RETURN_IF_ERROR(CheckInvariants(from_));
  if (!from_.config.voters.IsJoint()) return Refused("can't leave a non-joint config");
  Result to = from_;
  tracker::Config& config = to.config;
  for (MemberId id : config.learners_next) {
    config.learners.insert(id);
    to.progress.at(id).set_is_learner(true);
  }
  config.learners_next.clear();
  for (MemberId id : config.voters.outgoing) {
    if (!config.voters.incoming.Contains(id) && config.learners.count(id) == 0) {
      to.progress.erase(id);
    }
  }
  config.voters.outgoing.Clear();
  config.auto_leave = false;
  return Checked(std::move(to));
}

Status Changer::ApplyAll(Result* to, std::span<const Single> changes) const {
  for (const Single& c : changes) {
    if (c.id == MemberId(0)) continue;
    switch (c.type) {
      case raftpb::ConfChangeAddNode:
        MakeVoter(to, c.id);
        break;
      case raftpb::ConfChangeAddLearnerNode:
        MakeLearner(to, c.id);
        break;
      case raftpb::ConfChangeRemoveNode:
        Remove(to, c.id);
        break;
      case raftpb::ConfChangeUpdateNode:
        break;
      default:
        return Refused("unexpected conf type " + std::to_string(c.type));
    }
  }
  if (to->config.voters.incoming.empty()) return Refused("removed all voters");
  return absl::OkStatus();
}

void Changer::MakeVoter(Result* to, MemberId id) const {
  const auto it = to->progress.find(id);
  if (it == to->progress.end()) return AddMember(to, id, /*is_learner=*/false);
  it->second.set_is_learner(false);
  to->config.learners.erase(id);
  to->config.learners_next.erase(id);
  to->config.voters.incoming.Insert(id);
}

void Changer::MakeLearner(Result* to, MemberId id) const {
  const auto it = to->progress.find(id);
  if (it == to->progress.end()) return AddMember(to, id, /*is_learner=*/true);
  if (it->second.is_learner()) return;
  Progress kept = it->second;
  Remove(to, id);
  if (to->config.voters.outgoing.Contains(id)) {
    to->config.learners_next.insert(id);
  } else {
    kept.set_is_learner(true);
    to->config.learners.insert(id);
  }
  to->progress.insert_or_assign(id, std::move(kept));
}

void Changer::AddMember(Result* to, MemberId id, bool is_learner) const {
  if (is_learner) {
    to->config.learners.insert(id);
  } else {
    to->config.voters.incoming.Insert(id);
  }
  // Active from the start, or a leader could step down before the new member had a chance to
  // answer.
  to->progress.emplace(id, Progress({.match = Index(0),
                                     .next = std::max(last_index_, Index(1)),
                                     .is_learner = is_learner,
                                     .recent_active = true,
                                     .max_inflight_messages = limits_.max_inflight_messages,
                                     .max_inflight_bytes = limits_.max_inflight_bytes}));
}

Status CheckInvariants(const Result& r) {
  RETURN_IF_ERROR(CheckMembersHaveProgress(r));
  const tracker::Config& config = r.config;
  for (MemberId id : config.learners_next) {
    if (!config.voters.outgoing.Contains(id)) return Broken(id, "is staged, but no outgoing voter");
    if (r.progress.at(id).is_learner()) return Broken(id, "is staged, but already a learner");
  }
  for (MemberId id : config.learners) {
    if (config.voters.Contains(id)) return Broken(id, "is learner and voter");
    if (!r.progress.at(id).is_learner()) return Broken(id, "is a learner, but not marked as one");
  }
  if (!config.voters.IsJoint()) {
    if (!config.learners_next.empty()) return absl::InternalError("staged learners outside joint");
    if (config.auto_leave) return absl::InternalError("auto-leave outside joint");
  }
  return absl::OkStatus();
}

}  // namespace kvorum::raft::confchange
