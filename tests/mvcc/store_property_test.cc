// Random histories against the model: whatever happened before, the store answers like it.
#include <gtest/gtest.h>

#include <set>
#include <string>

#include "base/random.h"
#include "mvcc/compaction.h"
#include "tests/mvcc/model.h"
#include "tests/mvcc/store_fixture.h"

namespace kvorum::mvcc {
namespace {

// Keeps what the store attaches, to compare it with the model's leases.
class RecordingLeases : public LeaseAttacher {
 public:
  void Attach(LeaseId lease, std::string_view key) override {
    attached.emplace(lease.value(), std::string(key));
  }
  void Detach(LeaseId lease, std::string_view key) override {
    attached.erase({lease.value(), std::string(key)});
  }
  std::set<std::pair<int64_t, std::string>> attached;
};

class RecordingEvents : public EventSink {
 public:
  void Publish(EventBatch batch) override { batches.push_back(std::move(batch)); }
  void Flush() override {}
  std::vector<EventBatch> batches;
};

class StorePropertyTest : public StoreTest, public ::testing::WithParamInterface<int> {
 protected:
  StorePropertyTest() : random_(NewSeededRandom(GetParam())) {
    options_.leases = &leases_;
    options_.events = &events_;
    // Small, so that rows also come from the backend.
    options_.value_cache_bytes = GetParam() % 2 == 0 ? 64 << 10 : 0;
    Reopen();
    NewCompactor();
  }
  void NewCompactor() { compactor_ = std::make_unique<Compactor>(*store_, SystemClock()); }

  int64_t Pick(int64_t n) { return static_cast<int64_t>(random_->Uniform(n)); }
  std::string Key() { return "k" + std::to_string(Pick(kKeys)); }
  // A single key, an interval (maybe inverse), or everything from a key.
  std::pair<std::string, std::string> Interval() {
    switch (Pick(4)) {
      case 0:
        return {Key(), ""};
      case 1:
        return {Key(), std::string("\0", 1)};
      default:
        return {Key(), Key()};
    }
  }

  void Step() {
    const int64_t dice = Pick(100);
    if (dice < 70) {
      Transaction();
    } else if (dice < 78) {
      CompactSomewhere();
    } else if (dice < 90) {
      StepCompactor();
    } else if (dice < 97) {
      Commit();
    } else {
      CommitAndReopenAll();
    }
  }

  void Transaction() {
    WriteTxn txn = store_->Begin();
    std::set<std::string> touched;  // the server refuses two changes of a key
    const int64_t operations = Pick(3) == 0 ? 1 + Pick(4) : 1;
    for (int64_t i = 0; i < operations; ++i) {
      if (Pick(4) == 0) {
        const auto [key, end] = Interval();
        const KeyRange range{key, end};
        bool clash = false;
        for (const std::string& k : touched) clash = clash || range.Contains(k);
        if (clash) continue;
        const auto deleted = txn.DeleteRange(range);
        ASSERT_OK(deleted);
        const std::vector<std::string> expected = model_.Delete(range);
        ASSERT_EQ(*deleted, static_cast<int64_t>(expected.size()));
        touched.insert(expected.begin(), expected.end());
      } else {
        const std::string key = Key();
        if (!touched.insert(key).second) continue;
        const std::string value(Pick(200), static_cast<char>('a' + Pick(26)));
        const int64_t lease = Pick(3) == 0 ? 1 + Pick(3) : 0;
        txn.Put(key, value, LeaseId(lease));
        model_.Put(key, value, lease);
      }
      const auto [key, end] = Interval();
      const RangeOptions options{
          .limit = Pick(5), .count_only = Pick(4) == 0, .keys_only = Pick(4) == 0};
      const auto seen = txn.Range({key, end}, options);
      ASSERT_OK(seen);
      CheckRows(*seen, model_.Draft(), {key, end}, options);
    }
    ASSERT_EQ(txn.End().value(), model_.End());
  }

