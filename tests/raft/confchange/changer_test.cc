// Changes of the configuration: tables, then random sequences against what must hold of any.

#include "raft/confchange/changer.h"

#include <gtest/gtest.h>

#include "base/random.h"
#include "raft/confchange/restore.h"
#include "raft/types.h"

namespace kvorum::raft::confchange {
namespace {

constexpr ProgressLimits kLimits{.max_inflight_messages = 10};

// "v1 l2 r3 u4": add voter 1, learner 2, remove 3, update 4.
std::vector<Single> Parse(std::string_view text) {
  std::vector<Single> out;
  for (size_t i = 0; i + 1 < text.size(); i += 3) {
    const raftpb::ConfChangeType type = text[i] == 'v'   ? raftpb::ConfChangeAddNode
                                        : text[i] == 'l' ? raftpb::ConfChangeAddLearnerNode
                                        : text[i] == 'r' ? raftpb::ConfChangeRemoveNode
                                                         : raftpb::ConfChangeUpdateNode;
    out.push_back({.type = type, .id = MemberId(static_cast<uint64_t>(text[i + 1] - '0'))});
  }
  return out;
}

// A configuration that remembers what the last command said.
class Cluster {
 public:
  std::string Simple(std::string_view text) { return Take(changer().Simple(Parse(text))); }
  std::string Enter(std::string_view text, bool auto_leave = false) {
    return Take(changer().EnterJoint(auto_leave, Parse(text)));
  }
  std::string Leave() { return Take(changer().LeaveJoint()); }
  const Result& result() const { return result_; }

