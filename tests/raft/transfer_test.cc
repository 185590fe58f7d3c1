// Handing leadership over.

#include <gtest/gtest.h>

#include "tests/raft/network.h"

namespace kvorum::raft {
namespace {

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

}  // namespace
}  // namespace kvorum::raft
