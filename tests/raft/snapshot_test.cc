// Followers that need entries which are gone.

#include <gtest/gtest.h>

#include "tests/raft/network.h"

namespace kvorum::raft {
namespace {

using testing::Member;
using testing::Network;
using tracker::ProgressState;

SnapshotPtr Snap(uint64_t index, uint64_t term, const ConfState& conf) {
  auto s = std::make_shared<Snapshot>();
  s->metadata = {.index = Index(index), .term = Term(term), .conf_state = conf};
  return s;
}

Message SnapMessage(const SnapshotPtr& snapshot, uint64_t term = 1) {
  return {.type = MessageType::kSnap,
          .to = MemberId(1),
          .from = MemberId(2),
          .term = Term(term),
          .snapshot = snapshot};
}

// Member 3 missed five entries that 1 has compacted.
Network LeftBehind() {
  Network net;
  net.Elect(1);
  net.Isolate(3);
  for (int i = 0; i < 5; ++i) net.Propose(1, "x");
  net.at(1).Compact(0);
  net.Heal();
  return net;
}

const tracker::Progress ProgressOf3(Network* net) {
  return net->node(1).GetStatus().progress.at(MemberId(3));
}

TEST(SnapshotTest, AFollowerLeftBehindGetsOneAndGoesOn) {
  Network net = LeftBehind();
  net.TickAll(2);
  EXPECT_EQ(net.at(3).store().applied, Index(6));
  EXPECT_EQ(net.node(3).committed(), Index(6));
  EXPECT_EQ(net.at(3).storage().FirstIndex(), Index(7));
  EXPECT_EQ(ProgressOf3(&net).state(), ProgressState::kReplicate);
  net.Propose(1, "y");
  EXPECT_EQ(net.at(3).AppliedData(), std::vector<std::string>{"y"});
}

TEST(SnapshotTest, NotToSomeoneWhoWasNotHeardFrom) {
  Network net({.voters = 3, .pre_vote = true, .check_quorum = true});
  net.Elect(1);
  net.Isolate(3);
  for (int i = 0; i < 5; ++i) net.Propose(1, "x");
  net.TickAll(25);  // no longer active
  net.at(1).Compact(0);
  net.node(1).ReportUnreachable(MemberId(3));
  int snapshots = 0;
  net.filter = [&](const Message& m) {
    snapshots += m.type == MessageType::kSnap ? 1 : 0;
    return true;
  };
  net.TickAll(5);
  EXPECT_EQ(snapshots, 0);
  net.Heal();
  net.TickAll(3);
  EXPECT_EQ(net.at(3).store().applied, Index(6));
}

TEST(SnapshotTest, NothingElseIsSentUntilItIsThrough) {
  Network net = LeftBehind();
  net.Ignore(MessageType::kSnap);
  net.TickAll(2);
  ASSERT_EQ(ProgressOf3(&net).state(), ProgressState::kSnapshot);
  EXPECT_EQ(ProgressOf3(&net).pending_snapshot(), Index(6));
  net.Propose(1, "y");
  net.TickAll(5);
  EXPECT_EQ(ProgressOf3(&net).state(), ProgressState::kSnapshot);
  EXPECT_EQ(net.node(3).last_index(), Index(1));
}

TEST(SnapshotTest, AFailureIsReportedAndTriedAgain) {
  Network net = LeftBehind();
  net.Ignore(MessageType::kSnap);
  net.TickAll(2);
  net.node(1).ReportSnapshot(MemberId(3), /*ok=*/false);
  const tracker::Progress pr = ProgressOf3(&net);
  EXPECT_EQ(pr.state(), ProgressState::kProbe);
  EXPECT_EQ(pr.next(), Index(2));
  EXPECT_TRUE(pr.IsPaused());  // until the next heartbeat answer
  net.Heal();
  net.TickAll(2);
  EXPECT_EQ(net.at(3).store().applied, Index(6));
}

TEST(SnapshotTest, SuccessIsProbedBehindTheSnapshot) {
  Network net = LeftBehind();
  net.Ignore(MessageType::kSnap);
  net.TickAll(2);
  net.node(1).ReportSnapshot(MemberId(3), /*ok=*/true);
  const tracker::Progress pr = ProgressOf3(&net);
  EXPECT_EQ(pr.state(), ProgressState::kProbe);
  EXPECT_EQ(pr.next(), Index(7));
  EXPECT_TRUE(pr.IsPaused());
  net.node(1).ReportSnapshot(MemberId(3), /*ok=*/false);  // means nothing any more
  EXPECT_EQ(ProgressOf3(&net).next(), Index(7));
}

TEST(SnapshotTest, AnAckWithinTheLogEndsTheWaitWhateverBecameOfTheSnapshot) {
  Network net;
  net.Elect(1);
  net.Isolate(3);
  for (int i = 0; i < 8; ++i) net.Propose(1, "x");
  net.at(1).Compact(/*keep=*/3);
  net.Heal();
  net.Ignore(MessageType::kSnap);
  net.TickAll(2);
  ASSERT_EQ(ProgressOf3(&net).state(), ProgressState::kSnapshot);
  ASSERT_EQ(ProgressOf3(&net).pending_snapshot(), Index(9));
  // It got there, though not quite, by an older snapshot of somebody else; our log starts at 7.
  const auto ack = [&](uint64_t index) {
    net.node(1).Step({.type = MessageType::kAppResp,
                      .to = MemberId(1),
                      .from = MemberId(3),
                      .term = Term(1),
                      .index = Index(index)});
    return ProgressOf3(&net).state();
  };
  EXPECT_EQ(ack(5), ProgressState::kSnapshot);
  EXPECT_EQ(ack(6), ProgressState::kReplicate);
  EXPECT_EQ(ProgressOf3(&net).match(), Index(6));
}

TEST(SnapshotTest, ARejectionWithAFullWindowAfterCompactionLeadsToOne) {
  Network net({.voters = 3, .tune = [](Config* c) {
                 c->max_inflight_messages = 2;
                 c->max_message_bytes = 1;
               }});
  net.Elect(1);
  net.Isolate(3);
  for (int i = 0; i < 6; ++i) net.Propose(1, "x");
  ASSERT_TRUE(ProgressOf3(&net).inflights().Full());
  net.at(1).Compact(0);
  net.Heal();
  net.TickAll(3);
  EXPECT_EQ(net.at(3).store().applied, Index(7));
}

// ---- The receiver ----

class ReceiverTest : public ::testing::Test {
 protected:
  ConfState three_ = testing::MakeConfState({1, 2, 3});
  Member m_{{.id = MemberId(1), .conf_state = testing::MakeConfState({1, 2})}};

