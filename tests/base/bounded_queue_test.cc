#include "base/bounded_queue.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <thread>

namespace kvorum {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

TEST(BoundedQueueTest, HandsOutEverythingInOrder) {
  BoundedQueue<int> queue(10);
  EXPECT_TRUE(queue.TryPush(1));
  EXPECT_TRUE(queue.TryPush(2));
  EXPECT_TRUE(queue.Push(3));
  EXPECT_THAT(queue.PopAll(), ElementsAre(1, 2, 3));
  EXPECT_THAT(queue.TryPopAll(), IsEmpty());
}

TEST(BoundedQueueTest, RefusedItemStaysWithTheCaller) {
  BoundedQueue<std::unique_ptr<int>> queue(1);
  EXPECT_TRUE(queue.TryPush(std::make_unique<int>(1)));
  auto second = std::make_unique<int>(2);
  EXPECT_FALSE(queue.TryPush(std::move(second)));
  // NOLINTBEGIN(bugprone-use-after-move): that it was not moved is the promise
  ASSERT_NE(second, nullptr);
  EXPECT_EQ(*second, 2);
  // NOLINTEND(bugprone-use-after-move)
}

TEST(BoundedQueueTest, CostsAddUpToTheCapacityAndAreFreedTogether) {
  BoundedQueue<std::string> queue(100);
  EXPECT_TRUE(queue.TryPush("a", 60));
  EXPECT_TRUE(queue.TryPush("b", 40));
  EXPECT_FALSE(queue.TryPush("c", 1));
  EXPECT_EQ(queue.cost(), 100);
  EXPECT_THAT(queue.PopAll(), ElementsAre("a", "b"));
  EXPECT_EQ(queue.cost(), 0);
  EXPECT_TRUE(queue.TryPush("c", 1));
}

TEST(BoundedQueueTest, ItemLargerThanTheCapacityGoesIntoAnEmptyQueueOnly) {
  BoundedQueue<int> queue(10);
  EXPECT_TRUE(queue.TryPush(1, 50));
  EXPECT_FALSE(queue.TryPush(2, 1));
  queue.TryPopAll();
  EXPECT_TRUE(queue.TryPush(3, 1));
  EXPECT_FALSE(queue.TryPush(4, 50));
}

TEST(BoundedQueueTest, PushIgnoresTheBound) {
  BoundedQueue<int> queue(1);
  EXPECT_TRUE(queue.TryPush(1));
  EXPECT_TRUE(queue.Push(2));
  EXPECT_THAT(queue.PopAll(), ElementsAre(1, 2));
}

TEST(BoundedQueueTest, CloseRefusesPushesAndHandsOutTheRest) {
  BoundedQueue<int> queue(10);
  EXPECT_TRUE(queue.TryPush(1));
  queue.Close();
  EXPECT_TRUE(queue.closed());
  EXPECT_FALSE(queue.TryPush(2));
  EXPECT_FALSE(queue.Push(3));
  EXPECT_THAT(queue.PopAll(), ElementsAre(1));
  EXPECT_THAT(queue.PopAll(), IsEmpty());
}

TEST(BoundedQueueTest, WakeEndsTheNextPopOnce) {
  BoundedQueue<int> queue(10);
  queue.Wake();
  EXPECT_THAT(queue.PopAll(), IsEmpty());
  queue.Push(1);
  EXPECT_THAT(queue.PopAll(), ElementsAre(1));
}

TEST(BoundedQueueTest, DeadlineInThePastReturnsAtOnce) {
  BoundedQueue<int> queue(10);
  EXPECT_THAT(queue.PopAll(SystemClock().Now()), IsEmpty());
}

TEST(BoundedQueueTest, TheEarliestDeadlineThereIsReturnsAtOnceToo) {
  BoundedQueue<int> queue(10);
  EXPECT_TRUE(queue.PopAll(TimePoint::min()).empty());
}

TEST(BoundedQueueTest, ConsumerWaitsForAPush) {
  BoundedQueue<int> queue(10);
  std::thread producer([&] { queue.Push(7); });
  EXPECT_THAT(queue.PopAll(), ElementsAre(7));
  producer.join();
}

TEST(BoundedQueueTest, NothingIsLostOrReorderedBetweenSeveralProducersAndTheConsumer) {
  constexpr int kProducers = 3;
  constexpr int kItems = 2000;
  BoundedQueue<std::pair<int, int>> queue(16);
  std::vector<std::thread> producers;
  for (int p = 0; p < kProducers; ++p) {
    producers.emplace_back([&queue, p] {
      for (int i = 0; i < kItems; ++i) {
        while (!queue.TryPush({p, i})) std::this_thread::yield();
      }
    });
  }
  int next[kProducers] = {};
  for (int taken = 0; taken < kProducers * kItems;) {
    for (const auto& [producer, item] : queue.PopAll()) {
      EXPECT_EQ(item, next[producer]++);
      ++taken;
    }
  }
  for (std::thread& producer : producers) producer.join();
}

}  // namespace
}  // namespace kvorum
