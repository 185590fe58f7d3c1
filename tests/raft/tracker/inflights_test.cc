#include "raft/tracker/inflights.h"

#include <gtest/gtest.h>

namespace kvorum::raft::tracker {
namespace {

Inflights Filled(int messages) {
  Inflights in(messages, 0);
  for (int i = 0; i < messages; ++i) in.Add(Index(static_cast<uint64_t>(i)), 10);
  return in;
}

TEST(InflightsTest, IsFullAtItsNumberOfMessages) {
  Inflights in(3, 0);
  for (uint64_t i = 1; i <= 3; ++i) {
    EXPECT_FALSE(in.Full());
    in.Add(Index(i), 1000000);
  }
  EXPECT_TRUE(in.Full());
}

TEST(InflightsTest, IsFullAtItsBytesWhichOneMessageMayOvershoot) {
  Inflights in(100, 25);
  in.Add(Index(1), 24);
  EXPECT_FALSE(in.Full());
  in.Add(Index(2), 500);
  EXPECT_TRUE(in.Full());
  in.FreeUpTo(Index(1));
  EXPECT_TRUE(in.Full());
  in.FreeUpTo(Index(2));
  EXPECT_FALSE(in.Full());
  EXPECT_EQ(in.bytes(), 0u);
}

TEST(InflightsTest, AnAckFreesEverythingUpToIt) {
  const struct {
    uint64_t to;
    size_t left;
  } cases[] = {{0, 9}, {4, 5}, {8, 1}, {9, 0}, {100, 0}};
  for (const auto& c : cases) {
    Inflights in = Filled(10);
    in.FreeUpTo(Index(c.to));
    EXPECT_EQ(in.count(), c.left) << c.to;
    EXPECT_EQ(in.bytes(), c.left * 10) << c.to;
  }
}

TEST(InflightsTest, AnAckOfNothingFreesNothing) {
  Inflights in(5, 0);
  in.Add(Index(7), 10);
  in.FreeUpTo(Index(6));
  EXPECT_EQ(in.count(), 1u);
  in.Reset();
  EXPECT_EQ(in.count(), 0u);
  EXPECT_EQ(in.bytes(), 0u);
}

TEST(InflightsTest, TheWindowMovesOn) {
  Inflights in(4, 0);
  for (uint64_t i = 1; i <= 1000; ++i) {
    in.Add(Index(i), i);
    if (i > 2) in.FreeUpTo(Index(i - 2));
    EXPECT_LE(in.count(), 3u);
  }
  EXPECT_EQ(in.bytes(), 999u + 1000u);
}

TEST(InflightsDeathTest, AddingBeyondTheWindowIsABug) {
  Inflights in = Filled(2);
  EXPECT_DEATH(in.Add(Index(9), 1), "CHECK failed");
}

}  // namespace
}  // namespace kvorum::raft::tracker