  void CompactSomewhere() {
    const int64_t revision = Pick(model_.current() + 3);
    const Error error = store_->Compact(Revision(revision));
    if (revision <= model_.compacted()) {
      ASSERT_EQ(error, Error::kCompacted);
    } else if (revision > model_.current()) {
      ASSERT_EQ(error, Error::kFutureRevision);
    } else {
      ASSERT_EQ(error, Error::kNone);
      model_.Compact(revision);
    }
  }

  void StepCompactor() {
    const int64_t steps = Pick(8);
    for (int64_t i = 0; i < steps; ++i) ASSERT_OK(compactor_->Step());
  }
  void FinishCompactions() {
    for (;;) {
      const auto progress = compactor_->Step();
      ASSERT_OK(progress);
      ASSERT_NE(*progress, Compactor::Progress::kWaitReaders);
      if (*progress == Compactor::Progress::kIdle) break;
      if (*progress == Compactor::Progress::kWaitCommit) Commit();
      if (*progress == Compactor::Progress::kWaitDurable) {
        ASSERT_OK(store_->backend().Flush());
      }
    }
    EXPECT_TRUE(compactor_->Done(Revision(model_.compacted())));
  }

  void CommitAndReopenAll() {
    compactor_.reset();
    leases_.attached.clear();
    if (Pick(2) == 0) Commit();  // so that the next has little to do
    CommitAndReopen();
    NewCompactor();
  }

  void CheckRows(const RangeResult& result, const Model::State& state, const KeyRange& range,
                 const RangeOptions& options) {
    int64_t count = 0;
    auto row = result.rows.begin();
    for (const auto& [key, value] : state) {
      if (!range.Contains(key)) continue;
      ++count;
      if (row == result.rows.end()) continue;
      const auto kv = KeyValueView::Parse((row++)->bytes.view());
      ASSERT_TRUE(kv.has_value());
      EXPECT_EQ(kv->key, key);
      EXPECT_EQ(kv->create_revision.value(), value.created);
      EXPECT_EQ(kv->mod_revision.value(), value.modified);
      EXPECT_EQ(kv->version, value.version);
      EXPECT_EQ(kv->value, options.keys_only ? "" : value.value);
      EXPECT_EQ(kv->lease.value(), options.keys_only ? 0 : value.lease);
    }
    EXPECT_EQ(row, result.rows.end());
    EXPECT_EQ(result.count, count);
    const int64_t limit = options.limit > 0 ? std::min(options.limit, count) : count;
    EXPECT_EQ(static_cast<int64_t>(result.rows.size()), options.count_only ? 0 : limit);
  }

  void CheckRange() {
    const auto [key, end] = Interval();
    const RangeOptions options{.limit = Pick(4) - 1,
                               .revision = Revision(Pick(2) * Pick(model_.current() + 2)),
                               .count_only = Pick(4) == 0,
                               .keys_only = Pick(4) == 0};
    const RangeResult result = Range(key, end, options);
    EXPECT_EQ(result.current.value(), model_.current());
    const int64_t at = options.revision.value() > 0 ? options.revision.value() : model_.current();
    if (at > model_.current()) {
      EXPECT_EQ(result.error, Error::kFutureRevision);
    } else if (at < model_.compacted()) {
      EXPECT_EQ(result.error, Error::kCompacted);
    } else {
      ASSERT_EQ(result.error, Error::kNone);
      CheckRows(result, model_.At(at), {key, end}, options);
      const auto quick = store_->TryRangeInMemory({key, end}, options);
      if (quick) {
        EXPECT_EQ(Text(*quick), Text(result));
      }
    }
  }

