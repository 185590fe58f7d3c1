#include "mvcc/read_epochs.h"

#include <gtest/gtest.h>

namespace kvorum::mvcc {
namespace {

TEST(ReadEpochsTest, OnlyEarlierReadsKeepAnEpochFromBeingQuiet) {
  ReadEpochs epochs;
  EXPECT_TRUE(epochs.QuietBefore(0));
  ReadEpochs::Guard a = epochs.Enter();
  ReadEpochs::Guard b = epochs.Enter();
  const int64_t next = epochs.Advance();
  const ReadEpochs::Guard later = epochs.Enter();
  EXPECT_FALSE(epochs.QuietBefore(next));
  a.Release();
  EXPECT_FALSE(epochs.QuietBefore(next));
  b.Release();
  EXPECT_TRUE(epochs.QuietBefore(next));
  EXPECT_FALSE(epochs.QuietBefore(next + 1));
}

TEST(ReadEpochsTest, MovedGuardLeavesOnce) {
  ReadEpochs epochs;
  {
    ReadEpochs::Guard a = epochs.Enter();
    ReadEpochs::Guard b = std::move(a);
    a = std::move(b);
    EXPECT_FALSE(epochs.QuietBefore(1));
  }
  EXPECT_TRUE(epochs.QuietBefore(1));
}

}  // namespace
}  // namespace kvorum::mvcc
