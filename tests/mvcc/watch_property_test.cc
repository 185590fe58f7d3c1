// Random histories, sinks and requests: what a watch was sent is compared with what the model's
// history says it had to be sent. A failure prints its seed.

#include "tests/mvcc/watch_fixture.h"

namespace kvorum::mvcc {
namespace {

constexpr int kStreams = 4;
constexpr int kSteps = 1500;

// One watch as its client sees it.
struct ClientWatch {
  WatchCreate create;
  Revision start;  // resolved; 0 until created
  std::vector<std::string> seen;
  Revision last_revision;
  Revision last_progress;
  bool ended = false;       // cancelled, no event may follow
  Revision compacted_away;  // > 0: cancelled by this compaction
};

class World {
 public:
  explicit World(uint64_t seed)
      : random_(NewSeededRandom(seed)),
        stage_random_(NewSeededRandom(seed + 1)),
        stage_(WatchableStore::New(
            stage_random_.get(),
            {.event_queue_bytes = 3000, .progress_interval = std::chrono::seconds(1)})),
        store_(std::make_shared<ModelSource>()) {
    store_->set_rows_per_read(static_cast<int>(1 + Pick(20)));
    stage_->Attach(store_);
    for (Stream& stream : streams_) stream.handle = stage_->NewStream(&stream.sink);
  }

  void RunRandomly() {
    for (int i = 0; i < kSteps && !::testing::Test::HasFatalFailure(); ++i) Act();
    Settle();
    for (Stream& stream : streams_) {
      for (auto& [id, watch] : stream.watches) CheckComplete(watch);
    }
  }

 private:
  struct Stream {
    FakeSink sink;
    std::unique_ptr<WatchStream> handle;
    std::deque<WatchCreate> creating;  // not yet answered
    std::map<int64_t, ClientWatch> watches;
  };

  uint64_t Pick(uint64_t n) { return random_->Uniform(n); }
  std::string Key() { return std::string(1, static_cast<char>('a' + Pick(6))); }

  void Act() {
    switch (Pick(12)) {
      case 0:
      case 1:
      case 2:
      case 3:
        return WriteSomething();
      case 4:
        return PublishSome();
      case 5:
      case 6:
        return StepOnce();
      case 7:
        return CreateOne(streams_[Pick(kStreams)]);
      case 8:
        return CancelOne(streams_[Pick(kStreams)]);
      case 9:
      case 10:
        return Consume(streams_[Pick(kStreams)]);
      case 11:
        return Pick(4) == 0 ? CompactSomewhere()
                            : streams_[Pick(kStreams)].handle->RequestProgress();
    }
  }

  void WriteSomething() {
    std::vector<Change> changes;
    std::set<std::string> keys;
    for (uint64_t n = 1 + Pick(4); n > 0; --n) keys.insert(Key());
    for (const std::string& key : keys) {
      changes.push_back(
          {key, Pick(4) == 0 ? std::nullopt : std::optional(std::to_string(Pick(99)))});
    }
    changes.push_back({"zz", "always"});  // a revision has at least one event
    unpublished_.push_back(store_->Write(changes));
    if (Pick(3) != 0) PublishSome();
  }
  void PublishSome() {
    for (EventBatch& batch : unpublished_) stage_->Publish(std::move(batch));
    unpublished_.clear();
  }
  void CompactSomewhere() {
    const int64_t above = std::max<int64_t>(store_->compacted_revision().value(), 1);
    const int64_t target = above + Pick(store_->current_revision().value() - above + 1);
    unpublished_.push_back(store_->Compact(Revision(target)));
    PublishSome();
  }
  void StepOnce() {
    now_ += std::chrono::milliseconds(Pick(300));
    StatusOr<TimePoint> next = stage_->Step(now_);
    ASSERT_TRUE(next.ok());
  }

  void CreateOne(Stream& stream) {
    if (stream.watches.size() > 8) return;
    WatchCreate create{.key = Key(),
                       .no_put = Pick(8) == 0,
                       .no_delete = Pick(8) == 0,
                       .prev_kv = false,
                       .progress_notify = Pick(2) == 0};
    if (Pick(2) == 0) create.range_end = create.key + (Pick(2) ? "~" : "");
    if (Pick(6) == 0) create.range_end = std::string(1, '\0');
    if (create.range_end == create.key) create.range_end.clear();
    if (Pick(2) == 0) {
      create.start_revision = Revision(1 + Pick(store_->current_revision().value() + 10));
    }
    stream.creating.push_back(create);
    stream.handle->Create(create);
  }
  void CancelOne(Stream& stream) {
    if (stream.watches.empty()) return;
    auto it = stream.watches.begin();
    std::advance(it, Pick(stream.watches.size()));
    stream.handle->Cancel(it->first);
  }

  void Consume(Stream& stream) {
    for (WatchResponse& response : stream.sink.TakeAll()) Receive(stream, response);
    stream.sink.set_capacity(static_cast<int>(Pick(5)));
    if (stream.sink.TakeRefused()) stream.handle->OnRoom();
  }

