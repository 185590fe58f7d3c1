// Progress: on request and by ticker.

#include <gmock/gmock.h>

#include "tests/mvcc/watch_fixture.h"

namespace kvorum::mvcc {
namespace {

using ::testing::IsEmpty;

class WatchProgressTest : public WatchTest {
 protected:
  std::vector<WatchResponse> RequestProgress() {
    stream_->RequestProgress();
    return Take();
  }
};

TEST_F(WatchProgressTest, AnswersForAllSyncedWatches) {
  Watch({.key = "a"});
  Watch({.key = "b", .start_revision = Revision(1)});
  Put("x", "1");
  const std::vector<WatchResponse> all = RequestProgress();
  ASSERT_EQ(all.size(), 1u);
  EXPECT_EQ(all[0].watch_id, kInvalidWatchId);
  EXPECT_EQ(all[0].revision, Revision(2));
  EXPECT_THAT(all[0].events, IsEmpty());
  EXPECT_FALSE(all[0].created || all[0].canceled);
}

TEST_F(WatchProgressTest, ComesBehindTheEventsItCovers) {
  Watch({.key = "a"});
  Put("a", "1");
  const std::vector<WatchResponse> all = RequestProgress();
  ASSERT_EQ(all.size(), 2u);
  EXPECT_EQ(all[0].events.size(), 1u);
  EXPECT_EQ(all[1].revision, Revision(2));
}

TEST_F(WatchProgressTest, NoAnswerWithoutWatches) {
  EXPECT_THAT(RequestProgress(), IsEmpty());
  EXPECT_EQ(sink_.answers(), 1);
}

TEST_F(WatchProgressTest, NoAnswerForAFutureWatch) {
  Watch({.key = "a", .start_revision = Revision(3)});
  Put("x", "1");
  EXPECT_THAT(RequestProgress(), IsEmpty());
  Put("x", "2");
  EXPECT_EQ(RequestProgress().size(), 1u);
}

TEST_F(WatchProgressTest, NoAnswerWhileOneIsSlow) {
  Watch({.key = "a"});
  sink_.set_capacity(0);
  Put("a", "1");
  EXPECT_THAT(RequestProgress(), IsEmpty());
}

TEST_F(WatchProgressTest, NoAnswerBelowTheCreatedHeader) {
  const EventBatch late = store_->Write({{"x", "1"}});
  Watch({.key = "a"});
  EXPECT_THAT(RequestProgress(), IsEmpty()) << "revision 2 is visible but not delivered";
  stage_->Publish(late);
  EXPECT_EQ(RequestProgress().size(), 1u);
}

TEST_F(WatchProgressTest, CompactedWatchBlocksItUntilCancelled) {
  Put("a", "1");
  Put("a", "2");
  Compact(3);
  Watch({.key = "a"});
  Watch({.key = "a", .start_revision = Revision(2), .watch_id = 5});
  EXPECT_THAT(RequestProgress(), IsEmpty());
  stream_->Cancel(5);
  Take();
  EXPECT_EQ(RequestProgress().size(), 1u);
}

TEST_F(WatchProgressTest, TickSpeaksForQuietWatchesThatAskedForIt) {
  const int64_t quiet = Watch({.key = "a", .progress_notify = true});
  Watch({.key = "b", .progress_notify = true});
  Watch({.key = "c"});
  Put("b", "1");
  Take();
  Advance(std::chrono::minutes(11));
  std::vector<WatchResponse> all = Take();
  ASSERT_EQ(all.size(), 1u);
  EXPECT_EQ(all[0].watch_id, quiet);
  EXPECT_EQ(all[0].revision, Revision(2));
  Advance(std::chrono::minutes(11));
  EXPECT_EQ(Take().size(), 2u) << "b was quiet this time";
}

TEST_F(WatchProgressTest, TickComesAfterTheIntervalPlusUpToATenth) {
  Watch({.key = "a", .progress_notify = true});
  Advance(std::chrono::minutes(10) - std::chrono::nanoseconds(1));
  EXPECT_THAT(Take(), IsEmpty());
  Advance(std::chrono::minutes(1) + std::chrono::nanoseconds(1));
  EXPECT_EQ(Take().size(), 1u);
}

TEST_F(WatchProgressTest, StepTellsWhenTheNextTickIs) {
  Run();
  const TimePoint next = *stage_->Step(now_);
  EXPECT_GE(next - now_, std::chrono::minutes(10));
  EXPECT_LE(next - now_, std::chrono::minutes(11));
}

TEST_F(WatchProgressTest, TickIsSilentForSlowAndFutureWatches) {
  Watch({.key = "a", .start_revision = Revision(100), .progress_notify = true});
  Watch({.key = "b", .progress_notify = true});
  sink_.set_capacity(0);
  Put("b", "1");
  Run();
  Advance(std::chrono::minutes(11));
  EXPECT_THAT(Take(), IsEmpty());
}

TEST_F(WatchProgressTest, FullQueueDropsTheTick) {
  Watch({.key = "a", .progress_notify = true});
  sink_.set_capacity(0);
  Advance(std::chrono::minutes(11));
  sink_.set_capacity(10);
  stream_->OnRoom();
  EXPECT_THAT(Take(), IsEmpty());
}

}  // namespace
}  // namespace kvorum::mvcc
