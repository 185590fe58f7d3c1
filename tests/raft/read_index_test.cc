// Linearizable reads: thesis 6.4, the counter scheme of 3.7.

#include <gtest/gtest.h>

#include "tests/raft/network.h"

namespace kvorum::raft {
namespace {

using testing::Network;

std::vector<ReadState> Read(Network* net, uint64_t id, const std::string& context) {
  net->node(id).ReadIndex(SharedBytes(context));
  net->Stabilize();
  return net->at(id).TakeReads();
}

TEST(ReadIndexTest, EveryMemberGetsTheCommitIndex) {
  Network net({.voters = 3, .learners = 1});
  net.Elect(1);
  net.Propose(1, "a");
  for (uint64_t id = 1; id <= 4; ++id) {
    const auto reads = Read(&net, id, "ctx" + std::to_string(id));
    ASSERT_EQ(reads.size(), 1u) << id;
    EXPECT_EQ(reads[0].index, Index(2));
    EXPECT_EQ(reads[0].context.view(), "ctx" + std::to_string(id));
  }
}

TEST(ReadIndexTest, WithoutALeaderARequestIsLost) {
  Network net;
  EXPECT_TRUE(Read(&net, 1, "x").empty());
  net.Elect(2);
  net.Stabilize();
  EXPECT_TRUE(net.at(1).TakeReads().empty());
}

TEST(ReadIndexTest, AQuorumMustConfirm) {
  Network net;
  net.Elect(1);
  net.Isolate(1);
  EXPECT_TRUE(Read(&net, 1, "x").empty());
  net.Heal();
  net.TickAll(1);  // the periodic heartbeat carries the number of the waiting read
  EXPECT_EQ(net.at(1).TakeReads().size(), 1u);
}

TEST(ReadIndexTest, LearnersDoNotConfirm) {
  Network net({.voters = 3, .learners = 2});
  net.Elect(1);
  net.Cut(1, 2);
  net.Cut(1, 3);
  EXPECT_TRUE(Read(&net, 1, "x").empty());
}

TEST(ReadIndexTest, AnOldLeaderCannotServe) {
  Network net;
  net.Elect(1);
  net.Propose(1, "a");
  net.Isolate(1);
  net.Elect(2);
  net.Propose(2, "b");
  EXPECT_TRUE(Read(&net, 1, "stale").empty());
  net.Heal();
  net.TickAll(2);
  EXPECT_TRUE(net.at(1).TakeReads().empty());  // dropped with the term
  EXPECT_EQ(Read(&net, 1, "fresh").at(0).index, Index(4));
}

TEST(ReadIndexTest, ANewLeaderAnswersAfterItsFirstCommit) {
  Network net;
  net.Elect(1);
  net.Propose(1, "a");
  net.filter = [](const Message& m) { return m.type != MessageType::kAppResp; };
  net.Elect(2);
  ASSERT_EQ(net.Leader(), 2u);
  EXPECT_TRUE(Read(&net, 2, "own").empty());
  EXPECT_TRUE(Read(&net, 3, "forwarded").empty());
  net.Heal();
  net.TickAll(2);
  EXPECT_EQ(net.at(2).TakeReads().at(0).index, Index(3));
  EXPECT_EQ(net.at(3).TakeReads().at(0).index, Index(3));
}

TEST(ReadIndexTest, PostponedReadsGoWithTheLeadership) {
  Network net;
  net.Elect(1);
  net.filter = [](const Message& m) { return m.type != MessageType::kAppResp; };
  net.Elect(2);
  EXPECT_TRUE(Read(&net, 2, "x").empty());
  net.Heal();
  net.Elect(1);
  net.Elect(2);
  net.TickAll(2);
  EXPECT_TRUE(net.at(2).TakeReads().empty());
}

TEST(ReadIndexTest, ARequestToAFormerLeaderIsForwardedOn) {
  Network net;
  net.Elect(1);
  net.Elect(2);
  // 3 sent this when it still followed 1.
  Message request{.type = MessageType::kReadIndex, .to = MemberId(1), .from = MemberId(3)};
  request.entries.push_back({.data = SharedBytes("x")});
  net.node(1).Step(request);
  net.Stabilize();
  EXPECT_EQ(net.at(3).TakeReads().size(), 1u);
  // And to itself by a detour: 2's own request, back from 1.
  request.from = MemberId(2);
  net.node(1).Step(request);
  net.Stabilize();
  EXPECT_EQ(net.at(2).TakeReads().size(), 1u);
}

TEST(ReadIndexTest, ALateEchoOfAnEarlierReadDoesNotConfirmALaterOne) {
  Network net;
  net.Elect(1);
  std::vector<Message> echoes;
  net.filter = [&](const Message& m) {
    if (m.type == MessageType::kHeartbeatResp) echoes.push_back(m);
    return m.type != MessageType::kHeartbeatResp;
  };
  EXPECT_TRUE(Read(&net, 1, "same").empty());
  const std::vector<Message> early = echoes;
  net.Isolate(1);
  // Another leader commits what 1 does not know of; the same request is repeated at 1.
  EXPECT_TRUE(Read(&net, 1, "same").empty());
  for (const Message& echo : early) net.node(1).Step(echo);
  net.at(1).Settle();
  // Only the first asking is confirmed.
  EXPECT_EQ(net.at(1).TakeReads().size(), 1u);
}

TEST(ReadIndexTest, ManyReadsAreConfirmedByOneRound) {
  Network net;
  net.Elect(1);
  int heartbeats = 0;
  net.filter = [&](const Message& m) {
    heartbeats += m.type == MessageType::kHeartbeat ? 1 : 0;
    return m.type != MessageType::kHeartbeatResp || m.context.view()[0] == 100;
  };
  for (int i = 0; i < 100; ++i) net.node(1).ReadIndex(SharedBytes(std::to_string(i)));
  net.Stabilize();
  const auto reads = net.at(1).TakeReads();
  ASSERT_EQ(reads.size(), 100u);
  for (int i = 0; i < 100; ++i) {
    EXPECT_EQ(reads[static_cast<size_t>(i)].context.view(), std::to_string(i));
  }
}

TEST(ReadIndexTest, ALoneVoterWithLearnersAnswersAtOnce) {
  Network net({.voters = 1, .learners = 1});
  net.Elect(1);
  net.Isolate(2);
  EXPECT_EQ(Read(&net, 1, "x").size(), 1u);
  EXPECT_TRUE(net.node(1).SoleVoterReadIndex().has_value());
  net.Heal();
  EXPECT_EQ(Read(&net, 2, "x").size(), 1u);
  EXPECT_EQ(net.node(2).SoleVoterReadIndex(), std::nullopt);
}

TEST(ReadIndexTest, AnOversizedContextIsDropped) {
  Network net;
  net.Elect(1);
  EXPECT_EQ(Read(&net, 1, std::string(256, 'x')).size(), 1u);
  EXPECT_TRUE(Read(&net, 1, std::string(257, 'x')).empty());
  EXPECT_TRUE(Read(&net, 2, std::string(257, 'x')).empty());
}

TEST(ReadIndexTest, MalformedRequestsAndAnswersAreDropped) {
  Network net;
  net.Elect(1);
  net.node(1).Step({.type = MessageType::kReadIndex, .to = MemberId(1), .from = MemberId(2)});
  net.node(2).Step({.type = MessageType::kReadIndexResp,
                    .to = MemberId(2),
                    .from = MemberId(1),
                    .term = Term(1),
                    .index = Index(1)});
  net.Stabilize();
  EXPECT_TRUE(net.at(1).TakeReads().empty());
  EXPECT_TRUE(net.at(2).TakeReads().empty());
}

}  // namespace
}  // namespace kvorum::raft