  void Receive(Stream& stream, const WatchResponse& r) {
    if (r.created) {
      ASSERT_FALSE(r.canceled) << r.cancel_reason;
      ClientWatch watch{.create = stream.creating.front()};
      stream.creating.pop_front();
      watch.start = watch.create.start_revision;
      if (watch.start == Revision(0)) watch.start = r.revision + 1;
      ASSERT_TRUE(stream.watches.emplace(r.watch_id, std::move(watch)).second);
      return;
    }
    if (r.watch_id == kInvalidWatchId) {
      for (auto& [id, watch] : stream.watches) CheckProgress(watch, r.revision);
      return;
    }
    auto it = stream.watches.find(r.watch_id);
    ASSERT_NE(it, stream.watches.end());
    ClientWatch& watch = it->second;
    if (r.canceled && r.compact_revision == Revision(0)) {
      CheckPrefix(watch);
      stream.watches.erase(it);
      return;
    }
    ASSERT_FALSE(watch.ended);
    if (r.canceled) {
      watch.ended = true;
      watch.compacted_away = r.compact_revision;
      return;
    }
    if (r.events.empty()) return CheckProgress(watch, r.revision);
    ReceiveEvents(watch, r);
  }

  void ReceiveEvents(ClientWatch& watch, const WatchResponse& r) {
    const Revision first = ModRevision(r.events.front());
    ASSERT_GT(first, watch.last_revision) << "a revision was split over responses";
    ASSERT_GT(first, watch.last_progress) << "an event came behind the progress that covers it";
    for (const WatchEvent& event : r.events) watch.seen.push_back(Describe(event));
    watch.last_revision = ModRevision(r.events.back());
    ASSERT_GE(r.revision, watch.last_revision);
  }
  static Revision ModRevision(const WatchEvent& event) {
    return KeyValueView::Parse(event.kv.view())->mod_revision;
  }

  // Everything up to `revision` must have come.
  void CheckProgress(ClientWatch& watch, Revision revision) {
    EXPECT_GE(revision + 1, watch.start) << "progress before the watch begins";
    EXPECT_GE(revision, watch.last_progress);
    watch.last_progress = revision;
    EXPECT_EQ(watch.seen, Expected(watch, revision));
  }
  void CheckPrefix(const ClientWatch& watch) {
    std::vector<std::string> expected = Expected(watch, store_->current_revision());
    ASSERT_LE(watch.seen.size(), expected.size());
    expected.resize(watch.seen.size());
    EXPECT_EQ(watch.seen, expected);
  }
  void CheckComplete(const ClientWatch& watch) {
    if (!watch.ended) {
      EXPECT_EQ(watch.seen, Expected(watch, store_->current_revision()));
      return;
    }
    CheckPrefix(watch);
    EXPECT_LT(std::max(watch.last_revision, watch.start - 1) + 0, watch.compacted_away)
        << "cancelled although it had all it needed";
  }

  std::vector<std::string> Expected(const ClientWatch& watch, Revision last) const {
    const KeyRange range{.key = watch.create.key, .end = watch.create.range_end};
    std::vector<std::string> expected;
    for (const EventBatch& batch : store_->history()) {
      if (batch.revision < watch.start || batch.revision > last) continue;
      for (const Event& event : batch.events) {
        const bool put = event.type == EventType::kPut;
        const KeyValueView kv = *KeyValueView::Parse(event.row.view());
        if (!range.Contains(kv.key) || (put ? watch.create.no_put : watch.create.no_delete))
          continue;
        expected.push_back((put ? "put " : "delete ") + std::string(kv.key) +
                           (put ? "=" + std::string(kv.value) : std::string()) + " @" +
                           std::to_string(batch.revision.value()));
      }
    }
    return expected;
  }

  // Everything is published, delivered and consumed.
  void Settle() {
    PublishSome();
    int rests = 0;
    for (int i = 0; i < 10000; ++i) {
      StatusOr<TimePoint> next = stage_->Step(now_);
      ASSERT_TRUE(next.ok());
      for (Stream& stream : streams_) {
        for (WatchResponse& response : stream.sink.TakeAll()) Receive(stream, response);
        stream.sink.set_capacity(1000);
        stream.handle->OnRoom();
      }
      // Thrice: a step at rest may not have looked at what was queued meanwhile.
      rests = *next > now_ ? rests + 1 : 0;
      if (rests == 3) return;
    }
    FAIL() << "the stage never comes to rest";
  }

  std::unique_ptr<Random> random_;
  std::unique_ptr<Random> stage_random_;
  TimePoint now_{std::chrono::hours(1)};
  std::unique_ptr<WatchableStore> stage_;
  std::shared_ptr<ModelSource> store_;
  std::vector<EventBatch> unpublished_;
  Stream streams_[kStreams];
};

TEST(WatchPropertyTest, EveryWatchSeesExactlyTheModelsEvents) {
  for (uint64_t seed = 1; seed <= 150; ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    World(seed).RunRandomly();
    if (::testing::Test::HasFailure()) return;
  }
}

}  // namespace
}  // namespace kvorum::mvcc
