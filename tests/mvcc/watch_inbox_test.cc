#include "mvcc/watch_inbox.h"

#include <gtest/gtest.h>

#include <thread>

namespace kvorum::mvcc {
namespace {

EventBatch BatchAt(int64_t revision) { return {.revision = Revision(revision)}; }

TEST(WatchInboxTest, BatchesAreThereBeforeTheyAreFlushed) {
  WatchInbox inbox(1 << 20);
  inbox.PushBatch(BatchAt(2));
  inbox.PushBatch(BatchAt(3));
  inbox.Wait(TimePoint::max());  // returns at once
  EXPECT_EQ(inbox.Take().inputs.size(), 2);
  EXPECT_TRUE(inbox.Take().empty());
}

// Would not end if the flush woke nobody.
TEST(WatchInboxTest, FlushWakesWhoWaits) {
  WatchInbox inbox(1 << 20);
  std::thread stage([&] { inbox.Wait(TimePoint::max()); });
  inbox.PushBatch(BatchAt(2));
  inbox.Flush();
  stage.join();
}

}  // namespace
}  // namespace kvorum::mvcc
