// The hashes against what a real v3.7.1 gave, and against themselves across compaction and restart.
#include <gtest/gtest.h>

#include <set>

#include "base/crc32c.h"
#include "mvcc/compaction.h"
#include "tests/mvcc/store_fixture.h"

namespace kvorum::mvcc {
namespace {

class StoreHashTest : public StoreTest {
 protected:
  // The history of the reference's database whose hashes are known.
  void WriteKnownHistory() {
    Put("a", "1");
    for (int i = 1; i <= 12; ++i) Put("k" + std::to_string(i), "v" + std::to_string(i));
    Delete("k3");
    Put("lk", "x", LeaseId(0x7c76a1fb6a3d6b13));
  }
  void WriteKnownEnd() {
    Put("k1", "v1b");
    Delete("k2");
  }
  uint32_t HashKv(int64_t revision) {
    const auto result = store_->HashKv(Revision(revision));
    CHECK_OK(result.status());
    CHECK(result->error == Error::kNone);
    return result->hash;
  }
  uint32_t Hash() {
    const auto result = store_->Hash();
    CHECK_OK(result.status());
    return *result;
  }
  void FinishCompactions() {
    Compactor compactor(*store_, SystemClock());
    for (;;) {
      const auto progress = compactor.Step();
      ASSERT_OK(progress);
      if (*progress == Compactor::Progress::kIdle) break;
      Commit();
      ASSERT_OK(store_->backend().Flush());
    }
  }
};

constexpr uint32_t kKnownHashAt18 = 3207920832;
constexpr uint32_t kKnownHashAt17 = 540632749;

TEST_F(StoreHashTest, EqualsTheReferencesHashes) {
  WriteKnownHistory();
  ASSERT_EQ(store_->current_revision(), Revision(16));
  ASSERT_EQ(store_->Compact(Revision(16)), Error::kNone);
  WriteKnownEnd();
  // At every stage: compaction announced, done, written, read back.
  EXPECT_EQ(HashKv(0), kKnownHashAt18);
  EXPECT_EQ(HashKv(17), kKnownHashAt17);
  FinishCompactions();
  EXPECT_EQ(HashKv(18), kKnownHashAt18);
  EXPECT_EQ(HashKv(17), kKnownHashAt17);
  CommitAndReopen();
  EXPECT_EQ(HashKv(18), kKnownHashAt18);
  EXPECT_EQ(HashKv(17), kKnownHashAt17);
}

TEST_F(StoreHashTest, EmptyStoreHashesTheBucketName) { EXPECT_EQ(HashKv(0), 0x40a4756du); }

TEST_F(StoreHashTest, NegativeRevisionHashesNoRows) {
  WriteKnownHistory();
  ASSERT_EQ(store_->Compact(Revision(16)), Error::kNone);
  EXPECT_EQ(HashKv(-5), 0x40a4756du);
}

TEST_F(StoreHashTest, CompactionHashIsKeptAndIsThatOfBefore) {
  WriteKnownHistory();
  const uint32_t before = HashKv(16);
  ASSERT_EQ(store_->Compact(Revision(16)), Error::kNone);
  FinishCompactions();
  const auto result = store_->HashKv(Revision(16));
  ASSERT_OK(result);
  EXPECT_EQ(result->hash, before);
  EXPECT_EQ(result->compacted, kNeverCompacted);
  ASSERT_EQ(store_->compaction_hashes().size(), 1u);
}

// Both as the original has them: its compactions keep tombstones, its HashKV does not.
TEST_F(StoreHashTest, CompactionWhereNothingLivesHasAHashOfItsOwn) {
  Put("a", "1");
  Put("b", "1");
  ASSERT_EQ(store_->Compact(Revision(2)), Error::kNone);
  FinishCompactions();
  Delete("a", "c");
  EXPECT_EQ(HashKv(4), 108040959u);
  ASSERT_EQ(store_->Compact(Revision(4)), Error::kNone);
  FinishCompactions();
  EXPECT_EQ(HashKv(4), 3295508914u);
}

TEST_F(StoreHashTest, TenCompactionHashesAreKept) {
  for (int i = 0; i < 12; ++i) {
    const Revision revision = Put("a", std::to_string(i));
    ASSERT_EQ(store_->Compact(revision), Error::kNone);
    FinishCompactions();
  }
  const auto hashes = store_->compaction_hashes();
  ASSERT_EQ(hashes.size(), 10u);
  EXPECT_EQ(hashes.front().revision, Revision(4));
  EXPECT_EQ(hashes.back().revision, Revision(13));
}

TEST_F(StoreHashTest, OutOfRangeRevisionsAreErrors) {
  WriteKnownHistory();
  ASSERT_EQ(store_->Compact(Revision(10)), Error::kNone);
  EXPECT_EQ(store_->HashKv(Revision(9))->error, Error::kCompacted);
  EXPECT_EQ(store_->HashKv(Revision(17))->error, Error::kFutureRevision);
}

TEST_F(StoreHashTest, WholeHashCoversAllBucketsButNotThePosition) {
  Put("a", "1");
  Commit();
  const uint32_t before = Hash();
  Commit();  // another index
  EXPECT_EQ(Hash(), before);
  store_->backend().batch().Put(Bucket::kAuthUsers, "root", "x");
  Commit();
  EXPECT_NE(Hash(), before);

  uint32_t expected = 0;
  const auto row = KeyValueView{.key = "a",
                                .create_revision = Revision(2),
                                .mod_revision = Revision(2),
                                .version = 1,
                                .value = "1"}
                       .Encode();
  std::string first_auth_revision;
  AppendBigEndian64(&first_auth_revision, 1);
  for (const std::string& piece :
       {std::string("alarm"), std::string("auth"), std::string(kAuthRevisionKey),
        first_auth_revision, std::string("authRoles"), std::string("authUsers")}) {
    expected = Crc32c(expected, piece);
  }
  expected = Crc32c(Crc32c(expected, "root"), "x");
  expected = Crc32c(Crc32c(expected, "cluster"), "key");
  expected = Crc32c(Crc32c(expected, EncodeRowKey({.main = Revision(2)})), row);
  for (const char* name : {"lease", "members", "members_removed", "meta"}) {
    expected = Crc32c(expected, name);
  }
  EXPECT_EQ(Hash(), expected);
}

TEST_F(StoreHashTest, WholeHashDoesNotDependOnThePurge) {
  for (int i = 0; i < 20; ++i) Put("a", std::to_string(i));
  Put("b", "1");
  Delete("b");
  ASSERT_EQ(store_->Compact(store_->current_revision()), Error::kNone);
  Compactor compactor(*store_, SystemClock());
  std::set<uint32_t> hashes;
  bool finished = false;
  for (;;) {
    const auto progress = compactor.Step();
    ASSERT_OK(progress);
    if (*progress == Compactor::Progress::kIdle) break;
    Commit();
    ASSERT_OK(store_->backend().Flush());
    finished = finished || *progress == Compactor::Progress::kWaitCommit;
    if (finished) hashes.insert(Hash());
  }
  CommitAndReopen();
  hashes.insert(Hash());
  EXPECT_EQ(hashes.size(), 1u);
}

}  // namespace
}  // namespace kvorum::mvcc
