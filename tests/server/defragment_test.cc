// Server::Defragment and Hash on a member stepped by hand.
#include <gtest/gtest.h>

#include "base/strings.h"
#include "tests/server/member_harness.h"

namespace kvorum::server {
namespace {

class DefragmentTest : public ::testing::Test {
 protected:
  void SetUp() override { member_.OpenAndWaitReady(); }

  // A history of which too little is dead for the compaction itself to rewrite files: `dead`
  // superseded revisions beside 100 others.
  void WriteHistory(int dead) {
    const std::string value(1000, 'x');
    for (int i = 0; i < 100; ++i) ASSERT_EQ(member_.Put(StrCat("k", i), value), Error::kOk);
    for (int i = 0; i < dead; ++i) ASSERT_EQ(member_.Put("k0", value), Error::kOk);
  }
  void CompactAll() {
    ASSERT_EQ(member_.Compact(member_.server->revision().value()), Error::kOk);
    TestWait done;
    member_.server->WaitCompacted(&done);
    ASSERT_TRUE(member_.StepUntil([&] { return done.done(); }));
  }
  Error Defragment() {
    TestWait done;
    member_.server->Defragment(&done);
    EXPECT_TRUE(member_.StepUntil([&] { return done.done(); }));
    return done.error;
  }
  int64_t RowsOnDisk() {
    int64_t rows = 0;
    auto it = member_.server->state().store()->backend().NewIterator(mvcc::Bucket::kKey);
    for (; it->Valid(); it->Next()) ++rows;
    return rows;
  }

