#include "mvcc/revision_set.h"

#include <gtest/gtest.h>

#include <set>

#include "base/random.h"

namespace kvorum::mvcc {
namespace {

class RevisionSetTest : public ::testing::TestWithParam<int> {
 protected:
  RowRevision Random(int64_t mains) {
    return {Revision(static_cast<int64_t>(random_->Uniform(mains))),
            random_->Uniform(3) == 0 ? static_cast<int64_t>(random_->Uniform(300)) : 0};
  }
  std::unique_ptr<kvorum::Random> random_ = NewSeededRandom(GetParam());
};

TEST_P(RevisionSetTest, IsASetThatCounts) {
  constexpr int64_t kMains = 30000;
  RevisionSet set;
  std::set<RowRevision> expected;
  for (int i = 0; i < 5000; ++i) {
    const RowRevision revision = Random(kMains);
    set.Insert(revision);
    expected.insert(revision);
  }
  EXPECT_EQ(set.size(), static_cast<int64_t>(expected.size()));
  for (int i = 0; i < 5000; ++i) {
    const RowRevision revision = Random(kMains);
    EXPECT_EQ(set.Contains(revision), expected.contains(revision)) << revision;
  }
  for (int i = 0; i < 200; ++i) {
    const Revision first = Random(kMains).main;
    const Revision last = Random(kMains).main;
    int64_t between = 0;
    int64_t firsts = 0;
    for (const RowRevision& r : expected) {
      if (r.main < first || r.main > last) continue;
      ++between;
      if (r.sub == 0) ++firsts;
    }
    EXPECT_EQ(set.CountBetween(first, last), between) << first << " " << last;
    EXPECT_EQ(set.CountFirstsBetween(first, last), firsts) << first << " " << last;
  }
}

TEST_P(RevisionSetTest, MergesAndGoesThroughItsChunks) {
  RevisionSet a;
  RevisionSet b;
  std::set<RowRevision> expected;
  for (int i = 0; i < 3000; ++i) {
    const RowRevision revision = Random(20000);
    (i % 2 == 0 ? a : b).Insert(revision);
    expected.insert(revision);
  }
  a.Merge(b);
  RevisionSet back;
  for (const int64_t chunk : a.ChunkNumbers()) {
    ASSERT_TRUE(back.InsertChunk(chunk, a.EncodeChunk(chunk)));
  }
  for (const RevisionSet* set : {&a, &back}) {
    EXPECT_EQ(set->size(), static_cast<int64_t>(expected.size()));
    for (const RowRevision& revision : expected) EXPECT_TRUE(set->Contains(revision));
  }
}
INSTANTIATE_TEST_SUITE_P(Seeds, RevisionSetTest, ::testing::Range(1, 4));

TEST(RevisionSetChunkTest, DamagedBytesAreRefused) {
  RevisionSet set;
  EXPECT_FALSE(set.InsertChunk(0, "short"));
  EXPECT_FALSE(set.InsertChunk(0, std::string(512, '\0') + "\x80"));
}

}  // namespace
}  // namespace kvorum::mvcc