  void CheckEvents() {
    const int64_t first = 1 + Pick(model_.current() + 1);
    const auto read = store_->ReadEvents(Revision(first), Revision(model_.current()), Pick(2000));
    ASSERT_OK(read);
    if (first < model_.compacted()) {
      EXPECT_EQ(read->error, Error::kCompacted);
      return;
    }
    std::vector<Model::ModelRow> expected;
    for (const Model::ModelRow& row : model_.rows()) {
      if (row.revision.main.value() >= first && row.revision.main < read->next) {
        expected.push_back(row);
      }
    }
    size_t n = 0;
    for (const EventBatch& batch : read->batches) {
      for (const Event& event : batch.events) {
        ASSERT_LT(n, expected.size());
        EXPECT_EQ(event.revision, expected[n].revision);
        EXPECT_EQ(event.revision.main, batch.revision);
        EXPECT_EQ(event.type == EventType::kDelete, expected[n].tombstone);
        EXPECT_EQ(event.row.view(), expected[n].bytes);
        ++n;
      }
    }
    EXPECT_EQ(n, expected.size());
  }

  void CheckHash() {
    const int64_t revision = Pick(2) * Pick(model_.current() + 1);
    const auto result = store_->HashKv(Revision(revision));
    ASSERT_OK(result);
    const int64_t at = revision == 0 ? model_.current() : revision;
    const auto stored = model_.compaction_hashes().find(at);
    if (stored != model_.compaction_hashes().end() && revision != 0 &&
        result->compacted.value() == stored->second.compacted) {
      EXPECT_EQ(result->hash, stored->second.hash);
    } else if (at < model_.compacted()) {
      EXPECT_EQ(result->error, Error::kCompacted);
    } else {
      ASSERT_EQ(result->error, Error::kNone);
      EXPECT_EQ(result->hash, model_.Hash(at).hash) << "at " << at;
      EXPECT_EQ(result->compacted.value(), model_.compacted());
    }
  }

  void CheckLeases() {
    std::set<std::pair<int64_t, std::string>> expected;
    for (const auto& [key, value] : model_.Now()) {
      if (value.lease != 0) expected.emplace(value.lease, key);
    }
    EXPECT_EQ(leases_.attached, expected);
  }

  static constexpr int64_t kKeys = 24;
  std::unique_ptr<Random> random_;
  RecordingLeases leases_;
  RecordingEvents events_;
  std::unique_ptr<Compactor> compactor_;
  Model model_;
};

TEST_P(StorePropertyTest, AnswersLikeTheModel) {
  for (int i = 0; i < 400; ++i) {
    SCOPED_TRACE(i);
    Step();
    CheckRange();
    if (i % 4 == 0) CheckEvents();
    if (i % 4 == 1) CheckHash();
    if (i % 4 == 2) CheckLeases();
    if (HasFailure()) return;
  }
  FinishCompactions();
  CommitAndReopenAll();
  for (int i = 0; i < 50; ++i) {
    CheckRange();
    CheckEvents();
    CheckHash();
  }
}

TEST_P(StorePropertyTest, EventsAreTheHistory) {
  for (int i = 0; i < 200; ++i) Transaction();
  int64_t revision = 1;
  size_t n = 0;
  for (const EventBatch& batch : events_.batches) {
    EXPECT_EQ(batch.revision.value(), ++revision);
    for (const Event& event : batch.events) {
      const Model::ModelRow& row = model_.rows().at(n++);
      EXPECT_EQ(event.revision, row.revision);
      EXPECT_EQ(event.row.view(), row.bytes);
      const Model::State& before = model_.At(revision - 1);
      const auto previous = before.find(row.key);
      ASSERT_EQ(event.previous.has_value(), previous != before.end());
      if (event.previous) {
        EXPECT_EQ(event.previous->main.value(), previous->second.modified);
        ASSERT_OK_AND_ASSIGN(const auto stored, store_->ReadRow(*event.previous));
        ASSERT_TRUE(stored.has_value());
        if (!event.previous_row.empty()) {
          EXPECT_EQ(event.previous_row, stored->bytes);
        }
      }
    }
  }
  EXPECT_EQ(n, model_.rows().size());
}

INSTANTIATE_TEST_SUITE_P(Seeds, StorePropertyTest, ::testing::Range(1, 13));

}  // namespace
}  // namespace kvorum::mvcc
