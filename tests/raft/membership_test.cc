// Configuration changes in a running cluster.

#include <gtest/gtest.h>

#include "tests/raft/network.h"

namespace kvorum::raft {
namespace {

using testing::Member;
using testing::Network;
using testing::NetworkOptions;

ConfChange Change(raftpb::ConfChangeType type, uint64_t id) {
  ConfChange change;
  change.set_type(type);
  change.set_node_id(id);
  return change;
}
ConfChange Add(uint64_t id) { return Change(raftpb::ConfChangeAddNode, id); }
ConfChange AddLearner(uint64_t id) { return Change(raftpb::ConfChangeAddLearnerNode, id); }
ConfChange Remove(uint64_t id) { return Change(raftpb::ConfChangeRemoveNode, id); }

ConfChangeV2 Joint(raftpb::ConfChangeTransition transition,
                   const std::vector<ConfChange>& changes) {
  ConfChangeV2 v2;
  v2.set_transition(transition);
  for (const ConfChange& c : changes) {
    auto* single = v2.add_changes();
    single->set_type(c.type());
    single->set_node_id(c.node_id());
  }
  return v2;
}

// A cluster that grew from one bootstrapped member: its log tells the whole story.
Network Grown() {
  Network net({.voters = 0});
  Member& first = net.Add(1);
  const Peer peers[] = {{.id = MemberId(1), .context = ""}};
  EXPECT_TRUE(first.node().Bootstrap(peers).ok());
  net.Stabilize();
  net.Elect(1);
  return net;
}

template <typename C>
void Apply(Network* net, uint64_t leader, const C& change) {
  EXPECT_EQ(net->node(leader).ProposeConfChange(change), ProposeResult::kOk);
  net->Stabilize();
  net->TickAll(2);
}

std::string ConfigAt(Network* net, uint64_t id) { return net->node(id).config().ToString(); }

TEST(MembershipTest, MembersJoinFromTheLogAlone) {
  Network net = Grown();
  net.Propose(1, "a");
  net.Add(2);
  Apply(&net, 1, Add(2));
  net.Add(3);
  Apply(&net, 1, AddLearner(3));
  for (uint64_t id : {1, 2, 3}) {
    EXPECT_EQ(ConfigAt(&net, id), "voters=(1 2) learners=(3)");
    EXPECT_EQ(net.at(id).AppliedData(), std::vector<std::string>{"a"});
  }
  EXPECT_TRUE(net.node(3).IsLearner());
  EXPECT_FALSE(net.node(2).IsLearner());
}

TEST(MembershipTest, ALearnerIsPromotedAndThenCounts) {
  Network net = Grown();
  net.Add(2);
  Apply(&net, 1, AddLearner(2));
  EXPECT_TRUE(net.node(1).SoleVoterReadIndex().has_value());
  Apply(&net, 1, Add(2));
  EXPECT_EQ(ConfigAt(&net, 2), "voters=(1 2)");
  EXPECT_EQ(net.node(1).SoleVoterReadIndex(), std::nullopt);
  net.Isolate(2);
  const Index before = net.node(1).committed();
  net.Propose(1, "a");
  EXPECT_EQ(net.node(1).committed(), before);
}

TEST(MembershipTest, RemovingAMemberLetsASmallerQuorumCommit) {
  Network net = Grown();
  net.Add(2);
  Apply(&net, 1, Add(2));
  ASSERT_EQ(net.node(1).ProposeConfChange(Remove(2)), ProposeResult::kOk);
  (void)net.node(1).Propose(SharedBytes("waits for two, then for one"));
  // 2 acknowledges the change only.
  net.filter = [&](const Message& m) {
    return m.type != MessageType::kApp || m.entries.empty() || IsConfChange(m.entries[0]);
  };
  net.Stabilize();
  net.TickAll(2);
  EXPECT_EQ(ConfigAt(&net, 1), "voters=(1)");
  EXPECT_EQ(net.node(1).committed(), net.node(1).last_index());
}

TEST(MembershipTest, ARefusedChangeChangesNothing) {
  Network net;
  net.Elect(1);
  const std::string before = ConfigAt(&net, 1);
  EXPECT_EQ(net.node(1).ApplyConfChange(Index(2), Add(0)).voters_size(), 3);
  EXPECT_EQ(ConfigAt(&net, 1), before);
}

TEST(MembershipTest, OneChangeAtATime) {
  Network net;
  net.Elect(1);
  net.Isolate(1);
  EXPECT_EQ(net.node(1).ProposeConfChange(AddLearner(7)), ProposeResult::kOk);
  EXPECT_EQ(net.node(1).ProposeConfChange(AddLearner(8)), ProposeResult::kOk);
  net.at(1).Collect();
  const auto& log = net.at(1).memory_log();
  ASSERT_EQ(log.entries.size(), 3u);
  EXPECT_EQ(log.entries[1].type, EntryType::kConfChange);
  EXPECT_EQ(log.entries[2].type, EntryType::kNormal);  // became an empty entry
  EXPECT_TRUE(log.entries[2].data.empty());
  net.Heal();
  net.TickAll(2);
  EXPECT_EQ(net.node(1).ProposeConfChange(AddLearner(8)), ProposeResult::kOk);
  net.Stabilize();
  EXPECT_EQ(ConfigAt(&net, 1), "voters=(1 2 3) learners=(7 8)");
}

TEST(MembershipTest, ANewLeaderWaitsUntilItHasAppliedItsLog) {
  Network net;
  net.Elect(1);
  net.filter = [](const Message& m) { return m.type != MessageType::kAppResp; };
  net.Propose(1, "in the log of 2, but not committed");
  net.Elect(2);
  ASSERT_EQ(net.Leader(), 2u);
  EXPECT_EQ(net.node(2).ProposeConfChange(AddLearner(7)), ProposeResult::kOk);
  net.at(2).Collect();
  EXPECT_EQ(net.at(2).memory_log().entries.back().type, EntryType::kNormal);
}

TEST(MembershipTest, AChangeThatDoesNotParseIsRefused) {
  Network net;
  net.Elect(1);
  Message m{.type = MessageType::kProp, .to = MemberId(1), .from = MemberId(2)};
  m.entries.push_back({.type = EntryType::kConfChange, .data = SharedBytes("\xff\xff")});
  net.node(1).Step(m);
  EXPECT_EQ(net.node(1).last_index(), Index(1));
}

TEST(MembershipTest, AChangeNobodyCouldApplyIsRefused) {
  Network net({.voters = 1});
  net.Elect(1);
  EXPECT_EQ(net.node(1).ProposeConfChange(Remove(1)), ProposeResult::kInvalid);
  EXPECT_EQ(net.node(1).ProposeConfChange(AddLearner(1)), ProposeResult::kInvalid);
  // Also not as a peer's proposal, with a type that no release knows.
  Message m{.type = MessageType::kProp, .to = MemberId(1), .from = MemberId(2)};
  m.entries.push_back({.type = EntryType::kConfChange, .data = SharedBytes("\x10\x09\x18\x02")});
  net.node(1).Step(m);
  net.Stabilize();
  EXPECT_EQ(ConfigAt(&net, 1), "voters=(1)");
  // The next one need not wait for anything.
  Apply(&net, 1, AddLearner(2));
  EXPECT_EQ(ConfigAt(&net, 1), "voters=(1) learners=(2)");
}

TEST(MembershipTest, AServerNeverLogsV2Changes) {
  Network net({.voters = 3, .tune = [](Config* c) { c->allow_conf_change_v2 = false; }});
  net.Elect(1);
  const ConfChangeV2 change = Joint(raftpb::ConfChangeTransitionAuto, {Add(4)});
  EXPECT_EQ(net.node(1).ProposeConfChange(change), ProposeResult::kInvalid);
  EXPECT_EQ(net.node(2).ProposeConfChange(change), ProposeResult::kOk);  // on its way to 1
  net.Stabilize();
  EXPECT_EQ(net.node(1).last_index(), Index(1));
  Apply(&net, 1, AddLearner(4));
  EXPECT_EQ(ConfigAt(&net, 2), "voters=(1 2 3) learners=(4)");
}

TEST(MembershipTest, ASmallerQuorumReleasesTheReadsItHasConfirmed) {
  Network net({.voters = 2});
  net.Elect(1);
  ASSERT_EQ(net.node(1).ProposeConfChange(Remove(2)), ProposeResult::kOk);
  net.filter = [](const Message& m) { return m.type != MessageType::kHeartbeatResp; };
  net.node(1).ReadIndex(SharedBytes("x"));
  net.Stabilize();
  ASSERT_EQ(ConfigAt(&net, 1), "voters=(1)");
  EXPECT_EQ(net.at(1).TakeReads().size(), 1u);
}

TEST(MembershipTest, ALeaderThatRemovedItselfLeadsOnUntilOthersTakeOver) {
  Network net({.voters = 3, .pre_vote = true, .check_quorum = true});
  net.Elect(1);
  ASSERT_EQ(net.node(1).ProposeConfChange(Remove(1)), ProposeResult::kOk);
  net.Stabilize();
  EXPECT_EQ(net.node(1).role(), Role::kLeader);
  EXPECT_FALSE(net.node(1).IsMember());
  EXPECT_EQ(net.TryPropose(1, "x"), ProposeResult::kNotMember);
  net.Isolate(1);
  net.TickAll(60);
  EXPECT_TRUE(net.Leader() == 2 || net.Leader() == 3);
}

TEST(MembershipTest, ARemovedLeaderDoesNotServeReadsAlone) {
  Network net({.voters = 2});
  net.Elect(1);
  ASSERT_EQ(net.node(1).ProposeConfChange(Remove(1)), ProposeResult::kOk);
  net.Stabilize();
  ASSERT_EQ(ConfigAt(&net, 1), "voters=(2)");
  ASSERT_EQ(net.node(1).role(), Role::kLeader);
  EXPECT_EQ(net.node(1).SoleVoterReadIndex(), std::nullopt);
  net.Isolate(1);
  net.node(1).ReadIndex(SharedBytes("x"));
  net.Stabilize();
  EXPECT_TRUE(net.at(1).TakeReads().empty());
}

TEST(MembershipTest, StepDownOnRemoval) {
  Network net({.voters = 3, .tune = [](Config* c) { c->step_down_on_removal = true; }});
  net.Elect(1);
  ASSERT_EQ(net.node(1).ProposeConfChange(Remove(1)), ProposeResult::kOk);
  net.Stabilize();
  EXPECT_EQ(net.node(1).role(), Role::kFollower);
}

// ---- Joint configurations ----

TEST(JointMembershipTest, AnAutomaticChangeGoesThroughAndLeavesByItself) {
  for (const auto transition :
       {raftpb::ConfChangeTransitionAuto, raftpb::ConfChangeTransitionJointImplicit}) {
    Network net = Grown();
    net.Add(2);
    net.Add(3);
    Apply(&net, 1, Joint(transition, {Add(2), Add(3)}));
    net.TickAll(3);
    for (uint64_t id : {1, 2, 3}) EXPECT_EQ(ConfigAt(&net, id), "voters=(1 2 3)");
    const auto& log = net.at(1).disk().entries;
    EXPECT_EQ(log.back().type, EntryType::kConfChangeV2);
    EXPECT_TRUE(log.back().data.empty());  // the leave is an empty V2 change
  }
}

TEST(JointMembershipTest, AnExplicitChangeWaitsForTheApplication) {
  Network net = Grown();
  net.Add(2);
  Apply(&net, 1, Joint(raftpb::ConfChangeTransitionJointExplicit, {Add(2)}));
  EXPECT_EQ(ConfigAt(&net, 1), "voters=(1 2)&&(1)");
  // Nothing but leaving is admitted now.
  Apply(&net, 1, AddLearner(7));
  EXPECT_EQ(ConfigAt(&net, 1), "voters=(1 2)&&(1)");
  Apply(&net, 1, ConfChangeV2());
  EXPECT_EQ(ConfigAt(&net, 1), "voters=(1 2)");
  // And leaving is refused outside.
  Apply(&net, 1, ConfChangeV2());
  EXPECT_EQ(net.at(1).disk().entries.back().type, EntryType::kNormal);
}

TEST(JointMembershipTest, BothHalvesMustCommit) {
  Network net({.voters = 3});
  net.Elect(1);
  net.Add(4);
  net.Add(5);
  ASSERT_EQ(net.node(1).ProposeConfChange(
                Joint(raftpb::ConfChangeTransitionJointExplicit, {Remove(2), Remove(3)})),
            ProposeResult::kOk);
  net.Stabilize();
  ASSERT_EQ(ConfigAt(&net, 1), "voters=(1)&&(1 2 3)");
  net.Isolate(2);
  net.Isolate(3);
  const Index before = net.node(1).committed();
  net.Propose(1, "x");
  EXPECT_EQ(net.node(1).committed(), before);
  net.Heal();
  net.TickAll(2);
  EXPECT_EQ(net.node(1).committed(), before + 1);
}

TEST(JointMembershipTest, TheLeaderCanReplaceItself) {
  Network net = Grown();
  for (uint64_t id : {2, 3, 4}) net.Add(id);
  Apply(&net, 1, Joint(raftpb::ConfChangeTransitionAuto, {Add(2), Add(3)}));
  net.TickAll(3);
  Apply(&net, 1, Joint(raftpb::ConfChangeTransitionJointImplicit, {AddLearner(1), Add(4)}));
  net.TickAll(3);
  EXPECT_EQ(ConfigAt(&net, 2), "voters=(2 3 4) learners=(1)");
  net.Isolate(1);
  net.TickAll(60);
  EXPECT_GT(net.Leader(), 1u);
}

// ---- A snapshot in the way ----

TEST(MembershipTest, AChangeOvertakenByASnapshotIsAnsweredFromWhatWasInForce) {
  Network net = Grown();
  net.Add(2);
  Apply(&net, 1, AddLearner(2));
  Member& m = net.at(2);
  // A change is handed out at 2 but not applied.
  EXPECT_EQ(net.node(1).ProposeConfChange(Add(3)), ProposeResult::kOk);
  const auto change_at = net.node(1).last_index();
  for (int round = 0; round < 3; ++round) {
    net.at(1).Settle();
    for (Message& out : net.at(1).TakeOutbox()) {
      if (out.to == MemberId(2)) m.node().Step(std::move(out));
    }
    m.Collect();
    m.Sync(9);
    m.Collect();
    for (Message& out : m.TakeOutbox()) net.node(1).Step(std::move(out));
  }
  ASSERT_EQ(m.pending_batches(), 1u);
  // Then a snapshot of much later arrives.
  auto snapshot = std::make_shared<Snapshot>();
  snapshot->metadata = {
      .index = Index(50), .term = Term(2), .conf_state = testing::MakeConfState({1, 2, 5}, {6})};
  m.node().Step({.type = MessageType::kSnap,
                 .to = MemberId(2),
                 .from = MemberId(1),
                 .term = m.node().term(),
                 .snapshot = snapshot});
  ASSERT_EQ(ConfigAt(&net, 2), "voters=(1 2 5) learners=(6)");
  m.Collect();
  m.Apply();  // the old batch
  EXPECT_EQ(m.store().applied, change_at);
  EXPECT_EQ(m.store().conf_state.voters_size(), 2);
  EXPECT_EQ(m.store().conf_state.learners(0), 2u);
  EXPECT_EQ(ConfigAt(&net, 2), "voters=(1 2 5) learners=(6)");
  m.Settle();
  EXPECT_EQ(m.store().applied, Index(50));
}

}  // namespace
}  // namespace kvorum::raft
