#pragma once
// What the watch tests share: a model of the store, a sink with a bound, and verbs.

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "base/random.h"
#include "mvcc/watchable_store.h"

namespace kvorum::mvcc {

// One change as the tests write it.
struct Change {
  std::string key;
  std::optional<std::string> value;  // nothing: delete
};

// A store without a disk: all of history, the visible revision, a compacted revision.
class ModelSource : public WatchSource {
 public:
  // Makes the changes the next revision and returns its batch, ready to be published.
  EventBatch Write(const std::vector<Change>& changes) {
    EventBatch batch{.revision = current_ + 1};
    int64_t sub = 0;
    for (const Change& change : changes) {
      if (std::optional<Event> event = Apply(change, {batch.revision, sub})) {
        batch.events.push_back(*event);
        ++sub;
      }
    }
    current_ = batch.revision;
    history_.push_back(batch);
    return batch;
  }
  EventBatch Compact(Revision revision) {
    compacted_ = revision;
    return {.revision = current_, .compacted = revision};
  }

  const std::vector<EventBatch>& history() const { return history_; }
  void set_rows_per_read(int n) { batches_per_read_ = n; }
  int reads() const { return reads_; }

  Revision current_revision() const override { return current_; }
  Revision compacted_revision() const override { return compacted_; }

  StatusOr<ReadEventsResult> ReadEvents(Revision first, Revision last, int64_t,
                                        std::optional<Revision> as_of) const override {
    ++reads_;
    ReadEventsResult result;
    if (first < as_of.value_or(compacted_)) {
      result.error = Error::kCompacted;
      return result;
    }
    last = std::min(last, current_);
    Revision at = first;
    for (int n = 0; at <= last && n < batches_per_read_; ++n, ++at) {
      if (at < Revision(2)) continue;
      EventBatch batch = history_[at.value() - 2];
      for (Event& event : batch.events) event.previous.reset(), event.previous_row = {};
      result.batches.push_back(std::move(batch));
    }
    result.next = at;
    return result;
  }
  StatusOr<std::optional<Row>> ReadRow(const RowRevision& revision) const override {
    for (const Event& event : history_[revision.main.value() - 2].events) {
      if (event.revision == revision) return Row{revision, event.row};
    }
    return std::nullopt;
  }
  StatusOr<std::optional<Row>> ReadKeyAt(std::string_view key, Revision revision) const override {
    if (revision < compacted_) return std::nullopt;
    std::optional<Row> found;
    for (const EventBatch& batch : history_) {
      if (batch.revision > revision) break;
      for (const Event& event : batch.events) {
        if (KeyValueView::Parse(event.row.view())->key != key) continue;
        found.reset();
        if (event.type == EventType::kPut) found = Row{event.revision, event.row};
      }
    }
    return found;
  }

 private:
  struct Live {
    RowRevision modified;
    Revision created;
    int64_t version;
  };

  std::optional<Event> Apply(const Change& change, RowRevision revision) {
    Event event{.revision = revision};
    auto live = live_.find(change.key);
    if (live != live_.end()) event.previous = live->second.modified;
    KeyValueView view{.key = change.key};
    if (!change.value) {
      if (live == live_.end()) return std::nullopt;
      event.type = EventType::kDelete;
      live_.erase(live);
    } else {
      Live next{revision, revision.main, 1};
      if (live != live_.end()) next.created = live->second.created;
      if (live != live_.end()) next.version = live->second.version + 1;
      live_.insert_or_assign(change.key, next);
      view.create_revision = next.created;
      view.mod_revision = revision.main;
      view.version = next.version;
      view.value = *change.value;
    }
    event.row = SharedBytes(view.Encode());
    return event;
  }

  Revision current_ = kFirstRevision;
  Revision compacted_ = kNeverCompacted;
  std::vector<EventBatch> history_;  // [0] is revision 2
  std::map<std::string, Live> live_;
  int batches_per_read_ = 1000000;
  mutable int reads_ = 0;
};

// Keeps what it is given; full when it holds `capacity` responses.
class FakeSink : public WatchSink {
 public:
  bool TrySend(WatchResponse&& response) override {
    if (static_cast<int>(queue_.size()) >= capacity_) {
      refused_ = true;
      return false;
    }
    queue_.push_back(std::move(response));
    return true;
  }
  void Answer(std::optional<WatchResponse> response) override {
    ++answers_;
    if (response) queue_.push_back(std::move(*response));
  }

