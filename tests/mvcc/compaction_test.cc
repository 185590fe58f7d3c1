#include "mvcc/compaction.h"

#include <gtest/gtest.h>

#include "tests/mvcc/store_fixture.h"

namespace kvorum::mvcc {
namespace {

class CompactionTest : public StoreTest {
 protected:
  void NewCompactor() { compactor_ = std::make_unique<Compactor>(*store_, SystemClock()); }
  // Steps until the compactor reports `wanted`; commits and flushes on the way if it needs that.
  void StepUntil(Compactor::Progress wanted) {
    for (;;) {
      const auto progress = compactor_->Step();
      ASSERT_OK(progress);
      if (*progress == wanted) return;
      ASSERT_NE(*progress, Compactor::Progress::kIdle);
      if (*progress == Compactor::Progress::kWaitCommit) Commit();
      if (*progress == Compactor::Progress::kWaitDurable) {
        ASSERT_OK(store_->backend().Flush());
      }
    }
  }
  void Finish() { StepUntil(Compactor::Progress::kIdle); }
  void CompactAt(Revision revision) {
    ASSERT_EQ(store_->Compact(revision), Error::kNone);
    Finish();
  }
  // Rows of the `key` bucket that are really there.
  int64_t RowsInBackend() {
    int64_t n = 0;
    for (auto it = store_->backend().NewIterator(Bucket::kKey); it->Valid(); it->Next()) ++n;
    return n;
  }
  // Rewrites whatever has a purgeable row.
  void PurgeAll() {
    for (;;) {
      const auto result = store_->backend().PurgeOneFile(0);
      ASSERT_OK(result);
      if (*result == PurgeResult::kNothing) return;
    }
  }
  void Defragment() {
    for (;;) {
      const auto progress = compactor_->DefragmentStep();
      ASSERT_OK(progress);
      if (*progress == Compactor::Progress::kIdle) return;
    }
  }
  void SetUp() override { NewCompactor(); }

