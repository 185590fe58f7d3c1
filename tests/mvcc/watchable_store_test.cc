// Requests, synced delivery, filters, previous values and stream life.

#include "mvcc/watchable_store.h"

#include <gmock/gmock.h>

#include <thread>

#include "tests/mvcc/watch_fixture.h"

namespace kvorum::mvcc {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

TEST_F(WatchTest, CreatedAnswerCarriesTheStoresRevision) {
  Put("a", "1");
  stream_->Create({.key = "a"});
  const WatchResponse created = TakeOne();
  EXPECT_TRUE(created.created);
  EXPECT_FALSE(created.canceled);
  EXPECT_EQ(created.watch_id, 0);
  EXPECT_EQ(created.revision, Revision(2));
}

TEST_F(WatchTest, WatchFromNowStartsBehindWhatIsVisible) {
  // Visible, but still on its way to the stage.
  const EventBatch late = store_->Write({{"a", "1"}});
  stream_->Create({.key = "a"});
  EXPECT_EQ(TakeOne().revision, Revision(2));
  stage_->Publish(late);
  EXPECT_THAT(Take(), IsEmpty());
  Put("a", "2");
  EXPECT_THAT(Describe(TakeOne().events), ElementsAre("put a=2 @3"));
}

TEST_F(WatchTest, OneResponseForEachRevision) {
  Watch({.key = "a", .range_end = "c"});
  Write({{"a", "1"}, {"b", "1"}, {"c", "1"}});
  Put("b", "2");
  const std::vector<WatchResponse> all = Take();
  ASSERT_EQ(all.size(), 2u);
  EXPECT_EQ(all[0].revision, Revision(2));
  EXPECT_THAT(Describe(all[0].events), ElementsAre("put a=1 @2", "put b=1 @2"));
  EXPECT_EQ(all[1].revision, Revision(3));
  EXPECT_THAT(Describe(all[1].events), ElementsAre("put b=2 @3"));
}

TEST_F(WatchTest, DeleteEventHasOnlyKeyAndRevision) {
  Put("a", "1");
  Watch({.key = "a"});
  Delete("a");
  const WatchResponse response = TakeOne();
  ASSERT_EQ(response.events.size(), 1u);
  EXPECT_TRUE(response.events[0].is_delete);
  const KeyValueView kv = *KeyValueView::Parse(response.events[0].kv.view());
  EXPECT_EQ(kv.key, "a");
  EXPECT_EQ(kv.mod_revision, Revision(3));
  EXPECT_EQ(kv.version, 0);
  EXPECT_EQ(kv.create_revision, Revision(0));
}

TEST_F(WatchTest, EmptyKeyIsTheZeroByte) {
  Watch({.key = ""});
  Watch({.key = "", .range_end = std::string(1, '\0')});
  Put("x", "1");
  Put(std::string(1, '\0'), "2");
  const std::vector<WatchResponse> all = Take();
  ASSERT_EQ(all.size(), 3u);
  EXPECT_EQ(all[0].watch_id, 1);
  EXPECT_EQ(all[1].watch_id + all[2].watch_id, 1);
}

TEST_F(WatchTest, FutureWatchDeliversFromItsStart) {
  Watch({.key = "a", .start_revision = Revision(4)});
  Put("a", "2");
  Put("a", "3");
  Put("a", "4");
  EXPECT_THAT(Describe(TakeOne().events), ElementsAre("put a=4 @4"));
}

TEST_F(WatchTest, NegativeStartIsRefusedAsCompacted) {
  stream_->Create({.key = "a", .start_revision = Revision(-1)});
  const WatchResponse r = TakeOne();
  EXPECT_TRUE(r.created && r.canceled);
  EXPECT_EQ(r.watch_id, -1);
  EXPECT_EQ(r.revision, Revision(1));
  EXPECT_EQ(r.compact_revision, Revision(0));
  EXPECT_EQ(r.cancel_reason, "etcdserver: mvcc: required revision has been compacted");
}

TEST_F(WatchTest, EmptyRangeIsRefused) {
  stream_->Create({.key = "b", .range_end = "b"});
  EXPECT_EQ(TakeOne().cancel_reason, "mvcc: watcher range is empty");
  stream_->Create({.key = "b", .range_end = "a"});
  EXPECT_EQ(TakeOne().cancel_reason, "mvcc: watcher range is empty");
}

TEST_F(WatchTest, UsedIdIsRefused) {
  EXPECT_EQ(Watch({.key = "a", .watch_id = 7}), 7);
  stream_->Create({.key = "a", .watch_id = 7});
  const WatchResponse r = TakeOne();
  EXPECT_EQ(r.watch_id, -1);
  EXPECT_EQ(r.cancel_reason, "mvcc: duplicate watch ID provided on the WatchStream");
}

TEST_F(WatchTest, ChosenIdsCountUpAndSkipUsedOnes) {
  EXPECT_EQ(Watch({.key = "a", .watch_id = 1}), 1);
  EXPECT_EQ(Watch({.key = "a"}), 0);
  EXPECT_EQ(Watch({.key = "a"}), 2);
  stream_->Cancel(0);
  Take();
  EXPECT_EQ(Watch({.key = "a"}), 3);
}

TEST_F(WatchTest, IdsAreOfOneStream) {
  FakeSink other_sink;
  WatchStream* other = OpenStream(&other_sink);
  Watch({.key = "a", .watch_id = 7});
  other->Create({.key = "a", .watch_id = 7});
  const std::vector<WatchResponse> got = Take(other_sink);
  ASSERT_EQ(got.size(), 1u);
  EXPECT_FALSE(got[0].canceled);
}

TEST_F(WatchTest, CancelledWatchGetsNothingMore) {
  const int64_t id = Watch({.key = "a"});
  stream_->Cancel(id);
  const WatchResponse r = TakeOne();
  EXPECT_TRUE(r.canceled && !r.created);
  EXPECT_EQ(r.watch_id, id);
  EXPECT_EQ(r.revision, Revision(1));
  EXPECT_EQ(r.cancel_reason, "");
  Put("a", "1");
  EXPECT_THAT(Take(), IsEmpty());
}

TEST_F(WatchTest, CancelOfAnUnknownIdHasNoAnswer) {
  stream_->Cancel(5);
  EXPECT_THAT(Take(), IsEmpty());
  EXPECT_EQ(sink_.answers(), 1);
}

TEST_F(WatchTest, FiltersDropPutsOrDeletes) {
  Watch({.key = "a", .watch_id = 1, .no_put = true});
  Watch({.key = "a", .watch_id = 2, .no_delete = true});
  Watch({.key = "a", .watch_id = 3, .no_put = true, .no_delete = true});
  Put("a", "1");
  Delete("a");
  const std::vector<WatchResponse> all = Take();
  ASSERT_EQ(all.size(), 2u);
  EXPECT_EQ(all[0].watch_id, 2);
  EXPECT_THAT(Describe(all[0].events), ElementsAre("put a=1 @2"));
  EXPECT_EQ(all[1].watch_id, 1);
  EXPECT_THAT(Describe(all[1].events), ElementsAre("delete a @3"));
}

TEST_F(WatchTest, PreviousValueIsTheOneBeforeTheRevision) {
  Watch({.key = "a", .prev_kv = true});
  Put("a", "1");
  Put("a", "2");
  Delete("a");
  Put("a", "3");
  std::vector<std::string> seen;
  for (const WatchResponse& r : Take()) seen.push_back(Describe(r.events[0]));
  EXPECT_THAT(seen,
              ElementsAre("put a=1 @2", "put a=2 @3 was 1", "delete a @4 was 2", "put a=3 @5"));
}

TEST_F(WatchTest, PreviousValueOfHistoryIsReadFromTheStore) {
  Put("a", "1");
  Put("a", "2");
  Delete("a");
  Watch({.key = "a", .start_revision = Revision(3), .prev_kv = true});
  ASSERT_EQ(rest_.size(), 1u);
  EXPECT_THAT(Describe(rest_[0].events), ElementsAre("put a=2 @3 was 1", "delete a @4 was 2"));
}

TEST_F(WatchTest, CompactedPreviousValueIsMissing) {
  Put("a", "1");
  Put("a", "2");
  Compact(3);
  Watch({.key = "a", .start_revision = Revision(3), .prev_kv = true});
  ASSERT_EQ(rest_.size(), 1u);
  EXPECT_THAT(Describe(rest_[0].events), ElementsAre("put a=2 @3"));
}

TEST_F(WatchTest, OnlyWhoAskedGetsThePreviousValue) {
  Put("a", "1");
  Watch({.key = "a", .watch_id = 1, .prev_kv = true});
  Watch({.key = "a", .watch_id = 2});
  Put("a", "2");
  for (const WatchResponse& r : Take()) {
    EXPECT_EQ(Describe(r.events[0]), r.watch_id == 1 ? "put a=2 @3 was 1" : "put a=2 @3");
  }
}

TEST_F(WatchTest, FragmentWishTravelsWithTheEvents) {
  Watch({.key = "a", .fragment = true});
  Put("a", "1");
  EXPECT_TRUE(TakeOne().may_fragment);
}

TEST_F(WatchTest, DestroyedStreamsSinkIsNotTouched) {
  Watch({.key = "a"});
  Put("a", "1");
  streams_.clear();
  EXPECT_THAT(Take(), IsEmpty());
  EXPECT_EQ(stage_->stats().watchers, 0);
  EXPECT_EQ(stage_->stats().streams, 0);
}

TEST_F(WatchTest, RequestsWaitForTheFirstStore) {
  streams_.clear();
  stage_ = WatchableStore::New(random_.get());
  stream_ = OpenStream(&sink_);
  stream_->Create({.key = "a"});
  EXPECT_THAT(Take(), IsEmpty());
  stage_->Attach(store_);
  EXPECT_TRUE(TakeOne().created);
}

// The thin shell, with writers and a stream that comes and goes beside it. For the sanitizers.
TEST_F(WatchTest, ShellThreadServesStreamsOfOtherThreads) {
  std::atomic<bool> stop{false};
  std::thread shell([&] {
    while (!stop) stage_->Wait(*stage_->Step(std::chrono::steady_clock::now()));
  });
  std::thread client([&] {
    for (int i = 0; i < 200; ++i) {
      FakeSink sink;
      std::unique_ptr<WatchStream> stream = stage_->NewStream(&sink);
      stream->Create({.key = "a", .range_end = std::string(1, '\0')});
      stream->OnRoom();
      stream->RequestProgress();
    }
  });
  client.join();
  stop = true;
  stage_->Wake();
  shell.join();
  Run();
  EXPECT_EQ(stage_->stats().watchers, 0);
}

}  // namespace
}  // namespace kvorum::mvcc
