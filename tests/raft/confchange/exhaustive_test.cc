// Every configuration that three members can reach, every change of up to three steps from it,
// against a model that knows nothing but who is to be what.

#include <gtest/gtest.h>

#include <array>
#include <deque>
#include <map>
#include <set>

#include "raft/confchange/changer.h"
#include "raft/confchange/restore.h"

namespace kvorum::raft::confchange {
namespace {

constexpr ProgressLimits kLimits{.max_inflight_messages = 4, .max_inflight_bytes = 0};
constexpr uint64_t kIds = 3;

// ---- The model ----

enum class Is : uint8_t { kNothing, kVoter, kLearner };
using Ids = std::set<uint64_t>;

struct Model {
  std::map<uint64_t, Is> roles;  // as they will be when no joint state is left
  Ids outgoing;                  // not empty: joint
  bool auto_leave = false;

  bool joint() const { return !outgoing.empty(); }
  Ids All(Is role) const {
    Ids out;
    for (const auto& [id, is] : roles) {
      if (is == role) out.insert(id);
    }
    return out;
  }
};

struct Action {
  enum Kind : uint8_t { kSimple, kEnter, kEnterAuto, kLeave } kind = kSimple;
  std::vector<Single> changes;
};

size_t Moved(const Ids& a, const Ids& b) {
  size_t n = 0;
  for (uint64_t id = 1; id <= kIds; ++id) n += a.count(id) != b.count(id) ? 1 : 0;
  return n;
}

// nullopt: refused.
std::optional<Model> Do(const Model& from, const Action& action) {
  Model to = from;
  if (action.kind == Action::kLeave) {
    if (!from.joint()) return std::nullopt;
    to.outgoing.clear();
    to.auto_leave = false;
    return to;
  }
  if (from.joint()) return std::nullopt;
  for (const Single& c : action.changes) {
    if (c.id == MemberId(0) || c.type == raftpb::ConfChangeUpdateNode) continue;
    to.roles[c.id.value()] = c.type == raftpb::ConfChangeAddNode          ? Is::kVoter
                             : c.type == raftpb::ConfChangeAddLearnerNode ? Is::kLearner
                                                                          : Is::kNothing;
  }
  if (to.All(Is::kVoter).empty()) return std::nullopt;
  if (action.kind == Action::kSimple) {
    if (Moved(from.All(Is::kVoter), to.All(Is::kVoter)) > 1) return std::nullopt;
    return to;
  }
  to.outgoing = from.All(Is::kVoter);
  to.auto_leave = action.kind == Action::kEnterAuto;
  return to;
}

StatusOr<Result> Do(const Result& from, const Action& action) {
  const Changer changer(from, Index(7), kLimits);
  if (action.kind == Action::kLeave) return changer.LeaveJoint();
  if (action.kind == Action::kSimple) return changer.Simple(action.changes);
  return changer.EnterJoint(action.kind == Action::kEnterAuto, action.changes);
}

// ---- What both must agree on ----

Ids ToIds(const quorum::MajorityConfig& set) {
  Ids out;
  for (MemberId id : set) out.insert(id.value());
  return out;
}

Ids ToIds(const std::set<MemberId>& set) {
  Ids out;
  for (MemberId id : set) out.insert(id.value());
  return out;
}

void ExpectSame(const Result& r, const Model& model) {
  Ids learners = model.All(Is::kLearner);
  Ids staged;
  for (uint64_t id : model.outgoing) {
    if (learners.erase(id) > 0) staged.insert(id);
  }
  Ids members = model.outgoing;
  for (uint64_t id = 1; id <= kIds; ++id) {
    const auto it = model.roles.find(id);
    if (it != model.roles.end() && it->second != Is::kNothing) members.insert(id);
  }
  EXPECT_EQ(ToIds(r.config.voters.incoming), model.All(Is::kVoter));
  EXPECT_EQ(ToIds(r.config.voters.outgoing), model.outgoing);
  EXPECT_EQ(ToIds(r.config.learners), learners);
  EXPECT_EQ(ToIds(r.config.learners_next), staged);
  EXPECT_EQ(r.config.auto_leave, model.auto_leave);
  Ids with_progress;
  for (const auto& [id, pr] : r.progress) {
    with_progress.insert(id.value());
    EXPECT_EQ(pr.is_learner(), learners.count(id.value()) > 0);
  }
  EXPECT_EQ(with_progress, members);
  EXPECT_TRUE(CheckInvariants(r).ok());
}

// Whether the members in `set` (a bit each) can commit and elect.
bool IsQuorum(const tracker::Config& config, uint32_t set) {
  for (const auto* half : {&config.voters.incoming, &config.voters.outgoing}) {
    size_t n = 0;
    for (MemberId id : *half) n += set >> id.value() & 1;
    if (!half->empty() && n * 2 <= half->size()) return false;
  }
  return true;
}

// What one configuration can decide the next one cannot decide without it.
void ExpectOverlap(const tracker::Config& before, const tracker::Config& after) {
  for (uint32_t a = 0; a < 2u << kIds; ++a) {
    for (uint32_t b = 0; b < 2u << kIds; ++b) {
      if ((a & b) == 0) {
        EXPECT_FALSE(IsQuorum(before, a) && IsQuorum(after, b))
            << before.ToString() << " to " << after.ToString();
      }
    }
  }
}

std::vector<Single> AllSteps() {
  std::vector<Single> out;
  for (uint64_t id = 1; id <= kIds; ++id) {
    for (const auto type : {raftpb::ConfChangeAddNode, raftpb::ConfChangeRemoveNode,
                            raftpb::ConfChangeAddLearnerNode}) {
      out.push_back({.type = type, .id = MemberId(id)});
    }
  }
  return out;
}

std::vector<Action> AllActions() {
  std::vector<std::vector<Single>> sequences{
      {},
      {{.type = raftpb::ConfChangeAddNode, .id = MemberId(0)}},  // refused by the application
      {{.type = raftpb::ConfChangeUpdateNode, .id = MemberId(1)}}};
  for (const Single& first : AllSteps()) {
    sequences.push_back({first});
    for (const Single& second : AllSteps()) {
      sequences.push_back({first, second});
      for (const Single& third : AllSteps()) sequences.push_back({first, second, third});
    }
  }
  std::vector<Action> out{{.kind = Action::kLeave, .changes = {}}};
  for (const auto kind : {Action::kSimple, Action::kEnter, Action::kEnterAuto}) {
    for (const auto& sequence : sequences) out.push_back({.kind = kind, .changes = sequence});
  }
  return out;
}

TEST(ConfChangeExhaustiveTest, EveryChangeOfEveryReachableConfiguration) {
  const std::vector<Action> actions = AllActions();
  const Single first{.type = raftpb::ConfChangeAddNode, .id = MemberId(1)};
  auto start = Changer({}, Index(7), kLimits).Simple({&first, 1});
  ASSERT_TRUE(start.ok());
  std::set<std::string> seen{start->config.ToString()};
  std::deque<std::pair<Result, Model>> todo;
  todo.emplace_back(*std::move(start), Model{.roles = {{1, Is::kVoter}}});
  int refused = 0;
  while (!todo.empty() && !HasFailure()) {
    const auto [from, model] = std::move(todo.front());
    todo.pop_front();
    const auto restored = Restore(from.config.ToConfState(), Index(7), kLimits);
    ASSERT_TRUE(restored.ok());
    EXPECT_EQ(restored->config, from.config);
    for (const Action& action : actions) {
      const auto result = Do(from, action);
      const auto expected = Do(model, action);
      ASSERT_EQ(result.ok(), expected.has_value()) << from.config.ToString();
      if (!result.ok()) {
        ++refused;
        continue;
      }
      ExpectSame(*result, *expected);
      ExpectOverlap(from.config, result->config);
      if (seen.insert(result->config.ToString()).second) todo.emplace_back(*result, *expected);
    }
  }
  // Of voters, learners and nobody there are 19 with a voter; joint: each of them with each of the
  // 7 sets of outgoing voters, to be left by itself or not.
  EXPECT_EQ(seen.size(), 19u + 2u * 7u * 19u);
  EXPECT_GT(refused, 0);
}

}  // namespace
}  // namespace kvorum::raft::confchange
