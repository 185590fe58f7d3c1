#include "raft/read_only.h"

#include <gtest/gtest.h>

namespace kvorum::raft {
namespace {

const quorum::JointConfig kThree{.incoming = {MemberId(1), MemberId(2), MemberId(3)},
                                 .outgoing = {}};

Message Read(const std::string& context) {
  Message m{.type = MessageType::kReadIndex};
  m.entries.push_back({.data = SharedBytes(context)});
  return m;
}

std::vector<std::string> Contexts(const std::vector<ReadOnly::Request>& requests) {
  std::vector<std::string> out;
  for (const auto& r : requests) out.emplace_back(r.message.entries[0].data.view());
  return out;
}

using List = std::vector<std::string>;

TEST(ReadOnlyTest, NothingWaitingMeansNoContext) {
  ReadOnly reads;
  EXPECT_TRUE(reads.HeartbeatContext().empty());
  EXPECT_EQ(reads.position(), 0u);
  EXPECT_TRUE(reads.Advance(kThree).empty());
}

TEST(ReadOnlyTest, TheContextIsTheNumberOfTheNewestReadLittleEndian) {
  ReadOnly reads;
  for (int i = 0; i < 258; ++i) reads.Add(Index(5), Read("x"));
  EXPECT_EQ(reads.HeartbeatContext().view(), std::string_view("\x02\x01\0\0\0\0\0\0", 8));
}

TEST(ReadOnlyTest, AQuorumReleasesInOrderWhatItHasSeen) {
  ReadOnly reads;
  reads.Add(Index(5), Read("a"));
  reads.Add(Index(6), Read("b"));
  reads.ReceiveAck(MemberId(1), reads.position());
  reads.ReceiveAck(MemberId(2), 1);
  auto released = reads.Advance(kThree);
  EXPECT_EQ(Contexts(released), (List{"a"}));
  EXPECT_EQ(released[0].index, Index(5));
  reads.Add(Index(7), Read("c"));
  EXPECT_EQ(reads.position(), 3u);
  // A later echo makes up for the one that was lost; the leader's own ack is older here.
  reads.ReceiveAck(MemberId(3), 3);
  EXPECT_EQ(Contexts(reads.Advance(kThree)), (List{"b"}));
  reads.ReceiveAck(MemberId(1), 3);
  EXPECT_EQ(Contexts(reads.Advance(kThree)), (List{"c"}));
  EXPECT_EQ(reads.waiting(), 0u);
}

TEST(ReadOnlyTest, OldEchoesAndStrangersConfirmNothing) {
  ReadOnly reads;
  reads.Add(Index(5), Read("a"));
  reads.ReceiveAck(MemberId(1), 1);
  reads.ReceiveAck(MemberId(9), 1);   // a learner
  reads.ReceiveAck(MemberId(2), 77);  // never sent
  reads.ReceiveAck(MemberId(2), SharedBytes("short"));
  EXPECT_TRUE(reads.Advance(kThree).empty());
  reads.ReceiveAck(MemberId(2), reads.HeartbeatContext());
  EXPECT_EQ(reads.Advance(kThree).size(), 1u);
}

TEST(ReadOnlyTest, BothHalvesOfAJointConfigurationMustConfirm) {
  const quorum::JointConfig joint{.incoming = {MemberId(1)}, .outgoing = {MemberId(2)}};
  ReadOnly reads;
  reads.Add(Index(5), Read("a"));
  reads.ReceiveAck(MemberId(1), 1);
  EXPECT_TRUE(reads.Advance(joint).empty());
  reads.ReceiveAck(MemberId(2), 1);
  EXPECT_EQ(reads.Advance(joint).size(), 1u);
}

TEST(ReadOnlyTest, TheQueueIsBounded) {
  ReadOnly reads;
  for (size_t i = 0; i < ReadOnly::kMaxWaiting; ++i) ASSERT_TRUE(reads.Add(Index(1), Read("")));
  EXPECT_FALSE(reads.Add(Index(1), Read("")));
  EXPECT_EQ(reads.position(), ReadOnly::kMaxWaiting);
}

}  // namespace
}  // namespace kvorum::raft
