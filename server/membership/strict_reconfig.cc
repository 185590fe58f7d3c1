#include "server/membership/strict_reconfig.h"

namespace kvorum::server {
namespace {

size_t QuorumOf(size_t voters) { return voters / 2 + 1; }

struct Voters {
  explicit Voters(const ReconfigView& view, MemberId without = MemberId(0)) {
    for (const MemberInfo& member : view.members) {
      if (member.is_learner || member.id == without) continue;
      ++count;
      if (!member.name.empty()) ++started;
      if (member.id == view.self || view.connected(member.id)) ++connected;
    }
  }

  size_t count = 0;
  size_t started = 0;
  size_t connected = 0;  // this member counts as connected to itself
};

bool IsLearner(const ReconfigView& view, MemberId id) {
  for (const MemberInfo& member : view.members) {
    if (member.id == id) return member.is_learner;
  }
  return false;
}

}  // namespace

Error CheckAdd(const ReconfigView& view, bool as_learner) {
  const Voters voters(view);
  if (!as_learner) {
    const size_t after = voters.count + 1;
    // A first member alone has to be able to grow.
    const bool first_growth = voters.started == 1 && after == 2;
    if (!first_growth && voters.started < QuorumOf(after)) return Error::kMemberNotEnoughStarted;
  }
  // The new member counts as unreachable. For a learner, too, as the reference has it.
  if (voters.count == 1) return Error::kOk;
  return voters.connected >= QuorumOf(voters.count + 1) ? Error::kOk : Error::kUnhealthy;
}

Error CheckRemove(const ReconfigView& view, MemberId id) {
  if (IsLearner(view, id)) return Error::kOk;
  const Voters left(view, id);
  if (left.started < QuorumOf(left.count)) return Error::kMemberNotEnoughStarted;
  // Who is down already is not part of any quorum that works.
  if (id != view.self && !view.active(id)) return Error::kOk;
  const Voters now(view);
  return now.connected >= 2 + (now.count - 1) / 2 ? Error::kOk : Error::kUnhealthy;
}

Error CheckPromote(const ReconfigView& view) {
  const Voters voters(view);
  return voters.started + 1 >= QuorumOf(voters.count + 1) ? Error::kOk
                                                          : Error::kMemberNotEnoughStarted;
}

}  // namespace kvorum::server