  std::unique_ptr<Compactor> compactor_;
};

TEST_F(CompactionTest, ReadsBelowAreRefusedAtOnceAndAtItStillServed) {
  Put("a", "1");
  Put("a", "2");
  Put("a", "3");
  ASSERT_EQ(store_->Compact(Revision(3)), Error::kNone);
  EXPECT_EQ(ListAll(2), "compacted");
  EXPECT_EQ(ListAll(3), "a=2");
  Finish();
  EXPECT_EQ(ListAll(2), "compacted");
  EXPECT_EQ(ListAll(3), "a=2");
  EXPECT_EQ(ListAll(4), "a=3");
}

TEST_F(CompactionTest, RevisionZeroIsAcceptedOnce) {
  EXPECT_EQ(store_->Compact(Revision(0)), Error::kNone);
  EXPECT_EQ(store_->Compact(Revision(0)), Error::kCompacted);
  EXPECT_EQ(store_->compacted_revision(), Revision(0));
}

TEST_F(CompactionTest, FutureRevisionIsRefused) {
  Put("a", "1");
  EXPECT_EQ(store_->Compact(Revision(3)), Error::kFutureRevision);
}

TEST_F(CompactionTest, DeadRowsLeaveTheDisk) {
  for (int i = 0; i < 200; ++i) Put("a", std::to_string(i));
  Put("b", "1");
  Delete("b");
  Commit();
  ASSERT_OK(store_->backend().Flush());
  EXPECT_EQ(RowsInBackend(), 202);
  CompactAt(store_->current_revision());
  // a's newest; b's tombstone, which is exactly at the compaction.
  EXPECT_EQ(RowsInBackend(), 2);
  EXPECT_TRUE(compactor_->Done(store_->current_revision()));
  EXPECT_EQ(ListAll(), "a=199");
}

TEST_F(CompactionTest, NothingIsPurgedBeforeTheCompactionIsDurable) {
  for (int i = 0; i < 200; ++i) Put("a", std::to_string(i));
  Commit();
  ASSERT_OK(store_->backend().Flush());
  ASSERT_EQ(store_->Compact(store_->current_revision()), Error::kNone);
  StepUntil(Compactor::Progress::kWaitCommit);
  PurgeAll();
  EXPECT_EQ(RowsInBackend(), 200);
}

TEST_F(CompactionTest, RemovalWaitsForReadsBegunBeforeButNotForLaterOnes) {
  Put("a", "1");
  Put("a", "2");
  ReadEpochs::Guard before = store_->HoldRemovals();
  ASSERT_EQ(store_->Compact(Revision(3)), Error::kNone);
  const ReadEpochs::Guard after = store_->HoldRemovals();
  StepUntil(Compactor::Progress::kWaitReaders);
  before.Release();
  Finish();
}

TEST_F(CompactionTest, CrashBeforeItsEndBeginsItAnew) {
  for (int i = 0; i < 10; ++i) Put("a", std::to_string(i));
  ASSERT_EQ(store_->Compact(Revision(8)), Error::kNone);
  compactor_.reset();
  CommitAndReopen();
  NewCompactor();
  EXPECT_EQ(store_->compacted_revision(), Revision(8));
  EXPECT_EQ(ListAll(7), "compacted");
  EXPECT_EQ(ListAll(8), "a=6");
  Finish();
  EXPECT_TRUE(compactor_->Done(Revision(8)));
  EXPECT_EQ(RowsInBackend(), 4);
}

TEST_F(CompactionTest, PurgeGoesOnAfterARestart) {
  for (int i = 0; i < 100; ++i) Put("a", std::to_string(i));
  Commit();
  ASSERT_OK(store_->backend().Flush());
  ASSERT_EQ(store_->Compact(store_->current_revision()), Error::kNone);
  StepUntil(Compactor::Progress::kWaitCommit);
  compactor_.reset();
  CommitAndReopen();
  EXPECT_EQ(RowsInBackend(), 100);
  NewCompactor();
  Finish();
  EXPECT_EQ(RowsInBackend(), 1);
}

// The reason for the stored set of dead rows.
TEST_F(CompactionTest, KeyStaysDeletedThoughItsTombstoneWasPurgedFirst) {
  Put("a", "1");
  Delete("a");
  Put("b", "1");
  ASSERT_EQ(store_->Compact(store_->current_revision()), Error::kNone);
  StepUntil(Compactor::Progress::kWaitDurable);
  // What a rewrite of the tombstone's file alone would leave.
  store_->backend().batch().Delete(Bucket::kKey,
                                   EncodeRowKey({.main = Revision(3)}, /*tombstone=*/true));
  compactor_.reset();
  CommitAndReopen();
  EXPECT_EQ(ListAll(), "b=1");
  EXPECT_EQ(store_->key_count(), 1);
}

TEST_F(CompactionTest, CurrentRevisionSurvivesThoughItsRowDoesNot) {
  Put("a", "1");
  Delete("a");
  Put("a", "2");
  Delete("a");
  CompactAt(store_->current_revision());
  PurgeAll();
  CommitAndReopen();
  EXPECT_EQ(store_->current_revision(), Revision(5));
  EXPECT_EQ(Put("a", "3"), Revision(6));
}

TEST_F(CompactionTest, SizeInUseFallsButTheHighWaterMarkStays) {
  const int64_t empty = store_->size_in_use_bytes();
  for (int i = 0; i < 100; ++i) Put("a", std::string(1000, 'x'));
  Commit();
  const int64_t full = store_->size_in_use_bytes();
  EXPECT_GT(full, empty + 100'000);
  CompactAt(store_->current_revision());
  Commit();
  EXPECT_LT(store_->size_in_use_bytes(), empty + 2000);
  EXPECT_EQ(store_->size_bytes(), full);
  CommitAndReopen();
  EXPECT_LT(store_->size_in_use_bytes(), empty + 2000);
  EXPECT_EQ(store_->size_bytes(), full);
}

// Longer than what one hold of the lock may cover.
TEST_F(CompactionTest, LongHistoryOfOneKeyIsDroppedInSlices) {
  const int64_t count = 3 * static_cast<int64_t>(Compactor::kSliceRevisions) + 5;
  Put("a", "1");
  for (int64_t i = 0; i < count; ++i) Put("hot", "x");
  Put("z", "1");
  Put("z", "2");
  const int64_t full = store_->size_in_use_bytes();
  ASSERT_EQ(store_->Compact(store_->current_revision()), Error::kNone);
  int64_t steps = 0;
  for (auto progress = compactor_->Step(); *progress != Compactor::Progress::kWaitCommit; ++steps) {
    progress = compactor_->Step();
    ASSERT_OK(progress);
    EXPECT_EQ(ListAll(), "a=1 hot=x z=2");
  }
  EXPECT_GE(steps, 4);
  Finish();
  EXPECT_EQ(RowsInBackend(), 3);
  const int64_t left = store_->size_in_use_bytes();
  EXPECT_LT(left, full - count * 30);
  CommitAndReopen();  // which counts anew
  EXPECT_EQ(store_->size_in_use_bytes(), left);
  EXPECT_EQ(ListAll(), "a=1 hot=x z=2");
}

TEST_F(CompactionTest, HistoryWithTransactionsIsPurgedToo) {
  for (int i = 0; i < 100; ++i) {
    WriteTxn txn = store_->Begin();
    for (const char* key : {"a", "b", "c"}) txn.Put(key, std::to_string(i), LeaseId(0));
    txn.End();
  }
  CompactAt(store_->current_revision());
  EXPECT_EQ(RowsInBackend(), 3);
  CommitAndReopen();
  EXPECT_EQ(ListAll(), "a=99 b=99 c=99");
}

TEST_F(CompactionTest, DefragmentationSetsTheSizeDownAndBeginsTheDeadSetAnew) {
  const auto dead_rows = [this] {
    int64_t n = 0;
    for (auto it = store_->backend().NewIterator(Bucket::kLocal, kDeadKeyPrefix);
         it->Valid() && it->key().starts_with(kDeadKeyPrefix); it->Next()) {
      ++n;
    }
    return n;
  };
  for (int round = 1; round <= 3; ++round) {
    SCOPED_TRACE(round);
    for (int i = 0; i < 100; ++i) Put("a", std::string(1000, 'x'));
    Put("b", "1");
    Delete("b");
    const Revision last = Put("c", "1");
    CompactAt(last);
    Commit();
    EXPECT_EQ(dead_rows(), 1);
    Defragment();
    EXPECT_EQ(store_->size_bytes(), store_->size_in_use_bytes());
    Commit();
    EXPECT_EQ(store_->size_bytes(), store_->size_in_use_bytes());
    EXPECT_EQ(dead_rows(), 0);
    EXPECT_EQ(RowsInBackend(), 2);
    compactor_.reset();
    CommitAndReopen();
    NewCompactor();
    EXPECT_EQ(store_->size_bytes(), store_->size_in_use_bytes());
    EXPECT_EQ(store_->key_count(), 2);
  }
}

TEST_F(CompactionTest, DefragmentationInTheMiddleOfACompactionForgetsNothing) {
  Put("a", "1");
  Delete("a");
  Put("b", "1");
  ASSERT_EQ(store_->Compact(Revision(4)), Error::kNone);
  StepUntil(Compactor::Progress::kWaitCommit);
  Defragment();
  EXPECT_EQ(RowsInBackend(), 0);  // nothing was committed yet
  Finish();
  CommitAndReopen();
  EXPECT_EQ(ListAll(), "b=1");
}

TEST_F(CompactionTest, LogicalRowsAreThoseAfterThePurge) {
  for (int i = 0; i < 10; ++i) Put("a", std::to_string(i));
  Put("b", "1");
  const auto logical = [this] {
    int64_t n = 0;
    const auto rows = store_->NewLogicalIterator();
    for (; rows->Valid(); rows->Next()) n += rows->bucket() == Bucket::kKey ? 1 : 0;
    EXPECT_OK(rows->status());
    return n;
  };
  Commit();
  EXPECT_EQ(logical(), 11);
  ASSERT_EQ(store_->Compact(Revision(12)), Error::kNone);
  StepUntil(Compactor::Progress::kWaitCommit);
  Commit();
  EXPECT_EQ(RowsInBackend(), 11);
  EXPECT_EQ(logical(), 2);
  Finish();
  EXPECT_EQ(logical(), 2);
}

TEST_F(CompactionTest, MissingRowIsNoticedByScans) {
  for (int i = 0; i < 10; ++i) Put("a", std::to_string(i));
  Commit();
  store_->backend().batch().Delete(Bucket::kKey, EncodeRowKey({.main = Revision(5)}));
  Commit();
  EXPECT_CODE(kDataLoss, store_->Hash());
  EXPECT_CODE(kDataLoss, store_->HashKv(Revision(0)));
  EXPECT_CODE(kDataLoss, store_->ReadEvents(Revision(2), Revision(11), 1 << 20));
  ASSERT_OK(store_->backend().Flush());
  compactor_.reset();
  EXPECT_CODE(kDataLoss, Open());
}

}  // namespace
}  // namespace kvorum::mvcc
