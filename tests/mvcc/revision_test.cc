#include "mvcc/revision.h"

#include <gtest/gtest.h>

namespace kvorum::mvcc {
namespace {

TEST(RevisionTest, RowKeyIsBigEndianWithASeparator) {
  EXPECT_EQ(EncodeRowKey({Revision(5), 1}),
            std::string("\0\0\0\0\0\0\0\5_\0\0\0\0\0\0\0\1", kRowKeyBytes));
  EXPECT_EQ(EncodeRowKey({Revision(5), 1}, true),
            std::string("\0\0\0\0\0\0\0\5_\0\0\0\0\0\0\0\1t", kTombstoneRowKeyBytes));
}

TEST(RevisionTest, ByteOrderIsHistoryOrder) {
  const RowRevision order[] = {{Revision(0), 0}, {Revision(1), 0},   {Revision(1), 1},
                               {Revision(2), 0}, {Revision(255), 9}, {Revision(256), 0}};
  for (size_t i = 0; i + 1 < std::size(order); ++i) {
    EXPECT_LT(order[i], order[i + 1]);
    EXPECT_LT(EncodeRowKey(order[i]), EncodeRowKey(order[i + 1]));
    EXPECT_LT(EncodeRowKey(order[i], true), EncodeRowKey(order[i + 1]));
  }
}

TEST(RevisionTest, RowKeysReadBack) {
  const RowRevision revision{Revision(1LL << 40), 77};
  for (const bool tombstone : {false, true}) {
    const auto parsed = ParseRowKey(EncodeRowKey(revision, tombstone));
    ASSERT_TRUE(parsed);
    EXPECT_EQ(parsed->revision, revision);
    EXPECT_EQ(parsed->tombstone, tombstone);
  }
}

TEST(RevisionTest, OtherBytesAreNoRowKey) {
  const std::string good = EncodeRowKey({Revision(5), 1});
  EXPECT_FALSE(ParseRowKey(""));
  EXPECT_FALSE(ParseRowKey(good.substr(1)));
  EXPECT_FALSE(ParseRowKey(good + "x"));
  std::string bad = good;
  bad[8] = '-';
  EXPECT_FALSE(ParseRowKey(bad));
}

}  // namespace
}  // namespace kvorum::mvcc