  // The index in the one answer to `message`.
  Index Answer(const Message& message) {
    m_.node().Step(message);
    m_.Settle();
    const auto out = m_.TakeOutbox();
    EXPECT_EQ(out.size(), 1u);
    if (out.empty()) return Index(0);
    EXPECT_EQ(out[0].type, MessageType::kAppResp);
    return out[0].index;
  }
};

TEST_F(ReceiverTest, InstallsItWithItsConfiguration) {
  EXPECT_EQ(Answer(SnapMessage(Snap(11, 1, three_))), Index(11));
  EXPECT_EQ(m_.node().config().ToString(), "voters=(1 2 3)");
  EXPECT_EQ(m_.node().last_index(), Index(11));
  EXPECT_EQ(m_.node().committed(), Index(11));
  EXPECT_EQ(m_.node().applied(), Index(11));
  EXPECT_EQ(m_.disk().hard_state.commit, Index(11));
  m_.Restart();
  EXPECT_EQ(m_.node().applied(), Index(11));
  EXPECT_EQ(m_.node().config().ToString(), "voters=(1 2 3)");
}

TEST_F(ReceiverTest, AnswersWhenItIsDurableAndDoesNotCampaignBefore) {
  m_.node().Step(SnapMessage(Snap(11, 1, three_)));
  m_.Collect();
  EXPECT_TRUE(m_.TakeOutbox().empty());
  EXPECT_EQ(m_.syncs_requested(), 1);
  m_.node().Campaign();
  EXPECT_EQ(m_.node().role(), Role::kFollower);
  m_.Sync(9);
  EXPECT_EQ(m_.TakeOutbox().size(), 1u);
  m_.node().Campaign();
  EXPECT_EQ(m_.node().role(), Role::kCandidate);
}

TEST_F(ReceiverTest, EntriesBehindItWaitForIt) {
  m_.node().Step(SnapMessage(Snap(11, 1, three_)));
  m_.node().Step({.type = MessageType::kApp,
                  .to = MemberId(1),
                  .from = MemberId(2),
                  .term = Term(1),
                  .log_term = Term(1),
                  .index = Index(11),
                  .entries = {{.term = Term(1), .index = Index(12)}},
                  .commit = Index(12)});
  m_.Collect();
  EXPECT_EQ(m_.pending_batches(), 0u);
  m_.Settle();
  EXPECT_EQ(m_.store().applied, Index(12));
}

TEST_F(ReceiverTest, AnOldOneIsIgnored) {
  Answer(SnapMessage(Snap(11, 1, three_)));
  EXPECT_EQ(Answer(SnapMessage(Snap(11, 1, three_))), Index(11));
  EXPECT_EQ(Answer(SnapMessage(Snap(5, 1, testing::MakeConfState({1})))), Index(11));
  EXPECT_EQ(m_.node().config().ToString(), "voters=(1 2 3)");
}

TEST_F(ReceiverTest, OneWithinTheOwnLogOnlyMovesTheCommitIndex) {
  std::vector<Entry> entries;
  for (uint64_t i = 1; i <= 5; ++i) entries.push_back({.term = Term(1), .index = Index(i)});
  Answer({.type = MessageType::kApp,
          .to = MemberId(1),
          .from = MemberId(2),
          .term = Term(1),
          .entries = entries,
          .commit = Index(1)});
  EXPECT_EQ(Answer(SnapMessage(Snap(4, 1, three_))), Index(4));
  EXPECT_EQ(m_.node().last_index(), Index(5));
  EXPECT_EQ(m_.node().committed(), Index(4));
  EXPECT_EQ(m_.node().config().ToString(), "voters=(1 2)");
}

TEST_F(ReceiverTest, OneThatDoesNotNameItIsIgnored) {
  EXPECT_EQ(Answer(SnapMessage(Snap(11, 1, testing::MakeConfState({2, 3})))), Index(0));
  EXPECT_EQ(Answer(SnapMessage(Snap(11, 1, testing::MakeConfState({2, 3}, {1})))), Index(11));
  EXPECT_TRUE(m_.node().IsLearner());
}

TEST_F(ReceiverTest, AnOutgoingVoterIsNamedToo) {
  ConfState joint = testing::MakeConfState({2, 3});
  for (uint64_t id : {1, 2, 3}) joint.add_voters_outgoing(id);
  EXPECT_EQ(Answer(SnapMessage(Snap(11, 1, joint))), Index(11));
  EXPECT_EQ(m_.node().config().ToString(), "voters=(2 3)&&(1 2 3)");
}

TEST_F(ReceiverTest, MalformedOnesAreDropped) {
  ConfState impossible = three_;
  impossible.add_learners(1);  // voter and learner
  for (const Message& m :
       {SnapMessage(nullptr), SnapMessage(Snap(11, 0, three_)), SnapMessage(Snap(11, 9, three_)),
        SnapMessage(Snap(11, 1, impossible))}) {
    m_.node().Step(m);
    m_.Settle();
    EXPECT_EQ(m_.node().last_index(), Index(0));
    EXPECT_EQ(m_.node().config().ToString(), "voters=(1 2)");
    (void)m_.TakeOutbox();
  }
}

TEST_F(ReceiverTest, ANewerOneReplacesOneThatIsStillBeingWritten) {
  m_.node().Step(SnapMessage(Snap(11, 1, three_)));
  m_.Collect();
  m_.node().Step(SnapMessage(Snap(20, 1, three_)));
  m_.Collect();
  EXPECT_EQ(m_.pending_writes(), 2u);
  m_.Sync();
  EXPECT_EQ(m_.storage().LastIndex(), Index(11));
  EXPECT_EQ(m_.node().last_index(), Index(20));
  m_.Settle();
  EXPECT_EQ(m_.storage().LastIndex(), Index(20));
  EXPECT_EQ(m_.store().applied, Index(20));
}

// Storage must know the point where the store stands, or a snapshot made there ends the process.
TEST_F(ReceiverTest, TheStoreCanMakeASnapshotWhereOneThatWasReplacedPutIt) {
  m_.node().Step({.type = MessageType::kApp,
                  .to = MemberId(1),
                  .from = MemberId(2),
                  .term = Term(1),
                  .entries = {{.term = Term(1), .index = Index(1)}},
                  .commit = Index(1)});
  m_.Settle();
  m_.node().Step(SnapMessage(Snap(11, 1, three_)));
  m_.Collect();
  m_.node().Step(SnapMessage(Snap(20, 1, three_)));
  m_.Collect();
  m_.Sync();
  m_.Apply();
  ASSERT_EQ(m_.store().applied, Index(11));
  EXPECT_EQ(m_.node().applied(), Index(11));
  m_.Compact(0);
  m_.Restart();
  EXPECT_EQ(m_.node().applied(), Index(11));
  EXPECT_EQ(m_.node().last_index(), Index(11));
}

}  // namespace
}  // namespace kvorum::raft
