#include "server/peer/message_queue.h"

#include <gtest/gtest.h>

#include <string>
#include <utility>
#include <vector>

#include "server/peer/codec.h"

namespace kvorum::server::peer {
namespace {

using Result = MessageQueue::Result;

raft::Message OfBytes(size_t bytes) {
  return {.type = raft::MessageType::kApp, .context = SharedBytes(std::string(bytes, 'x'))};
}

TEST(MessageQueueTest, TakesNothingWhileClosed) {
  MessageQueue queue(10, 1000);
  EXPECT_EQ(queue.Push(OfBytes(1)), Result::kClosed);
  queue.Open();
  EXPECT_EQ(queue.Push(OfBytes(1)), Result::kQueuedFirst);
  EXPECT_TRUE(queue.Close());
  EXPECT_EQ(queue.Push(OfBytes(1)), Result::kClosed);
  EXPECT_FALSE(queue.Close());
}

TEST(MessageQueueTest, IsBoundedInMessages) {
  MessageQueue queue(2, 1000);
  queue.Open();
  EXPECT_EQ(queue.Push(OfBytes(1)), Result::kQueuedFirst);
  EXPECT_EQ(queue.Push(OfBytes(1)), Result::kQueued);
  raft::Message third = OfBytes(7);
  EXPECT_EQ(queue.Push(std::move(third)), Result::kFull);
  EXPECT_EQ(third.context.size(), 7u);  // still ours
}

TEST(MessageQueueTest, IsBoundedInBytesButTakesOneOfAnySize) {
  MessageQueue queue(100, 1000);
  queue.Open();
  EXPECT_EQ(queue.Push(OfBytes(5000)), Result::kQueuedFirst);
  EXPECT_EQ(queue.Push(OfBytes(1)), Result::kFull);
  EXPECT_EQ(queue.Take(10, 10).size(), 1u);
  EXPECT_EQ(queue.bytes(), 0u);
  EXPECT_EQ(queue.Push(OfBytes(500)), Result::kQueued);
  EXPECT_EQ(queue.Push(OfBytes(500)), Result::kFull);
}

TEST(MessageQueueTest, GivesThemInOrderAsManyAsAreAskedFor) {
  MessageQueue queue(100, 10000);
  queue.Open();
  for (const size_t n : {10, 20, 30, 40}) {
    EXPECT_NE(queue.Push(OfBytes(n)), Result::kFull);
  }
  const std::vector<raft::Message> by_bytes = queue.Take(100, 45);
  ASSERT_EQ(by_bytes.size(), 2u);
  EXPECT_EQ(by_bytes[1].context.size(), 20u);
  const std::vector<raft::Message> by_number = queue.Take(1, 10000);
  ASSERT_EQ(by_number.size(), 1u);
  EXPECT_EQ(by_number[0].context.size(), 30u);
}

// Or a message could wait for ever.
TEST(MessageQueueTest, TheTakerIsToldAgainOnceItFoundNothing) {
  MessageQueue queue(100, 10000);
  queue.Open();
  EXPECT_EQ(queue.Push(OfBytes(1)), Result::kQueuedFirst);
  EXPECT_EQ(queue.Take(1, 100).size(), 1u);
  EXPECT_EQ(queue.Push(OfBytes(1)), Result::kQueued);
  EXPECT_EQ(queue.Take(1, 100).size(), 1u);
  EXPECT_TRUE(queue.Take(1, 100).empty());
  EXPECT_EQ(queue.Push(OfBytes(1)), Result::kQueuedFirst);
}

}  // namespace
}  // namespace kvorum::server::peer