  MemberHarness member_;
};

TEST_F(DefragmentTest, GivesBackWhatCompactionFreedAndSetsTheSizeDown) {
  WriteHistory(20);
  const int64_t full = member_.server->status().db_size_bytes;
  CompactAll();
  EXPECT_EQ(member_.server->status().db_size_bytes, full);
  EXPECT_LT(member_.server->status().db_size_in_use_bytes, full - 20'000);
  EXPECT_EQ(RowsOnDisk(), 120);

  ASSERT_EQ(Defragment(), Error::kOk);
  EXPECT_EQ(RowsOnDisk(), 100);
  const ServerStatus status = member_.server->status();
  EXPECT_EQ(status.db_size_bytes, status.db_size_in_use_bytes);
}

TEST_F(DefragmentTest, RunsAtStartIfThatFreesEnough) {
  WriteHistory(20);
  CompactAll();
  const ServerStatus before = member_.server->status();
  const int64_t free_bytes = before.db_size_bytes - before.db_size_in_use_bytes;
  member_.config.bootstrap_defrag_threshold_bytes = static_cast<uint64_t>(2 * free_bytes);
  member_.Stop();
  member_.OpenAndWaitReady();
  member_.StepUntilIdle();
  EXPECT_EQ(RowsOnDisk(), 120);

  member_.config.bootstrap_defrag_threshold_bytes = static_cast<uint64_t>(free_bytes / 2);
  member_.Stop();
  member_.OpenAndWaitReady();
  EXPECT_TRUE(member_.StepUntil([&] { return RowsOnDisk() == 100; }));
}

TEST_F(DefragmentTest, SizesAreDurableWithoutAnyFurtherWrite) {
  WriteHistory(20);
  CompactAll();
  ASSERT_EQ(Defragment(), Error::kOk);
  const int64_t size = member_.server->status().db_size_bytes;
  member_.StepUntilIdle();
  member_.Stop();
  member_.OpenAndWaitReady();
  EXPECT_NEAR(member_.server->status().db_size_bytes, size, 1000);
  EXPECT_EQ(RowsOnDisk(), 100);
}

// The two are independent calls to the client, and what is freed must be found.
TEST_F(DefragmentTest, WaitsForCompactionsAppliedBefore) {
  WriteHistory(200);
  ASSERT_EQ(member_.Compact(member_.server->revision().value()), Error::kOk);
  ASSERT_EQ(Defragment(), Error::kOk);
  const ServerStatus status = member_.server->status();
  EXPECT_EQ(status.db_size_bytes, status.db_size_in_use_bytes);
  EXPECT_LT(status.db_size_bytes, 150'000);
}

TEST_F(DefragmentTest, SlowReaderOfOldRevisionsDelaysItForAWhileOnly) {
  WriteHistory(20);
  const auto reader = member_.server->state().store()->HoldRemovals();
  ASSERT_EQ(member_.Compact(member_.server->revision().value()), Error::kOk);
  EXPECT_EQ(Defragment(), Error::kOk);
}

TEST_F(DefragmentTest, CallDuringARunBelongsToTheNext) {
  WriteHistory(20);
  auto reader = member_.server->state().store()->HoldRemovals();
  ASSERT_EQ(member_.Compact(member_.server->revision().value()), Error::kOk);
  TestWait first;
  member_.server->Defragment(&first);
  member_.StepUntilIdle();  // the run has begun and waits
  TestWait second;
  member_.server->Defragment(&second);
  reader.Release();
  ASSERT_TRUE(member_.StepUntil([&] { return first.done() || second.done(); }));
  EXPECT_TRUE(first.done());
  ASSERT_TRUE(member_.StepUntil([&] { return second.done(); }));
  EXPECT_EQ(second.error, Error::kOk);
}

TEST_F(DefragmentTest, AbandonedCallIsNotResumed) {
  TestWait call;
  member_.server->Defragment(&call);
  EXPECT_TRUE(member_.server->AbandonDefragment(&call));
  EXPECT_FALSE(member_.server->AbandonDefragment(&call));
  EXPECT_EQ(Defragment(), Error::kOk);
  EXPECT_FALSE(call.done());
}

TEST_F(DefragmentTest, StopEndsIt) {
  const auto reader = member_.server->state().store()->HoldRemovals();
  WriteHistory(1);
  ASSERT_EQ(member_.Compact(member_.server->revision().value()), Error::kOk);
  TestWait running;
  member_.server->Defragment(&running);
  member_.StepUntilIdle();
  TestWait next;
  member_.server->Defragment(&next);
  member_.server->Stop();
  EXPECT_EQ(running.error, Error::kStopped);
  EXPECT_EQ(next.error, Error::kStopped);
  TestWait late;
  member_.server->Defragment(&late);
  EXPECT_EQ(late.error, Error::kStopped);
}

TEST_F(DefragmentTest, NeedsRoomForACopy) {
  WriteHistory(20);
  CompactAll();
  member_.env.SetFreeBytes(1000);
  EXPECT_EQ(Defragment(), Error::kDiskFull);
  EXPECT_EQ(RowsOnDisk(), 120);
  member_.env.SetFreeBytes(1 << 30);
  EXPECT_EQ(Defragment(), Error::kOk);
  EXPECT_EQ(RowsOnDisk(), 100);
}

TEST_F(DefragmentTest, DiskThatFillsUpDuringItHarmsNobody) {
  WriteHistory(20);
  CompactAll();
  member_.env.Inject({.op = FaultEnv::Op::kWrite,
                      .and_all_after = true,
                      .path_part = ".sst",
                      .status = absl::ResourceExhaustedError("no space left on device")});
  EXPECT_EQ(Defragment(), Error::kDiskFull);
  EXPECT_EQ(RowsOnDisk(), 120);
  EXPECT_EQ(member_.Value("k99"), std::string(1000, 'x'));
  member_.env.ClearFaults();
  ASSERT_TRUE(member_.StepUntil([&] { return member_.Put("more", "1") == Error::kOk; }));
  ASSERT_TRUE(member_.StepUntil([&] { return Defragment() == Error::kOk; }));
  EXPECT_EQ(RowsOnDisk(), 101);
}

TEST_F(DefragmentTest, HashIsThatOfTheStoreAndChangesWithIt) {
  const auto hash = [this] {
    etcdserverpb::HashResponse response;
    EXPECT_EQ(member_.server->Hash(&response), Error::kOk);
    EXPECT_EQ(response.header().revision(), member_.server->revision().value());
    return response.hash();
  };
  ASSERT_EQ(member_.Put("a", "1"), Error::kOk);
  const uint32_t before = hash();
  EXPECT_EQ(hash(), before);
  ASSERT_EQ(Defragment(), Error::kOk);
  EXPECT_EQ(hash(), before);
  ASSERT_EQ(member_.Put("a", "2"), Error::kOk);
  EXPECT_NE(hash(), before);
}

}  // namespace
}  // namespace kvorum::server