 private:
  Changer changer() { return Changer(result_, Index(next_index_++), kLimits); }
  std::string Take(StatusOr<Result> r) {
    if (!r.ok()) return std::string(r.status().message());
    result_ = *std::move(r);
    return result_.config.ToString();
  }
  Result result_;
  uint64_t next_index_ = 0;
};

TEST(ChangerTest, SimpleChangesMoveOneVoterAtATime) {
  Cluster c;
  EXPECT_EQ(c.Simple("l1"), "removed all voters");
  EXPECT_EQ(c.Simple("v1"), "voters=(1)");
  EXPECT_EQ(c.Simple("v1"), "voters=(1)");
  EXPECT_EQ(c.Simple("v2 v3"), "more than one voter changed without entering joint config");
  EXPECT_EQ(c.Simple("v2 l3"), "voters=(1 2) learners=(3)");
  EXPECT_EQ(c.Simple("l3"), "voters=(1 2) learners=(3)");
  EXPECT_EQ(c.Simple("v3"), "voters=(1 2 3)");
  EXPECT_EQ(c.Simple("l2"), "voters=(1 3) learners=(2)");
  EXPECT_EQ(c.Simple("r9"), "voters=(1 3) learners=(2)");
  EXPECT_EQ(c.Simple("r2 r3"), "voters=(1)");
  EXPECT_EQ(c.Simple("r1"), "removed all voters");
  EXPECT_EQ(c.Simple("u1 u7"), "voters=(1)");
  EXPECT_EQ(c.Simple("r0 v0 l0"), "voters=(1)");  // refused by the application
  EXPECT_EQ(c.Leave(), "can't leave a non-joint config");
}

TEST(ChangerTest, AJointStateStandsBetweenLargerChanges) {
  Cluster c;
  EXPECT_EQ(c.Enter("v1"), "can't make a zero-voter config joint");
  c.Simple("v1");
  EXPECT_EQ(c.Enter("v2 v3"), "voters=(1 2 3)&&(1)");
  EXPECT_EQ(c.Enter("v4"), "config is already joint");
  EXPECT_EQ(c.Simple("v4"), "can't apply simple config change in joint config");
  EXPECT_EQ(c.Leave(), "voters=(1 2 3)");
  EXPECT_EQ(c.Enter("r1 r2 v4", /*auto_leave=*/true), "voters=(3 4)&&(1 2 3) autoleave");
  EXPECT_EQ(c.result().progress.size(), 4u);  // the outgoing half is still replicated to
  EXPECT_EQ(c.Leave(), "voters=(3 4)");
  EXPECT_EQ(c.result().progress.size(), 2u);
  EXPECT_EQ(c.Enter("r3 r4"), "removed all voters");
}

TEST(ChangerTest, DemotedVotersAreStagedUntilTheOutgoingHalfIsGone) {
  Cluster c;
  c.Simple("v1");
  c.Enter("v2 v3");
  c.Leave();
  EXPECT_EQ(c.Enter("l1 l2 l4"), "voters=(3)&&(1 2 3) learners=(4) learners_next=(1 2)");
  EXPECT_FALSE(c.result().progress.at(MemberId(1)).is_learner());
  EXPECT_TRUE(c.result().progress.at(MemberId(4)).is_learner());
  EXPECT_EQ(c.Leave(), "voters=(3) learners=(1 2 4)");
  EXPECT_TRUE(c.result().progress.at(MemberId(1)).is_learner());
}

TEST(ChangerTest, WithinAJointChangeTheLastWordCounts) {
  Cluster c;
  c.Simple("v1");
  EXPECT_EQ(c.Enter("v2 l2 v2 r3 l3 v3 r3"), "voters=(1 2)&&(1)");
  EXPECT_EQ(c.Leave(), "voters=(1 2)");
  EXPECT_EQ(c.Enter("r1 v1 l1 r1 l1"), "voters=(2)&&(1 2) learners_next=(1)");
  EXPECT_EQ(c.Leave(), "voters=(2) learners=(1)");
}

TEST(ChangerTest, PromotionKeepsTheProgressAndNewMembersAreActive) {
  Cluster c;
  c.Simple("v1");
  c.Simple("l2");
  Result r = c.result();
  const tracker::Progress& fresh = r.progress.at(MemberId(2));
  EXPECT_EQ(fresh.match(), Index(0));
  EXPECT_EQ(fresh.next(), Index(1));
  EXPECT_TRUE(fresh.recent_active());
  r.progress.at(MemberId(2)).MaybeUpdate(Index(7));
  const auto promoted = Changer(r, Index(20), kLimits).Simple(Parse("v2"));
  ASSERT_TRUE(promoted.ok());
  EXPECT_EQ(promoted->progress.at(MemberId(2)).match(), Index(7));
  const auto added = Changer(r, Index(20), kLimits).Simple(Parse("v3"));
  EXPECT_EQ(added->progress.at(MemberId(3)).next(), Index(20));
}

TEST(ChangerTest, TheWireChangeDecidesBetweenSimpleAndJoint) {
  raftpb::ConfChangeV2 change;
  EXPECT_TRUE(LeavesJoint(change));
  change.set_context("x");
  EXPECT_TRUE(LeavesJoint(change));
  change.set_transition(raftpb::ConfChangeTransitionJointExplicit);
  EXPECT_FALSE(LeavesJoint(change));
  EXPECT_EQ(EntersJoint(change), false);
  change.set_transition(raftpb::ConfChangeTransitionJointImplicit);
  EXPECT_EQ(EntersJoint(change), true);
  change.set_transition(raftpb::ConfChangeTransitionAuto);
  change.add_changes()->set_node_id(1);
  EXPECT_EQ(EntersJoint(change), std::nullopt);
  change.add_changes()->set_node_id(2);
  EXPECT_EQ(EntersJoint(change), true);

  raftpb::ConfChange v1;
  v1.set_type(raftpb::ConfChangeRemoveNode);
  v1.set_node_id(5);
  v1.set_context("c");
  const raftpb::ConfChangeV2 v2 = AsV2(v1);
  ASSERT_EQ(v2.changes_size(), 1);
  EXPECT_EQ(v2.changes(0).type(), raftpb::ConfChangeRemoveNode);
  EXPECT_EQ(v2.changes(0).node_id(), 5u);
  EXPECT_EQ(v2.context(), "c");
  EXPECT_FALSE(LeavesJoint(v2));
}

TEST(ChangerTest, InvariantsNameWhatIsBroken) {
  Cluster c;
  c.Simple("v1");
  Result r = c.result();
  EXPECT_TRUE(CheckInvariants(r).ok());
  r.progress.clear();
  EXPECT_FALSE(CheckInvariants(r).ok());
  r = c.result();
  r.config.learners.insert(MemberId(1));
  EXPECT_FALSE(CheckInvariants(r).ok());
  r = c.result();
  r.config.auto_leave = true;
  EXPECT_FALSE(CheckInvariants(r).ok());
  r = c.result();
  r.config.learners_next.insert(MemberId(1));
  EXPECT_FALSE(CheckInvariants(r).ok());
}

// ---- Random sequences ----

std::vector<Single> RandomChanges(Random* random) {
  std::vector<Single> out;
  for (uint64_t n = 1 + random->Uniform(5); n > 0; --n) {
    out.push_back({.type = static_cast<raftpb::ConfChangeType>(random->Uniform(4)),
                   .id = MemberId(random->Uniform(7))});
  }
  return out;
}

TEST(ChangerTest, AJointStepEndsWhereSimpleStepsEnd) {
  auto random = NewSeededRandom(3);
  int compared = 0;
  for (int round = 0; round < 3000; ++round) {
    Cluster start;
    start.Simple("v1");
    for (int i = 0; i < 6; ++i) {
      const auto some = RandomChanges(random.get());
      if (auto r = Changer(start.result(), Index(5), kLimits).EnterJoint(false, some); r.ok()) {
        break;
      }
    }
    const std::vector<Single> changes = RandomChanges(random.get());
    auto joint = Changer(start.result(), Index(5), kLimits).EnterJoint(false, changes);
    Result simple = start.result();
    bool ok = true;
    for (const Single& c : changes) {
      auto r = Changer(simple, Index(5), kLimits).Simple({&c, 1});
      ok = ok && r.ok();
      if (ok) simple = *std::move(r);
    }
    if (!ok || !joint.ok()) continue;  // an intermediate step may be impossible
    const auto left = Changer(*joint, Index(5), kLimits).LeaveJoint();
    ASSERT_TRUE(left.ok());
    EXPECT_EQ(left->config, simple.config);
    EXPECT_EQ(left->progress.size(), simple.progress.size());
    ++compared;
  }
  EXPECT_GT(compared, 500);
}

TEST(RestoreTest, BringsBackEveryReachableConfiguration) {
  auto random = NewSeededRandom(11);
  int joint_states = 0;
  for (int round = 0; round < 300; ++round) {
    Result r;
    for (int step = 0; step < 20; ++step) {
      const Changer changer(r, Index(9), kLimits);
      StatusOr<Result> next =
          r.config.voters.IsJoint() ? changer.LeaveJoint()
          : random->Uniform(2) == 0
              ? changer.EnterJoint(random->Uniform(2) == 0, RandomChanges(random.get()))
              : changer.Simple(RandomChanges(random.get()));
      if (!next.ok()) continue;
      r = *std::move(next);
      joint_states += r.config.voters.IsJoint() ? 1 : 0;
      const raftpb::ConfState state = r.config.ToConfState();
      const auto restored = Restore(state, Index(9), kLimits);
      ASSERT_TRUE(restored.ok()) << restored.status();
      EXPECT_EQ(restored->config, r.config);
      EXPECT_TRUE(Equivalent(restored->config.ToConfState(), state));
      ASSERT_EQ(restored->progress.size(), r.progress.size());
      for (const auto& [id, pr] : r.progress) {
        EXPECT_EQ(restored->progress.at(id).is_learner(), pr.is_learner());
      }
    }
  }
  EXPECT_GT(joint_states, 100);
}

TEST(RestoreTest, AnEmptyStateIsNoConfiguration) {
  const auto r = Restore({}, Index(0), kLimits);
  ASSERT_TRUE(r.ok());
  EXPECT_TRUE(r->config.voters.incoming.empty());
}

TEST(RestoreTest, ImpossibleStatesAreRefusedOrRepaired) {
  raftpb::ConfState overlapping;
  overlapping.add_voters(1);
  overlapping.add_learners(1);
  const auto r = Restore(overlapping, Index(1), kLimits);
  EXPECT_TRUE(!r.ok() || !Equivalent(r->config.ToConfState(), overlapping));
  raftpb::ConfState learners_only;
  learners_only.add_learners(1);
  EXPECT_FALSE(Restore(learners_only, Index(1), kLimits).ok());
}

TEST(EquivalenceTest, IgnoresOrderAndNothingElse) {
  raftpb::ConfState a;
  raftpb::ConfState b;
  EXPECT_TRUE(Equivalent(a, b));
  a.set_auto_leave(false);
  EXPECT_TRUE(Equivalent(a, b));
  for (uint64_t id : {1, 2, 3}) a.add_voters(id);
  for (uint64_t id : {3, 1, 2}) b.add_voters(id);
  EXPECT_TRUE(Equivalent(a, b));
  b.add_learners(4);
  EXPECT_FALSE(Equivalent(a, b));
  a.add_learners(4);
  a.set_auto_leave(true);
  EXPECT_FALSE(Equivalent(a, b));
}

}  // namespace
}  // namespace kvorum::raft::confchange
