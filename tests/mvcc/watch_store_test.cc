// The watch stage on a real store: what the model of the other watch tests takes for granted.

#include <gmock/gmock.h>

#include "tests/mvcc/store_fixture.h"
#include "tests/mvcc/watch_fixture.h"

namespace kvorum::mvcc {
namespace {

using ::testing::ElementsAre;

class WatchStoreTest : public StoreTest {
 protected:
  void SetUp() override {
    options_.events = stage_.get();
    CommitAndReopen();
    Attach();
    stream_ = stage_->NewStream(&sink_);
    Take();  // a test may exchange the store: the stage must have taken this one over by then
  }
  void TearDown() override {
    stream_.reset();
    (void)Take();
  }

  // The fixture keeps the store; the stage only borrows it.
  void Attach() {
    stage_->Attach(NewStoreWatchSource(std::shared_ptr<const Store>(store_.get(), [](auto*) {})));
  }
  std::vector<WatchResponse> Take() {
    const TimePoint now{std::chrono::hours(1)};
    for (int rests = 0; rests < 2;) {
      StatusOr<TimePoint> next = stage_->Step(now);
      CHECK_OK(next.status());
      rests = *next > now ? rests + 1 : 0;
    }
    return sink_.TakeAll();
  }
  // Every event there is, response by response.
  std::vector<std::vector<std::string>> TakeEvents() {
    std::vector<std::vector<std::string>> texts;
    for (const WatchResponse& response : Take()) {
      if (!response.events.empty()) texts.push_back(Describe(response.events));
    }
    return texts;
  }

  std::unique_ptr<Random> random_ = NewSeededRandom(1);
  std::unique_ptr<WatchableStore> stage_ = WatchableStore::New(random_.get());
  FakeSink sink_;
  std::unique_ptr<WatchStream> stream_;
};

TEST_F(WatchStoreTest, ChangesArriveWithTheirPreviousValues) {
  stream_->Create({.key = "a", .range_end = "c", .prev_kv = true});
  Take();
  Put("a", "1");
  Put("a", "2");
  Delete("a");
  Put("a", "3");
  Put("c", "not watched");
  EXPECT_THAT(TakeEvents(),
              ElementsAre(ElementsAre("put a=1 @2"), ElementsAre("put a=2 @3 was 1"),
                          ElementsAre("delete a @4 was 2"), ElementsAre("put a=3 @5")));
}

TEST_F(WatchStoreTest, TransactionIsOneResponse) {
  stream_->Create({.key = "a", .range_end = "c"});
  Take();
  WriteTxn txn = store_->Begin();
  txn.Put("a", "1", LeaseId(0));
  txn.Put("b", "1", LeaseId(0));
  txn.End();
  EXPECT_THAT(TakeEvents(), ElementsAre(ElementsAre("put a=1 @2", "put b=1 @2")));
}

TEST_F(WatchStoreTest, HistoryIsReadFromDiskAndFromWhatIsPending) {
  Put("a", "1");
  Put("b", "1");
  CommitAndReopen();
  Attach();
  Put("a", "2");
  Delete("a");
  stream_->Create({.key = "a", .start_revision = Revision(1), .prev_kv = true});
  EXPECT_THAT(TakeEvents(),
              ElementsAre(ElementsAre("put a=1 @2", "put a=2 @4 was 1", "delete a @5 was 2")));
}

TEST_F(WatchStoreTest, CompactionCancelsWhoNeedsWhatIsGone) {
  for (int i = 2; i <= 6; ++i) Put("a", std::to_string(i));
  ASSERT_EQ(store_->Compact(Revision(4)), Error::kNone);
  stream_->Create({.key = "a", .start_revision = Revision(3), .watch_id = 1});
  stream_->Create({.key = "a", .start_revision = Revision(4), .watch_id = 2, .prev_kv = true});
  const std::vector<WatchResponse> all = Take();
  ASSERT_EQ(all.size(), 4u);
  EXPECT_EQ(all[2].watch_id, 1);
  EXPECT_EQ(all[2].compact_revision, Revision(4));
  EXPECT_EQ(all[3].watch_id, 2);
  EXPECT_THAT(Describe(all[3].events),
              ElementsAre("put a=4 @4", "put a=5 @5 was 4", "put a=6 @6 was 5"));
  EXPECT_EQ(stage_->compacted_revision(), Revision(4));
}

TEST_F(WatchStoreTest, DroppedBatchesComeFromTheStore) {
  stream_.reset();
  auto stage = WatchableStore::New(random_.get(), {.event_queue_bytes = 500});
  options_.events = stage.get();
  CommitAndReopen();  // the store that is closed still has the old one
  stage_ = std::move(stage);
  Attach();
  stream_ = stage_->NewStream(&sink_);
  stream_->Create({.key = "a", .prev_kv = true});
  Take();
  for (int i = 2; i <= 30; ++i) Put("a", std::to_string(i));
  EXPECT_GT(stage_->stats().batches_dropped, 20);
  ASSERT_EQ(store_->Compact(Revision(30)), Error::kNone) << "its turn comes behind the batches";
  const auto events = TakeEvents();
  ASSERT_EQ(events.size(), 29u);
  EXPECT_THAT(events.back(), ElementsAre("put a=30 @30")) << "the previous value is compacted";
}

}  // namespace
}  // namespace kvorum::mvcc
