#include "raft/log.h"

#include <gtest/gtest.h>

namespace kvorum::raft {
namespace {

constexpr uint64_t kNoLimit = ~0ull;

Entry E(uint64_t index, uint64_t term, std::string data = "") {
  return {.term = Term(term), .index = Index(index), .data = SharedBytes(std::move(data))};
}
EntryId Id(uint64_t term, uint64_t index) { return {.term = Term(term), .index = Index(index)}; }

SnapshotPtr Snap(uint64_t index, uint64_t term) {
  auto s = std::make_shared<Snapshot>();
  s->metadata.index = Index(index);
  s->metadata.term = Term(term);
  return s;
}

std::vector<Entry> Numbered(uint64_t first, uint64_t last, uint64_t term = 1) {
  std::vector<Entry> out;
  for (uint64_t i = first; i <= last; ++i) out.push_back(E(i, term));
  return out;
}

class LogTest : public ::testing::Test {
 protected:
  RaftLog Make(uint64_t max_applying = kNoLimit) { return RaftLog(&storage_, max_applying); }
  // Entries 1..last, terms equal to indices.
  RaftLog Counting(uint64_t last) {
    RaftLog log = Make();
    for (uint64_t i = 1; i <= last; ++i) log.Append({E(i, i)});
    return log;
  }
  // Everything in `log` becomes durable.
  static void Settle(RaftLog* log) {
    log->AcceptUnstable();
    log->StableTo(log->LastEntryId());
  }
  MemoryStorage storage_;
};

TEST_F(LogTest, FindsTheFirstConflict) {
  const RaftLog log = Counting(3);
  const struct {
    std::vector<Entry> entries;
    uint64_t conflict;
  } cases[] = {
      {{}, 0},
      {{E(1, 1), E(2, 2), E(3, 3)}, 0},
      {{E(2, 2), E(3, 3)}, 0},
      {{E(1, 1), E(2, 2), E(3, 3), E(4, 4), E(5, 4)}, 4},
      {{E(4, 4), E(5, 4)}, 4},
      {{E(1, 4), E(2, 4)}, 1},
      {{E(2, 1), E(3, 4)}, 2},
      {{E(3, 1), E(4, 2)}, 3},
  };
  for (const auto& c : cases) EXPECT_EQ(log.FindConflict(c.entries), Index(c.conflict));
}

TEST_F(LogTest, FindsTheLastIndexThatCanMatchATerm) {
  // Compacted to 10 (term 2), then terms 2 2 5 5 8 at 11..15.
  ASSERT_TRUE(storage_.ApplySnapshot(Snap(10, 2)).ok());
  RaftLog log = Make();
  log.Append({E(11, 2), E(12, 2), E(13, 5), E(14, 5), E(15, 8)});
  const struct {
    uint64_t from, term;
    EntryId found;
  } cases[] = {
      {15, 9, Id(8, 15)}, {15, 8, Id(8, 15)}, {15, 7, Id(5, 14)},
      {14, 4, Id(2, 12)}, {15, 2, Id(2, 12)}, {11, 1, Id(0, 9)},
      {9, 5, Id(0, 9)},   {16, 9, Id(0, 16)}, {10, 2, Id(2, 10)},
  };
  for (const auto& c : cases) {
    EXPECT_EQ(log.FindConflictByTerm(Index(c.from), Term(c.term)), c.found)
        << c.from << " " << c.term;
  }
}

TEST_F(LogTest, AnEmptyLogMatchesOnlyTheBeginning) {
  const RaftLog log = Make();
  EXPECT_EQ(log.LastEntryId(), Id(0, 0));
  EXPECT_TRUE(log.Matches(Id(0, 0)));
  EXPECT_FALSE(log.Matches(Id(1, 1)));
  EXPECT_EQ(log.FindConflictByTerm(Index(0), Term(5)), Id(0, 0));
  EXPECT_TRUE(log.IsUpToDate(Id(0, 0)));
}

TEST_F(LogTest, ALogIsUpToDateByTermThenByLength) {
  const RaftLog log = Counting(3);
  for (uint64_t index : {2, 3, 4}) {
    EXPECT_TRUE(log.IsUpToDate(Id(4, index)));
    EXPECT_FALSE(log.IsUpToDate(Id(2, index)));
    EXPECT_EQ(log.IsUpToDate(Id(3, index)), index >= 3);
  }
}

TEST_F(LogTest, AppendGoesToTheUnstablePart) {
  storage_.Append({E(1, 1), E(2, 2)});
  const struct {
    std::vector<Entry> entries;
    uint64_t last, offset;
    std::vector<Entry> all;
  } cases[] = {
      {{}, 2, 3, {E(1, 1), E(2, 2)}},
      {{E(3, 2)}, 3, 3, {E(1, 1), E(2, 2), E(3, 2)}},
      {{E(1, 2)}, 1, 1, {E(1, 2)}},
      {{E(2, 3), E(3, 3)}, 3, 2, {E(1, 1), E(2, 3), E(3, 3)}},
  };
  for (const auto& c : cases) {
    RaftLog log = Make();
    log.Append(c.entries);
    EXPECT_EQ(log.LastIndex(), Index(c.last));
    EXPECT_EQ(log.unstable().offset(), Index(c.offset));
    EXPECT_EQ(log.Entries(Index(1), kNoLimit), c.all);
  }
}

TEST_F(LogTest, MaybeAppendTable) {
  // Log: terms 1 2 3 at 1..3, committed 1.
  const struct {
    const char* name;
    EntryId prev;
    uint64_t committed;
    std::vector<Entry> entries;
    std::optional<Index> last_new;
    uint64_t committed_after;
    uint64_t last_after;
  } cases[] = {
      {"term differs", Id(2, 3), 3, {E(4, 4)}, std::nullopt, 1, 3},
      {"beyond the end", Id(3, 4), 3, {E(5, 4)}, std::nullopt, 1, 3},
      {"matches, commits", Id(3, 3), 3, {}, Index(3), 3, 3},
      {"commit beyond what it brings", Id(3, 3), 4, {}, Index(3), 3, 3},
      {"commit below", Id(3, 3), 2, {}, Index(3), 2, 3},
      {"commit does not fall", Id(3, 3), 0, {}, Index(3), 1, 3},
      {"from the very beginning", Id(0, 0), 3, {}, Index(0), 1, 3},
      {"one more", Id(3, 3), 3, {E(4, 4)}, Index(4), 3, 4},
      {"one more, committed", Id(3, 3), 4, {E(4, 4)}, Index(4), 4, 4},
      {"commit beyond the new", Id(3, 3), 5, {E(4, 4)}, Index(4), 4, 4},
      {"two more", Id(3, 3), 5, {E(4, 4), E(5, 4)}, Index(5), 5, 5},
      {"replaces the last", Id(2, 2), 3, {E(3, 4)}, Index(3), 3, 3},
      {"replaces from the first uncommitted", Id(1, 1), 3, {E(2, 4)}, Index(2), 2, 2},
      {"repeats", Id(1, 1), 1, {E(2, 2)}, Index(2), 1, 3},
  };
  for (const auto& c : cases) {
    RaftLog log = Counting(3);
    log.CommitTo(Index(1));
    EXPECT_EQ(log.MaybeAppend(c.prev, c.entries, Index(c.committed)), c.last_new) << c.name;
    EXPECT_EQ(log.committed(), Index(c.committed_after)) << c.name;
    EXPECT_EQ(log.LastIndex(), Index(c.last_after)) << c.name;
  }
}

TEST_F(LogTest, ReplacingACommittedEntryEndsTheProcess) {
  RaftLog log = Counting(3);
  log.CommitTo(Index(2));
  EXPECT_DEATH(log.MaybeAppend(Id(1, 1), {E(2, 4)}, Index(3)), "conflicts with a committed one");
  EXPECT_DEATH(log.Append({E(2, 4)}), "never replaced");
}

TEST_F(LogTest, CommitNeverFallsAndNeverPassesTheEnd) {
  RaftLog log = Counting(3);
  log.CommitTo(Index(2));
  log.CommitTo(Index(1));
  EXPECT_EQ(log.committed(), Index(2));
  EXPECT_DEATH(log.CommitTo(Index(4)), "corrupted, truncated, or lost");
}

TEST_F(LogTest, CountingCommitsOnlyTheGivenTerm) {
  RaftLog log = Counting(3);
  EXPECT_FALSE(log.MaybeCommit(Id(3, 2)));
  EXPECT_FALSE(log.MaybeCommit(Id(3, 4)));
  EXPECT_FALSE(log.MaybeCommit(Id(0, 0)));
  EXPECT_TRUE(log.MaybeCommit(Id(2, 2)));
  EXPECT_FALSE(log.MaybeCommit(Id(2, 2)));
  EXPECT_EQ(log.committed(), Index(2));
}

// ---- Applying ----

TEST_F(LogTest, OnlyDurableEntriesAreHandedOut) {
  RaftLog log = Make();
  log.Append(Numbered(1, 5));
  log.CommitTo(Index(4));
  EXPECT_FALSE(log.HasNextCommitted());
  log.AcceptUnstable();
  log.StableTo(Id(1, 3));
  EXPECT_EQ(log.NextCommitted(false).size(), 3u);
  log.StableTo(Id(1, 5));
  const auto batch = log.NextCommitted(false);
  EXPECT_EQ(batch.size(), 4u);
  log.AcceptApplying(batch, false);
  EXPECT_FALSE(log.HasNextCommitted());
  EXPECT_EQ(log.applying(), Index(4));
  EXPECT_EQ(log.applied(), Index(0));
}

TEST_F(LogTest, BatchesStopAtTheBoundAndGoOnWhenApplied) {
  const uint64_t one = EncodedSize(E(1, 1, "0123456789"));
  RaftLog log = Make(/*max_applying=*/2 * one + 1);
  for (uint64_t i = 1; i <= 5; ++i) log.Append({E(i, 1, "0123456789")});
  log.CommitTo(Index(5));
  Settle(&log);
  auto batch = log.NextCommitted(false);
  EXPECT_EQ(batch.size(), 2u);
  log.AcceptApplying(batch, false);
  EXPECT_FALSE(log.HasNextCommitted());
  EXPECT_EQ(log.AppliedTo(Index(1)), 0u);  // half a batch
  EXPECT_EQ(log.AppliedTo(Index(2)), 20u);
  batch = log.NextCommitted(false);
  ASSERT_EQ(batch.size(), 2u);
  EXPECT_EQ(batch.front().index, Index(3));
  log.AcceptApplying(batch, false);
  EXPECT_EQ(log.AppliedTo(Index(4)), 20u);
  EXPECT_EQ(log.NextCommitted(false).size(), 1u);
}

TEST_F(LogTest, AnOversizedEntryIsHandedOutAlone) {
  RaftLog log = Make(/*max_applying=*/1);
  log.Append({E(1, 1, "long"), E(2, 1, "long")});
  log.CommitTo(Index(2));
  Settle(&log);
  const auto batch = log.NextCommitted(false);
  EXPECT_EQ(batch.size(), 1u);
  log.AcceptApplying(batch, false);
  EXPECT_FALSE(log.HasNextCommitted());
  log.AppliedTo(Index(1));
  EXPECT_EQ(log.NextCommitted(false).front().index, Index(2));
}

TEST_F(LogTest, BatchesAreSplitBehindAConfigurationChange) {
  RaftLog log = Make();
  std::vector<Entry> entries = Numbered(1, 5);
  entries[1].type = EntryType::kConfChange;
  entries[3].type = EntryType::kConfChangeV2;
  log.Append(entries);
  log.CommitTo(Index(5));
  Settle(&log);
  EXPECT_EQ(log.NextCommitted(false).size(), 5u);
  EXPECT_TRUE(log.HasUnappliedConfChange());
  for (size_t expected : {2, 2, 1}) {
    const auto batch = log.NextCommitted(true);
    EXPECT_EQ(batch.size(), expected);
    log.AcceptApplying(batch, true);
    log.AppliedTo(batch.back().index);
  }
  EXPECT_FALSE(log.HasUnappliedConfChange());
}

TEST_F(LogTest, NothingBehindAChangeIsHandedOutBeforeItIsApplied) {
  RaftLog log = Make();
  std::vector<Entry> entries = Numbered(1, 4);
  entries[1].type = EntryType::kConfChange;
  log.Append(entries);
  Settle(&log);
  log.CommitTo(Index(1));
  log.AcceptApplying(log.NextCommitted(true), true);
  log.CommitTo(Index(4));
  const auto change = log.NextCommitted(true);
  ASSERT_EQ(change.back().index, Index(2));
  log.AcceptApplying(change, true);
  EXPECT_FALSE(log.HasNextCommitted());
  log.AppliedTo(Index(1));  // of an earlier batch
  EXPECT_FALSE(log.HasNextCommitted());
  log.AppliedTo(Index(2));
  EXPECT_EQ(log.NextCommitted(true).size(), 2u);
}

TEST_F(LogTest, AppliedGoesForwardWithinTheCommitted) {
  RaftLog log = Counting(3);
  log.CommitTo(Index(2));
  log.AppliedTo(Index(2));
  log.AppliedTo(Index(1));
  EXPECT_EQ(log.applied(), Index(2));
  EXPECT_DEATH(log.AppliedTo(Index(3)), "CHECK failed");
}

// ---- Snapshots ----

TEST_F(LogTest, ASnapshotReplacesEverythingAndHoldsBackApplying) {
  storage_.Append(Numbered(1, 10));
  RaftLog log = Make();
  log.CommitTo(Index(5));
  log.Restore(Snap(20, 3));
  EXPECT_EQ(log.FirstIndex(), Index(21));
  EXPECT_EQ(log.LastIndex(), Index(20));
  EXPECT_EQ(log.committed(), Index(20));
  EXPECT_EQ(log.TermAt(Index(20)), Term(3));
  EXPECT_EQ(log.TermAt(Index(10)), std::nullopt);  // storage still has it
  log.Append(Numbered(21, 22, 3));
  log.CommitTo(Index(22));
  EXPECT_FALSE(log.HasNextCommitted());
  EXPECT_EQ(log.Entries(Index(5), kNoLimit), std::nullopt);
  log.AcceptUnstable();
  // One that it replaced becomes durable first: Storage has it, the log goes on waiting.
  EXPECT_TRUE(log.StableSnapshotTo(Snap(19, 3)));
  EXPECT_EQ(storage_.FirstIndex(), Index(20));
  EXPECT_TRUE(log.HasPendingSnapshot());
  EXPECT_EQ(log.TermAt(Index(19)), std::nullopt);
  EXPECT_EQ(log.LastIndex(), Index(22));
  EXPECT_TRUE(log.StableSnapshotTo(Snap(20, 3)));
  EXPECT_FALSE(log.StableSnapshotTo(Snap(19, 3)));
  EXPECT_FALSE(log.HasPendingSnapshot());
  log.StableTo(Id(3, 22));
  log.AppliedTo(Index(20));
  EXPECT_EQ(log.NextCommitted(false).size(), 2u);
  EXPECT_EQ(storage_.FirstIndex(), Index(21));
  EXPECT_EQ(storage_.LastIndex(), Index(22));
}

// ---- Reading across the boundary ----

TEST_F(LogTest, SlicesJoinStableAndUnstableEntriesWithinTheLimit) {
  ASSERT_TRUE(storage_.ApplySnapshot(Snap(100, 1)).ok());
  for (uint64_t i = 101; i <= 105; ++i) storage_.Append({E(i, 1, "0123456789")});
  RaftLog log = Make();
  for (uint64_t i = 106; i <= 110; ++i) log.Append({E(i, 1, "0123456789")});
  const uint64_t one = EncodedSize(E(101, 1, "0123456789"));
  const auto count = [&](uint64_t from, uint64_t bytes) {
    const auto entries = log.Entries(Index(from), bytes);
    for (size_t i = 0; i < entries->size(); ++i) {
      EXPECT_EQ((*entries)[i].index, Index(from + i));
    }
    return entries->size();
  };
  EXPECT_EQ(count(101, kNoLimit), 10u);
  EXPECT_EQ(count(101, 0), 1u);
  EXPECT_EQ(count(101, 5 * one), 5u);
  EXPECT_EQ(count(101, 6 * one - 1), 5u);
  EXPECT_EQ(count(101, 6 * one), 6u);
  EXPECT_EQ(count(105, one), 1u);
  EXPECT_EQ(count(105, one + one / 2), 1u);
  EXPECT_EQ(count(106, 0), 1u);
  EXPECT_EQ(count(106, 3 * one), 3u);
  EXPECT_EQ(count(111, kNoLimit), 0u);
  EXPECT_EQ(log.Entries(Index(100), kNoLimit), std::nullopt);
}

TEST_F(LogTest, CompactionMovesTheFirstIndex) {
  storage_.Append(Numbered(1, 10));
  RaftLog log = Make();
  log.CommitTo(Index(8));
  log.AppliedTo(Index(8));
  ASSERT_TRUE(storage_.Compact(Index(6)).ok());
  EXPECT_EQ(log.FirstIndex(), Index(7));
  EXPECT_EQ(log.TermAt(Index(6)), Term(1));
  EXPECT_EQ(log.TermAt(Index(5)), std::nullopt);
  EXPECT_EQ(log.Entries(Index(7), kNoLimit)->size(), 4u);
}

}  // namespace
}  // namespace kvorum::raft
