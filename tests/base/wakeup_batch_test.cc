#include "base/wakeup_batch.h"

#include <gtest/gtest.h>

#include <thread>

#include "base/bounded_queue.h"

namespace kvorum {
namespace {

struct CountingTarget final : public WakeupBatch::Target {
  void WakeIfFilled() override { ++woken; }
  int woken = 0;
};

TEST(WakeupBatchTest, WakesEachTargetOnceForMany) {
  CountingTarget first, second;
  WakeupBatch batch;
  EXPECT_TRUE(batch.empty());
  EXPECT_TRUE(WakeupBatch::Add(&first));
  EXPECT_TRUE(WakeupBatch::Add(&second));
  EXPECT_TRUE(WakeupBatch::Add(&first));
  EXPECT_FALSE(batch.empty());
  EXPECT_EQ(first.woken, 0);
  batch.Flush();
  EXPECT_TRUE(batch.empty());
  batch.Flush();
  EXPECT_EQ(first.woken, 1);
  EXPECT_EQ(second.woken, 1);
}

TEST(WakeupBatchTest, EndOfABatchWakesWhatItHolds) {
  CountingTarget target;
  {
    WakeupBatch batch;
    EXPECT_TRUE(WakeupBatch::Add(&target));
  }
  EXPECT_EQ(target.woken, 1);
}

TEST(WakeupBatchTest, WithoutABatchNothingIsPutOff) {
  CountingTarget target;
  EXPECT_FALSE(WakeupBatch::Add(&target));
  { WakeupBatch batch; }
  EXPECT_FALSE(WakeupBatch::Add(&target));
  WakeupBatch batch;
  std::thread([&] { EXPECT_FALSE(WakeupBatch::Add(&target)); }).join();
}

// Would not end if the push after the one that was put off found nothing to do.
TEST(WakeupBatchTest, ConsumerIsWokenByTheFirstPushThatMayNotWait) {
  BoundedQueue<int> queue(10);
  int taken = 0;
  std::thread consumer([&] {
    while (taken < 2) taken += static_cast<int>(queue.PopAll().size());
  });
  {
    WakeupBatch batch;
    EXPECT_TRUE(queue.TryPush(1, 1, Wakeup::kMayWait));
    EXPECT_TRUE(queue.TryPush(2));
    consumer.join();
  }
}

TEST(WakeupBatchTest, ConsumerIsWokenByTheFlush) {
  BoundedQueue<int> queue(10);
  std::thread consumer([&] {
    while (queue.PopAll().empty()) {
    }
  });
  WakeupBatch batch;
  EXPECT_TRUE(queue.TryPush(1, 1, Wakeup::kMayWait));
  batch.Flush();
  consumer.join();
}

TEST(WakeupBatchTest, PushWithoutABatchWakesTheConsumerWhateverItAllows) {
  BoundedQueue<int> queue(10);
  std::thread consumer([&] {
    while (queue.PopAll().empty()) {
    }
  });
  EXPECT_TRUE(queue.TryPush(1, 1, Wakeup::kMayWait));
  consumer.join();
}

}  // namespace
}  // namespace kvorum
