// One writer, readers on other threads, a compactor: readers see transactions whole, and pinned
// revisions stand still. Run under ThreadSanitizer too.
#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <functional>
#include <thread>
#include <vector>

#include "base/random.h"
#include "mvcc/compaction.h"
#include "tests/mvcc/store_fixture.h"

namespace kvorum::mvcc {
namespace {

constexpr int kPairs = 40;

class StoreConcurrencyTest : public StoreTest {
 protected:
  StoreConcurrencyTest() {
    options_.value_cache_bytes = 16 << 10;  // some rows are cached, some not
    Reopen();
    for (int i = 0; i < kPairs; ++i) WritePair(i, 0);
  }
  ~StoreConcurrencyTest() override {
    stop_ = true;
    for (std::thread& thread : threads_) thread.join();
  }

  static std::string Left(int i) { return "left" + std::to_string(i); }
  static std::string Right(int i) { return "right" + std::to_string(i); }

  // Both keys of a pair always have equal values.
  void WritePair(int i, int n) {
    const std::string value = std::to_string(n) + std::string(100, 'x');
    WriteTxn txn = store_->Begin();
    if (n % 7 == 6) {
      ASSERT_OK(txn.DeleteRange({Left(i)}));
      ASSERT_OK(txn.DeleteRange({Right(i)}));
    } else {
      txn.Put(Left(i), value, LeaseId(0));
      txn.Put(Right(i), value, LeaseId(0));
    }
    txn.End();
  }
  void Run(std::function<void(Random&)> step) {
    threads_.emplace_back([this, step = std::move(step), seed = threads_.size()] {
      const auto random = NewSeededRandom(seed);
      while (!stop_ && !HasFailure()) step(*random);
    });
  }

  // The pairs of `result` must be complete and equal.
  static void CheckPairs(const RangeResult& result) {
    std::map<std::string, std::string, std::less<>> values;
    for (const Row& row : result.rows) {
      const auto kv = KeyValueView::Parse(row.bytes.view());
      ASSERT_TRUE(kv);
      values.emplace(kv->key, kv->value);
    }
    ASSERT_EQ(result.count, static_cast<int64_t>(values.size()));
    ASSERT_EQ(values.size() % 2, 0u);
    for (int i = 0; i < kPairs; ++i) {
      const auto left = values.find(Left(i));
      const auto right = values.find(Right(i));
      ASSERT_EQ(left == values.end(), right == values.end());
      if (left != values.end()) {
        ASSERT_EQ(left->second, right->second);
      }
    }
  }

  std::atomic<bool> stop_ = false;
  std::vector<std::thread> threads_;
};

TEST_F(StoreConcurrencyTest, ReadersSeeTransactionsWhole) {
  Run([this](Random&) {
    const auto result = store_->Range({kFirstKey, kToTheEnd});
    ASSERT_OK(result);
    CheckPairs(*result);
  });
  Run([this](Random& random) {
    // A pinned revision read twice is the same. (0 or less would mean the current one.)
    const Revision at(std::max<int64_t>(
        1, store_->current_revision().value() - static_cast<int64_t>(random.Uniform(50))));
    const auto first = store_->Range({kFirstKey, kToTheEnd}, {.revision = at});
    const auto second = store_->Range({kFirstKey, kToTheEnd}, {.revision = at});
    ASSERT_OK(first);
    ASSERT_OK(second);
    if (first->error == Error::kNone) CheckPairs(*first);
    if (second->error == Error::kNone) {
      ASSERT_EQ(Text(*first), Text(*second));
    }
  });
  Run([this](Random&) {
    const Revision last = store_->current_revision();
    const Revision first = std::max(last - 20, kFirstRevision);
    const auto events = store_->ReadEvents(first, last, 1 << 20);
    ASSERT_OK(events);
    if (events->error != Error::kNone) return;
    Revision expected = first;
    for (const EventBatch& batch : events->batches) {
      if (batch.revision > store_->compacted_revision()) {
        ASSERT_GE(batch.revision, expected);
      }
      expected = batch.revision + 1;
      if (batch.revision == Revision(1)) continue;
      ASSERT_EQ(batch.events.size() % 2, 0u);
    }
    ASSERT_OK(store_->HashKv(Revision(0)));
  });
  // Whatever a compaction is doing, nothing that is logically there may seem to be missing.
  Run([this](Random&) {
    ASSERT_OK(store_->HashKv(Revision(0)));
    ASSERT_OK(store_->Hash());
  });
  Run([this](Random& random) {
    static thread_local Compactor compactor(*store_, SystemClock());
    const auto progress = compactor.Step();
    ASSERT_OK(progress);
    if (random.Uniform(8) == 0) {
      ASSERT_OK(compactor.DefragmentStep());
    }
    if (*progress != Compactor::Progress::kMore) std::this_thread::yield();
  });
  for (int n = 1; n < 300 && !HasFailure(); ++n) {
    for (int i = 0; i < kPairs; ++i) WritePair(i, n);
    if (n % 2 == 0) Commit();
    if (n % 10 == 0) {
      (void)store_->Compact(store_->current_revision() - 30);
      ASSERT_OK(store_->backend().RequestFlush());
    }
  }
}

}  // namespace
}  // namespace kvorum::mvcc
