// Crashes at random points of random histories: what comes back is the state after some commit,
// whole, and not older than what the store had called flushed.
#include <gtest/gtest.h>

#include <map>

#include "base/random.h"
#include "mvcc/compaction.h"
#include "tests/mvcc/model.h"
#include "tests/mvcc/store_fixture.h"

namespace kvorum::mvcc {
namespace {

class StoreCrashTest : public StoreTest, public ::testing::WithParamInterface<int> {
 protected:
  StoreCrashTest() : random_(NewSeededRandom(GetParam())) {
    compactor_ = std::make_unique<Compactor>(*store_, SystemClock());
    Checkpoint();
  }

  int64_t Pick(int64_t n) { return static_cast<int64_t>(random_->Uniform(n)); }
  std::string Key() { return "k" + std::to_string(Pick(16)); }

  void Transaction() {
    WriteTxn txn = store_->Begin();
    // Two keys of one transaction always have the same value: half a batch would show.
    const std::string value(10 + Pick(300), static_cast<char>('a' + Pick(26)));
    for (const char* half : {"left", "right"}) {
      txn.Put(half, value, LeaseId(0));
      model_.Put(half, value, 0);
    }
    const std::string key = Key();
    if (Pick(3) == 0) {
      ASSERT_OK(txn.DeleteRange({key}));
      model_.Delete({key});
    } else {
      txn.Put(key, value, LeaseId(0));
      model_.Put(key, value, 0);
    }
    ASSERT_EQ(txn.End().value(), model_.End());
  }
  void CommitBatch() {
    Commit();
    Checkpoint();
  }
  void Checkpoint() { checkpoints_[index_.value()] = model_; }

  void Step() {
    const int64_t dice = Pick(100);
    if (dice < 60) {
      Transaction();
    } else if (dice < 80) {
      CommitBatch();
    } else if (dice < 84) {
      const int64_t revision = model_.compacted() + 1 + Pick(10);
      if (store_->Compact(Revision(revision)) == Error::kNone) model_.Compact(revision);
    } else if (dice < 94) {
      const auto progress = compactor_->Step();
      ASSERT_OK(progress);
    } else if (dice < 97) {
      ASSERT_OK(store_->backend().RequestFlush());
    } else {
      ASSERT_OK(store_->backend().Flush());
    }
  }

  // Pulls the plug. Returns what FlushedIndex had promised.
  uint64_t Crash() {
    const auto flushed = store_->backend().FlushedIndex();
    CHECK_OK(flushed.status());
    env_.PowerOff();
    compactor_.reset();
    store_.reset();
    env_.PowerOn({.files = Pick(2) == 0 ? Unsynced::kLost : Unsynced::kSectorsKept,
                  .names = Pick(2) == 0 ? Unsynced::kLost : Unsynced::kSectorsKept,
                  .seed = static_cast<uint64_t>(Pick(1 << 30))});
    return flushed->value();
  }
  // Goes on from what is on the disk.
  Status Recover() {
    RETURN_IF_ERROR(Open());
    index_ = store_->opened_at().index;
    compactor_ = std::make_unique<Compactor>(*store_, SystemClock());
    return absl::OkStatus();
  }

  void CheckAgainst(const Model& model) {
    ASSERT_EQ(store_->current_revision().value(), model.current());
    ASSERT_EQ(store_->compacted_revision().value(), model.compacted());
    for (int64_t at = std::max<int64_t>(1, model.compacted()); at <= model.current();
         at += 1 + Pick(5)) {
      std::string expected;
      for (const auto& [key, value] : model.At(at)) {
        expected += (expected.empty() ? "" : " ") + key + "=" + value.value;
      }
      ASSERT_EQ(ListAll(at), expected) << "at " << at;
    }
    ASSERT_OK_AND_ASSIGN(const HashKvResult hash, store_->HashKv(Revision(0)));
    ASSERT_EQ(hash.hash, model.Hash(model.current()).hash);
  }

  std::unique_ptr<Random> random_;
  std::unique_ptr<Compactor> compactor_;
  Model model_;
  std::map<uint64_t, Model> checkpoints_;  // by committed index
};

TEST_P(StoreCrashTest, ComesBackAsAWholeCommitNotBeforeTheFlushedOne) {
  for (int crash = 0; crash < 8; ++crash) {
    SCOPED_TRACE(crash);
    const int64_t steps = 20 + Pick(200);
    for (int64_t i = 0; i < steps && !HasFatalFailure(); ++i) Step();
    const uint64_t flushed = Crash();
    ASSERT_OK(Recover());
    ASSERT_GE(index_.value(), flushed);
    const auto checkpoint = checkpoints_.find(index_.value());
    ASSERT_NE(checkpoint, checkpoints_.end());
    model_ = checkpoint->second;
    checkpoints_.erase(std::next(checkpoint), checkpoints_.end());
    ASSERT_NO_FATAL_FAILURE(CheckAgainst(model_));
  }
}
INSTANTIATE_TEST_SUITE_P(Seeds, StoreCrashTest, ::testing::Range(1, 17));

// The control: on a disk that lies about syncing, the same check must fail.
class StoreCrashControlTest : public StoreCrashTest {};

TEST_P(StoreCrashControlTest, LossIsNoticedWhenSyncDoesNothing) {
  env_.SetSyncIsNoop(true);
  for (int i = 0; i < 20; ++i) Transaction();
  CommitBatch();
  ASSERT_OK(store_->backend().Flush());
  const uint64_t flushed = Crash();
  const Status recovered = Recover();
  EXPECT_TRUE(!recovered.ok() || index_.value() < flushed);
}
INSTANTIATE_TEST_SUITE_P(Seeds, StoreCrashControlTest, ::testing::Range(1, 4));

}  // namespace
}  // namespace kvorum::mvcc
