// History, compaction, slow consumers, overflow of the event queue, store exchange.

#include <gmock/gmock.h>

#include "tests/mvcc/watch_fixture.h"

namespace kvorum::mvcc {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

class WatchCatchUpTest : public WatchTest {
 protected:
  void PutMany(const std::string& key, int n) {
    for (int i = 0; i < n; ++i) Put(key, std::to_string(i));
  }
};

TEST_F(WatchCatchUpTest, HistoryComesInOneResponseBehindTheCreatedAnswer) {
  Put("a", "1");
  Put("b", "1");
  Write({{"a", "2"}, {"b", "2"}});
  Watch({.key = "a", .start_revision = Revision(1)});
  ASSERT_EQ(rest_.size(), 1u);
  EXPECT_EQ(rest_[0].revision, Revision(4));
  EXPECT_THAT(Describe(rest_[0].events), ElementsAre("put a=1 @2", "put a=2 @4"));
  Put("a", "3");
  EXPECT_THAT(Describe(TakeOne().events), ElementsAre("put a=3 @5"));
}

TEST_F(WatchCatchUpTest, ResponseHoldsAtMostAThousandRevisions) {
  PutMany("a", 2500);
  Watch({.key = "a", .start_revision = Revision(1)});
  ASSERT_EQ(rest_.size(), 3u);
  EXPECT_EQ(rest_[0].events.size(), 1000u);
  EXPECT_EQ(rest_[1].events.size(), 1000u);
  EXPECT_EQ(rest_[2].events.size(), 500u);
  EXPECT_EQ(Describe(rest_[1].events[0]), "put a=1000 @1002");
}

TEST_F(WatchCatchUpTest, RevisionIsNotCutByTheLimit) {
  PutMany("x", 998);
  for (int i = 0; i < 3; ++i) Write({{"a", "1"}, {"b", "1"}, {"x", "1"}});
  Watch({.key = "a", .range_end = "z", .start_revision = Revision(1)});
  ASSERT_EQ(rest_.size(), 2u);
  EXPECT_EQ(rest_[0].events.size(), 998u + 6);
  EXPECT_EQ(rest_[1].events.size(), 3u);
}

TEST_F(WatchCatchUpTest, WatchersShareAScan) {
  PutMany("a", 10);
  for (int i = 0; i < 500; ++i) stream_->Create({.key = "a", .start_revision = Revision(2)});
  sink_.set_capacity(10000);
  EXPECT_EQ(Take().size(), 1000u);
  EXPECT_EQ(store_->reads(), 1);
  for (int i = 0; i < 600; ++i) stream_->Create({.key = "a", .start_revision = Revision(2)});
  EXPECT_EQ(Take().size(), 1200u);
  EXPECT_EQ(store_->reads(), 3);
}

TEST_F(WatchCatchUpTest, ScanInPiecesReachesEveryone) {
  PutMany("a", 100);
  store_->set_rows_per_read(7);
  stream_->Create({.key = "a", .start_revision = Revision(50), .watch_id = 1});
  stream_->Create({.key = "a", .start_revision = Revision(2), .watch_id = 2});
  std::map<int64_t, size_t> events;
  for (const WatchResponse& r : Take()) events[r.watch_id] += r.events.size();
  EXPECT_EQ(events[1], 52u);
  EXPECT_EQ(events[2], 100u);
  EXPECT_EQ(stage_->stats().slow_watchers, 0);
}

TEST_F(WatchCatchUpTest, StartBelowTheCompactedRevisionIsCancelled) {
  PutMany("a", 5);
  Compact(4);
  const int64_t id = Watch({.key = "a", .start_revision = Revision(3)});
  ASSERT_EQ(rest_.size(), 1u);
  EXPECT_TRUE(rest_[0].canceled);
  EXPECT_FALSE(rest_[0].created);
  EXPECT_EQ(rest_[0].watch_id, id);
  EXPECT_EQ(rest_[0].compact_revision, Revision(4));
  EXPECT_EQ(rest_[0].revision, Revision(0));
  EXPECT_EQ(rest_[0].cancel_reason, "");
  EXPECT_THAT(rest_[0].events, IsEmpty());
}

TEST_F(WatchCatchUpTest, StartAtTheCompactedRevisionIsServed) {
  PutMany("a", 5);
  Compact(4);
  Watch({.key = "a", .start_revision = Revision(4)});
  ASSERT_EQ(rest_.size(), 1u);
  EXPECT_EQ(Describe(rest_[0].events[0]), "put a=2 @4");
}

TEST_F(WatchCatchUpTest, IdOfACompactedWatchStaysTakenUntilCancelled) {
  PutMany("a", 5);
  Compact(4);
  Watch({.key = "a", .start_revision = Revision(2), .watch_id = 9});
  stream_->Create({.key = "a", .watch_id = 9});
  EXPECT_EQ(TakeOne().watch_id, kInvalidWatchId);
  stream_->Cancel(9);
  EXPECT_TRUE(TakeOne().canceled);
  EXPECT_EQ(Watch({.key = "a", .watch_id = 9}), 9);
}

TEST_F(WatchCatchUpTest, CancelByCompactionWaitsForRoom) {
  PutMany("a", 5);
  Compact(4);
  sink_.set_capacity(0);
  stream_->Create({.key = "a", .start_revision = Revision(2)});
  EXPECT_TRUE(TakeOne().created);
  sink_.set_capacity(10);
  stream_->OnRoom();
  EXPECT_EQ(TakeOne().compact_revision, Revision(4));
}

TEST_F(WatchCatchUpTest, SyncedWatchSurvivesACompactionThatIsAheadOfTheStage) {
  Watch({.key = "a"});
  // The store runs ahead: writes and a compaction above them before the stage gets a turn.
  PutMany("a", 3);
  Compact(4);
  EXPECT_EQ(stage_->compacted_revision(), kNeverCompacted);
  EXPECT_EQ(Take().size(), 3u);
  EXPECT_EQ(stage_->compacted_revision(), Revision(4));
}

TEST_F(WatchCatchUpTest, RefusedBatchIsSentWhenThereIsRoom) {
  Watch({.key = "a"});
  sink_.set_capacity(1);
  PutMany("a", 3);
  EXPECT_EQ(Describe(TakeOne().events[0]), "put a=0 @2");
  EXPECT_EQ(stage_->stats().slow_watchers, 1);
  EXPECT_THAT(Take(), IsEmpty()) << "nothing before the sink says so";
  stream_->OnRoom();
  WatchResponse r = TakeOne();
  EXPECT_EQ(r.revision, Revision(3)) << "what this watch has seen by now";
  EXPECT_THAT(Describe(r.events), ElementsAre("put a=1 @3"));
  stream_->OnRoom();
  EXPECT_THAT(Describe(TakeOne().events), ElementsAre("put a=2 @4"));
  EXPECT_EQ(stage_->stats().slow_watchers, 0);
}

TEST_F(WatchCatchUpTest, VictimThatMissedNothingIsSyncedAgain) {
  Watch({.key = "a"});
  sink_.set_capacity(0);
  Put("a", "1");
  Run();
  sink_.set_capacity(10);
  stream_->OnRoom();
  EXPECT_EQ(Take().size(), 1u);
  Put("a", "2");
  EXPECT_EQ(Take().size(), 1u);
  EXPECT_EQ(store_->reads(), 0);
}

TEST_F(WatchCatchUpTest, SlowStreamDoesNotHoldUpAnother) {
  FakeSink other_sink;
  WatchStream* other = OpenStream(&other_sink);
  other->Create({.key = "a"});
  Watch({.key = "a"});
  sink_.set_capacity(0);
  PutMany("a", 10);
  EXPECT_EQ(Take(other_sink).size(), 11u);
}

TEST_F(WatchCatchUpTest, FullStreamIsNotReadFor) {
  PutMany("a", 10);
  sink_.set_capacity(0);
  for (int i = 0; i < 3; ++i) stream_->Create({.key = "a", .start_revision = Revision(2)});
  Run();
  stream_->Create({.key = "a", .start_revision = Revision(2)});
  Take();
  EXPECT_EQ(store_->reads(), 1) << "the fourth waits without a scan";
  sink_.set_capacity(10);
  stream_->OnRoom();
  EXPECT_EQ(Take().size(), 4u);
}

TEST_F(WatchCatchUpTest, SlowWatchMayBeCompactedAway) {
  Watch({.key = "a"});
  sink_.set_capacity(0);
  PutMany("a", 5);
  Compact(6);
  Run();
  sink_.set_capacity(10);
  stream_->OnRoom();
  const std::vector<WatchResponse> all = Take();
  ASSERT_EQ(all.size(), 2u);
  EXPECT_EQ(Describe(all[0].events[0]), "put a=0 @2");
  EXPECT_EQ(all[1].compact_revision, Revision(6));
}

TEST_F(WatchCatchUpTest, CancelledVictimIsForgotten) {
  const int64_t id = Watch({.key = "a"});
  sink_.set_capacity(0);
  Put("a", "1");
  Run();
  stream_->Cancel(id);
  EXPECT_TRUE(TakeOne().canceled);
  sink_.set_capacity(10);
  stream_->OnRoom();
  EXPECT_THAT(Take(), IsEmpty());
  EXPECT_EQ(stage_->stats().slow_watchers, 0);
}

TEST_F(WatchCatchUpTest, ClosedStreamWithVictimsIsForgotten) {
  Watch({.key = "a"});
  Watch({.key = "a", .start_revision = Revision(1)});
  sink_.set_capacity(0);
  Put("a", "1");
  Run();
  streams_.clear();
  Run();
  EXPECT_EQ(stage_->stats().slow_watchers, 0);
  EXPECT_EQ(stage_->stats().watchers, 0);
}

TEST_F(WatchCatchUpTest, DroppedBatchesAreReadBack) {
  MakeStage({.event_queue_bytes = 1000});
  Watch({.key = "a"});
  PutMany("a", 50);
  EXPECT_GT(stage_->stats().batches_dropped, 30);
  store_->set_rows_per_read(7);
  const std::vector<WatchResponse> all = Take();
  ASSERT_EQ(all.size(), 50u) << "still one response a revision";
  for (size_t i = 0; i < all.size(); ++i) EXPECT_EQ(all[i].revision.value(), int64_t(i) + 2);
  EXPECT_EQ(stage_->delivered_revision(), Revision(51));
  Put("a", "x");
  EXPECT_THAT(Describe(TakeOne().events), ElementsAre("put a=x @52"));
}

TEST_F(WatchCatchUpTest, CompactionWaitsForDroppedBatches) {
  MakeStage({.event_queue_bytes = 1000});
  Watch({.key = "a"});
  PutMany("a", 50);
  Compact(40);
  ASSERT_TRUE(stage_->Step(now_).ok());
  EXPECT_EQ(stage_->compacted_revision(), kNeverCompacted);
  EXPECT_EQ(Take().size(), 50u);
  EXPECT_EQ(stage_->compacted_revision(), Revision(40));
}

TEST_F(WatchCatchUpTest, ExchangedStoreIsReadFromWhereTheWatchStands) {
  Watch({.key = "a", .watch_id = 1});
  Watch({.key = "a", .start_revision = Revision(9), .watch_id = 2});
  Put("a", "1");
  Take();
  auto installed = std::make_shared<ModelSource>();
  for (int i = 1; i <= 5; ++i) installed->Write({{"a", std::to_string(i)}});
  store_ = installed;
  stage_->Attach(store_);
  const WatchResponse r = TakeOne();
  EXPECT_EQ(r.watch_id, 1);
  EXPECT_EQ(r.events.size(), 4u);
  EXPECT_EQ(Describe(r.events[0]), "put a=2 @3");
  PutMany("a", 3);
  EXPECT_EQ(Take().size(), 4u) << "three to the first, one to the future watch";
}

TEST_F(WatchCatchUpTest, StepDoesABoundedPieceOfWork) {
  sink_.set_capacity(100000);
  Watch({.key = "a"});
  PutMany("a", 10000);
  ASSERT_TRUE(stage_->Step(now_).ok());
  EXPECT_LE(stage_->delivered_revision().value(), 2002);
  EXPECT_EQ(Take().size(), 10000u);
}

}  // namespace
}  // namespace kvorum::mvcc
