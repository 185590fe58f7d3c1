#include "api/grpc/queue.h"

#include <absl/synchronization/notification.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "api/grpc/task.h"

namespace kvorum::api {
namespace {

using testing::ElementsAre;

class CallQueueTest : public testing::Test {
 protected:
  void SetUp() override { queue_.Start(); }

  // Each of these adds its name when it goes on; the polling thread's.
  Detached Posted(std::string name) {
    const CallQueue::Hold hold(&queue_);
    co_await queue_.Switch();
    resumed_.push_back(name);
  }
  Detached Behind(std::string name, absl::Notification* done) {
    const CallQueue::Hold hold(&queue_);
    co_await queue_.Switch();
    Posted("posted before " + name);  // at hand at once
    co_await queue_.Behind();
    resumed_.push_back(name);
    done->Notify();
  }
  // While completions come one after the other, without end.
  Detached Busy(const absl::Notification* stop) {
    const CallQueue::Hold hold(&queue_);
    while (!stop->HasBeenNotified()) co_await queue_.Switch();
  }

  CallQueue queue_{NewNonPollingQueue(), {"queue-test", 0}};
  std::vector<std::string> resumed_;
};

TEST_F(CallQueueTest, BehindGoesOnAfterWhatIsAtHand) {
  absl::Notification done;
  Behind("a", &done);
  done.WaitForNotification();
  queue_.Finish();
  EXPECT_THAT(resumed_, ElementsAre("posted before a", "a"));
}

TEST_F(CallQueueTest, BehindGoesOnThoughThereIsAlwaysMore) {
  absl::Notification done;
  Busy(&done);
  Behind("a", &done);
  done.WaitForNotification();
  queue_.Finish();
  EXPECT_THAT(resumed_, ElementsAre("posted before a", "a"));
}

}  // namespace
}  // namespace kvorum::api
