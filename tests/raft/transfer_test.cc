// Handing leadership over.

#include <gtest/gtest.h>

#include "tests/raft/network.h"

namespace kvorum::raft {
namespace {

using testing::Member;
using testing::Network;
using testing::NetworkOptions;

NetworkOptions Served() { return {.voters = 3, .pre_vote = true, .check_quorum = true}; }

TEST(TransferTest, AnUpToDateMemberTakesOverAtOnceInSpiteOfTheLease) {
  Network net(Served());
  net.Elect(1);
  net.node(1).TransferLeader(MemberId(3));
  net.Stabilize();
  EXPECT_EQ(net.Leader(), 3u);
  EXPECT_EQ(net.node(3).term(), Term(2));
}

TEST(TransferTest, AFollowerPassesTheRequestOn) {
  Network net(Served());
  net.Elect(1);
  net.node(3).TransferLeader(MemberId(2));
  net.Stabilize();
  EXPECT_EQ(net.Leader(), 2u);
}

TEST(TransferTest, ASlowTargetCatchesUpFirst) {
  Network net(Served());
  net.Elect(1);
  net.Isolate(3);
  net.Propose(1, "a");
  net.Heal();
  net.node(1).TransferLeader(MemberId(3));
  EXPECT_EQ(net.node(1).transferee(), MemberId(3));
  net.TickAll(2);
  EXPECT_EQ(net.Leader(), 3u);
  EXPECT_EQ(net.at(3).AppliedData(), std::vector<std::string>{"a"});
}

TEST(TransferTest, ASlowTargetGetsASnapshotFirst) {
  Network net(Served());
  net.Elect(1);
  net.Isolate(3);
  for (int i = 0; i < 5; ++i) net.Propose(1, "a");
  net.at(1).Compact(0);
  net.Heal();
  net.TickAll(1);  // 3 is heard from again
  net.node(1).TransferLeader(MemberId(3));
  net.TickAll(3);
  EXPECT_EQ(net.Leader(), 3u);
}

TEST(TransferTest, ProposalsAreRefusedMeanwhileAndAfterATimeoutAcceptedAgain) {
  Network net(Served());
  net.Elect(1);
  net.Isolate(3);
  net.node(1).TransferLeader(MemberId(3));
  net.Stabilize();
  EXPECT_EQ(net.TryPropose(1, "a"), ProposeResult::kTransferring);
  net.TickAll(9);
  EXPECT_EQ(net.node(1).transferee(), MemberId(3));
  net.TickAll(1);
  EXPECT_EQ(net.node(1).transferee(), kNone);
  EXPECT_EQ(net.Leader(), 1u);
  EXPECT_EQ(net.TryPropose(1, "a"), ProposeResult::kOk);
}

TEST(TransferTest, NotToItselfALearnerOrAStranger) {
  Network net({.voters = 2, .learners = 1});
  net.Elect(1);
  for (uint64_t target : {1, 3, 9}) {
    net.node(1).TransferLeader(MemberId(target));
    net.Stabilize();
    EXPECT_EQ(net.node(1).transferee(), kNone) << target;
    EXPECT_EQ(net.Leader(), 1u);
  }
}

TEST(TransferTest, ASecondTargetReplacesTheFirst) {
  Network net(Served());
  net.Elect(1);
  net.Isolate(3);
  net.node(1).TransferLeader(MemberId(3));
  net.node(1).TransferLeader(MemberId(2));
  net.Stabilize();
  EXPECT_EQ(net.Leader(), 2u);
}

TEST(TransferTest, AskingAgainForTheSameTargetDoesNotProlongIt) {
  Network net(Served());
  net.Elect(1);
  net.Isolate(3);
  net.node(1).TransferLeader(MemberId(3));
  net.TickAll(5);
  net.node(1).TransferLeader(MemberId(3));
  net.TickAll(5);
  EXPECT_EQ(net.node(1).transferee(), kNone);
}

TEST(TransferTest, AskingForItselfEndsARunningTransfer) {
  Network net(Served());
  net.Elect(1);
  net.Isolate(3);
  net.node(1).TransferLeader(MemberId(3));
  net.node(1).TransferLeader(MemberId(1));
  EXPECT_EQ(net.node(1).transferee(), kNone);
  EXPECT_EQ(net.TryPropose(1, "a"), ProposeResult::kOk);
}

TEST(TransferTest, ARemovedOrDemotedTargetEndsIt) {
  for (const auto type : {raftpb::ConfChangeRemoveNode, raftpb::ConfChangeAddLearnerNode}) {
    Network net(Served());
    net.Elect(1);
    ConfChange change;
    change.set_type(type);
    change.set_node_id(3);
    (void)net.node(1).ProposeConfChange(change);
    net.at(1).Collect();
    net.Isolate(3);
    net.node(1).TransferLeader(MemberId(3));
    EXPECT_EQ(net.node(1).transferee(), MemberId(3));
    net.Stabilize();
    EXPECT_EQ(net.node(1).transferee(), kNone);
  }
}

TEST(TransferTest, AskedByAFollowerForTheLeaderItselfEndsARunningOne) {
  Network net(Served());
  net.Elect(1);
  net.Isolate(3);
  net.node(1).TransferLeader(MemberId(3));
  net.node(2).TransferLeader(MemberId(1));
  net.Stabilize();
  EXPECT_EQ(net.node(1).transferee(), kNone);
  EXPECT_EQ(net.Leader(), 1u);
}

TEST(TransferTest, TheBestTargetIsTheMostCaughtUpActiveVoter) {
  Network net({.voters = 4, .learners = 1, .check_quorum = true});
  EXPECT_EQ(net.node(1).BestTransferee(), kNone);
  net.Elect(1);
  net.Isolate(2);
  net.Propose(1, "a");
  EXPECT_EQ(net.node(1).BestTransferee(), MemberId(3));
  net.Heal();
  net.Isolate(3);
  net.Isolate(4);
  net.TickAll(12);  // 3 and 4 were not heard from since the last check
  EXPECT_EQ(net.node(1).BestTransferee(), MemberId(2));
}

TEST(TransferTest, ThereIsATargetAlsoJustAfterAQuorumCheck) {
  Network net(Served());
  net.Elect(1);
  net.TickAll(9);
  net.Isolate(2);
  net.Propose(1, "a");
  net.Tick(1, 1);  // the check: nobody was heard from since
  for (const auto& [id, pr] : net.node(1).GetStatus().progress) {
    EXPECT_EQ(pr.recent_active(), id == MemberId(1));
  }
  EXPECT_EQ(net.node(1).BestTransferee(), MemberId(3));
  // Who answers now goes before who answered then, even with a longer log.
  net.Heal();
  net.Isolate(3);
  net.Stabilize();
  EXPECT_EQ(net.node(1).BestTransferee(), MemberId(2));
}

TEST(TransferTest, AMemberOnItsWayOutIsNoTarget) {
  Network net({.voters = 3, .check_quorum = true});
  net.Elect(1);
  net.Isolate(2);
  net.Propose(1, "a");
  net.Heal();
  EXPECT_EQ(net.node(1).BestTransferee(), MemberId(3));
  ConfChangeV2 change;
  change.set_transition(raftpb::ConfChangeTransitionJointExplicit);
  auto* single = change.add_changes();
  single->set_type(raftpb::ConfChangeRemoveNode);
  single->set_node_id(3);
  net.Isolate(2);
  net.node(1).Step({.type = MessageType::kHeartbeatResp,
                    .to = MemberId(1),
                    .from = MemberId(2),
                    .term = Term(1)});
  (void)net.node(1).ProposeConfChange(change);
  net.Stabilize();
  ASSERT_TRUE(net.node(1).config().voters.IsJoint());
  EXPECT_EQ(net.node(1).BestTransferee(), MemberId(2));
}

// ---- What a server does with a disk that stalls, and when it is told to stop ----

// The leader's disk does nothing from now on; the others work. Messages travel until they stop.
void RunWithStalledDisk(Network* net, uint64_t stalled) {
  for (int round = 0; round < 50; ++round) {
    std::vector<Message> messages;
    for (auto& [id, member] : net->members()) {
      if (id == MemberId(stalled)) {
        member->Collect();
      } else {
        member->Settle();
      }
      for (Message& m : member->TakeOutbox()) messages.push_back(std::move(m));
    }
    if (messages.empty()) return;
    for (Message& m : messages) {
      Member& to = net->at(m.to.value());
      to.node().Step(std::move(m));
    }
  }
  FAIL() << "messages never stop";
}

TEST(StalledDiskTest, TheLeaderHandsOverWithoutItsDisk) {
  Network net(Served());
  net.Elect(1);
  EXPECT_EQ(net.node(1).Propose(SharedBytes("a")), ProposeResult::kOk);
  RunWithStalledDisk(&net, 1);
  // Committed by the others; not applied here, where it is not durable.
  EXPECT_EQ(net.at(2).AppliedData(), std::vector<std::string>{"a"});
  EXPECT_TRUE(net.at(1).AppliedData().empty());
  net.node(1).SetMayCampaign(false);
  const MemberId target = net.node(1).BestTransferee();
  ASSERT_NE(target, kNone);
  net.node(1).TransferLeader(target);
  RunWithStalledDisk(&net, 1);
  EXPECT_EQ(net.Leader(), target.value());
  EXPECT_EQ(net.node(1).role(), Role::kFollower);
  EXPECT_EQ(net.node(1).leader(), target);
  // The new leader does not need it, and does not hand it back.
  EXPECT_EQ(net.node(target.value()).Propose(SharedBytes("b")), ProposeResult::kOk);
  RunWithStalledDisk(&net, 1);
  EXPECT_EQ(net.at(target.value()).AppliedData(), (std::vector<std::string>{"a", "b"}));
  net.node(target.value()).TransferLeader(MemberId(1));
  RunWithStalledDisk(&net, 1);
  EXPECT_EQ(net.Leader(), target.value());
  // It works again.
  net.node(1).SetMayCampaign(true);
  net.TickAll(12);
  EXPECT_EQ(net.at(1).AppliedData(), (std::vector<std::string>{"a", "b"}));
}

TEST(StalledDiskTest, WithoutATargetTheLeaderStepsDownAndTheOthersElect) {
  Network net(Served());
  net.Elect(1);
  net.node(1).SetMayCampaign(false);
  net.node(1).StepDown();
  for (int tick = 0; tick < 60 && net.Leader() == 0; ++tick) {
    for (auto& [id, member] : net.members()) member->node().Tick();
    RunWithStalledDisk(&net, 1);
  }
  EXPECT_NE(net.Leader(), 0u);
  EXPECT_NE(net.Leader(), 1u);
}

TEST(StalledDiskTest, NothingIsPromisedThatIsNotOnTheDisk) {
  Network net(Served());
  net.Elect(1);
  net.Isolate(2);
  (void)net.node(1).Propose(SharedBytes("a"));
  net.at(1).Collect();  // the leader's own write never ends
  for (Message& m : net.at(1).TakeOutbox()) {
    if (m.to == MemberId(3)) net.node(3).Step(std::move(m));
  }
  net.at(3).Settle();
  for (Message& m : net.at(3).TakeOutbox()) net.node(1).Step(std::move(m));
  // Held by one of three for all that counts.
  EXPECT_EQ(net.node(1).committed(), Index(1));
  net.at(1).Sync(net.at(1).pending_writes());
  EXPECT_EQ(net.node(1).committed(), Index(2));
}

TEST(GracefulStopTest, EverythingProposedBeforeIsHandedOverWithTheLeadership) {
  Network net({.voters = 5, .pre_vote = true, .check_quorum = true});
  net.Elect(1);
  for (int i = 0; i < 20; ++i) (void)net.node(1).Propose(SharedBytes(std::to_string(i)));
  const MemberId target = net.node(1).BestTransferee();
  ASSERT_NE(target, kNone);
  net.node(1).TransferLeader(target);
  EXPECT_EQ(net.node(1).Propose(SharedBytes("late")), ProposeResult::kTransferring);
  net.Stabilize();
  EXPECT_EQ(net.Leader(), target.value());
  EXPECT_EQ(net.node(1).leader(), target);
  net.Isolate(1);  // it is gone
  EXPECT_EQ(net.TryPropose(target.value(), "next"), ProposeResult::kOk);
  for (uint64_t id = 2; id <= 5; ++id) EXPECT_EQ(net.at(id).AppliedData().size(), 21u) << id;
}

TEST(GracefulStopTest, WithAMinorityLeftOfTheOthersThereIsNobodyToHandOverTo) {
  Network net(Served());
  net.Elect(1);
  net.Isolate(1);
  net.TickAll(9);
  net.Tick(1, 1);  // the check passes: they were heard from
  EXPECT_NE(net.node(1).BestTransferee(), kNone);
  net.TickAll(10);  // this one does not
  EXPECT_EQ(net.node(1).role(), Role::kFollower);
  EXPECT_EQ(net.node(1).BestTransferee(), kNone);
}

}  // namespace
}  // namespace kvorum::raft