  void set_capacity(int n) { capacity_ = n; }
  int answers() const { return answers_; }
  // True once after a refusal.
  bool TakeRefused() { return std::exchange(refused_, false); }
  std::vector<WatchResponse> TakeAll() {
    std::vector<WatchResponse> all(std::make_move_iterator(queue_.begin()),
                                   std::make_move_iterator(queue_.end()));
    queue_.clear();
    return all;
  }

 private:
  int capacity_ = 128;
  int answers_ = 0;
  bool refused_ = false;
  std::deque<WatchResponse> queue_;
};

// "put k=v @5", "delete k @6", with " was v" when there is a previous value.
inline std::string Describe(const WatchEvent& event) {
  const KeyValueView kv = *KeyValueView::Parse(event.kv.view());
  std::string text = (event.is_delete ? "delete " : "put ") + std::string(kv.key);
  if (!event.is_delete) text += "=" + std::string(kv.value);
  text += " @" + std::to_string(kv.mod_revision.value());
  if (!event.prev_kv.empty()) {
    text += " was " + std::string(KeyValueView::Parse(event.prev_kv.view())->value);
  }
  return text;
}

inline std::vector<std::string> Describe(const std::vector<WatchEvent>& events) {
  std::vector<std::string> texts;
  for (const WatchEvent& event : events) texts.push_back(Describe(event));
  return texts;
}

class WatchTest : public ::testing::Test {
 protected:
  void SetUp() override { MakeStage({}); }
  void TearDown() override {
    streams_.clear();
    Run();
  }

  void MakeStage(const WatchOptions& options) {
    streams_.clear();
    stage_ = WatchableStore::New(random_.get(), options);
    store_ = std::make_shared<ModelSource>();
    stage_->Attach(store_);
    stream_ = OpenStream(&sink_);
  }
  WatchStream* OpenStream(FakeSink* sink) {
    streams_.push_back(stage_->NewStream(sink));
    return streams_.back().get();
  }

  // Steps until there is nothing to do before the next tick.
  void Run() {
    int rests = 0;  // twice: the first may not have looked at what was queued meanwhile
    for (int i = 0; i < 100000; ++i) {
      StatusOr<TimePoint> next = stage_->Step(now_);
      ASSERT_TRUE(next.ok()) << next.status();
      rests = *next > now_ ? rests + 1 : 0;
      if (rests == 2) return;
    }
    FAIL() << "the stage never comes to rest";
  }
  void Advance(Duration d) {
    now_ += d;
    Run();
  }

  void Put(const std::string& key, const std::string& value) { Write({{key, value}}); }
  void Delete(const std::string& key) { Write({{key, std::nullopt}}); }
  void Write(const std::vector<Change>& changes) { stage_->Publish(store_->Write(changes)); }
  void Compact(int64_t revision) { stage_->Publish(store_->Compact(Revision(revision))); }

  // Everything the sink got.
  std::vector<WatchResponse> Take(FakeSink& sink) {
    Run();
    return sink.TakeAll();
  }
  std::vector<WatchResponse> Take() { return Take(sink_); }
  // The only response there is.
  WatchResponse TakeOne() {
    std::vector<WatchResponse> all = Take();
    EXPECT_EQ(all.size(), 1u);
    return all.size() == 1 ? std::move(all.front()) : WatchResponse{.watch_id = -99};
  }
  // Creates a watch that must succeed; its id.
  int64_t Watch(WatchCreate create) {
    stream_->Create(std::move(create));
    const WatchResponse created = TakeFirstCreated();
    EXPECT_TRUE(created.created && !created.canceled) << created.cancel_reason;
    return created.watch_id;
  }
  // Creates a watch and forgets its answer only.
  WatchResponse TakeFirstCreated() {
    std::vector<WatchResponse> all = Take();
    EXPECT_FALSE(all.empty());
    if (all.empty()) return {};
    rest_.assign(std::make_move_iterator(all.begin() + 1), std::make_move_iterator(all.end()));
    return std::move(all.front());
  }

  std::unique_ptr<Random> random_ = NewSeededRandom(1);
  TimePoint now_{std::chrono::hours(1)};
  FakeSink sink_;
  std::shared_ptr<ModelSource> store_;
  std::unique_ptr<WatchableStore> stage_;
  std::vector<std::unique_ptr<WatchStream>> streams_;
  WatchStream* stream_ = nullptr;
  std::vector<WatchResponse> rest_;  // what came behind the created answer of Watch()
};

}  // namespace kvorum::mvcc
