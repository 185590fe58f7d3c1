#include "wal/segment.h"

#include "tests/wal/wal_fixture.h"

namespace kvorum::wal {
namespace {

using ::testing::ElementsAre;

SegmentName Name(uint64_t seq, uint64_t index) { return {seq, Index(index)}; }

TEST(SegmentNameTest, GoesBothWays) {
  const SegmentName name = Name(0x1f, 0xabcdef0123456789);
  EXPECT_EQ(name.ToString(), "000000000000001f-abcdef0123456789.wal");
  EXPECT_EQ(SegmentName::Parse(name.ToString()), name);
}

TEST(SegmentNameTest, AnythingElseIsNoName) {
  for (const char* text :
       {"", ".wal", "1f-2.wal", "000000000000001f-abcdef012345678g.wal",
        "000000000000001f_abcdef0123456789.wal", "000000000000001f-abcdef0123456789.wal.broken",
        "000000000000001f-abcdef0123456789.WAL", "-00000000000001f-abcdef0123456789.wal",
        "000000000000001f-+bcdef0123456789.wal", "0x0000000000001f-abcdef0123456789.wal"}) {
    EXPECT_EQ(SegmentName::Parse(text), std::nullopt) << text;
  }
}

TEST(SelectSegmentsTest, TakesTheLastThatMayHoldTheNextEntryAndAllBehind) {
  const std::vector<SegmentName> all = {Name(3, 10), Name(4, 20), Name(5, 30)};
  EXPECT_THAT(*SelectSegments(all, Index(10)), ElementsAre(all[0], all[1], all[2]));
  EXPECT_THAT(*SelectSegments(all, Index(19)), ElementsAre(all[0], all[1], all[2]));
  EXPECT_THAT(*SelectSegments(all, Index(20)), ElementsAre(all[1], all[2]));
  EXPECT_THAT(*SelectSegments(all, Index(99)), ElementsAre(all[2]));
  EXPECT_TRUE(absl::IsNotFound(SelectSegments(all, Index(9)).status()));
}

// A cut at entry 50, then entries from 15 on are replaced and the next cut is at 20.
TEST(SelectSegmentsTest, IndexesMayGoBack) {
  const std::vector<SegmentName> all = {Name(0, 0), Name(1, 50), Name(2, 20)};
  EXPECT_THAT(*SelectSegments(all, Index(19)), ElementsAre(all[0], all[1], all[2]));
  EXPECT_THAT(*SelectSegments(all, Index(30)), ElementsAre(all[2]));
}

TEST(SelectSegmentsTest, GapsMatterOnlyWhereItReads) {
  const std::vector<SegmentName> all = {Name(1, 0), Name(3, 10), Name(4, 20)};
  EXPECT_TRUE(absl::IsDataLoss(SelectSegments(all, Index(5)).status()));
  EXPECT_THAT(*SelectSegments(all, Index(10)), ElementsAre(all[1], all[2]));
}

TEST(PathTest, ParentOfAPath) {
  EXPECT_EQ(ParentDir("/a/b"), "/a");
  EXPECT_EQ(ParentDir("/a/b//"), "/a");
  EXPECT_EQ(ParentDir("/a"), "/");
  EXPECT_EQ(ParentDir("a"), ".");
  EXPECT_EQ(ParentDir("a/b"), "a");
}

}  // namespace
}  // namespace kvorum::wal
