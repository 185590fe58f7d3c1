#include "raft/log_unstable.h"

#include <gtest/gtest.h>

namespace kvorum::raft {
namespace {

Entry E(uint64_t index, uint64_t term) { return {.term = Term(term), .index = Index(index)}; }

SnapshotPtr Snap(uint64_t index, uint64_t term) {
  auto s = std::make_shared<Snapshot>();
  s->metadata.index = Index(index);
  s->metadata.term = Term(term);
  return s;
}

std::vector<Entry> Numbered(uint64_t first, uint64_t last, uint64_t term) {
  std::vector<Entry> out;
  for (uint64_t i = first; i <= last; ++i) out.push_back(E(i, term));
  return out;
}

LogUnstable With(uint64_t offset, std::vector<Entry> entries, bool in_progress = false) {
  LogUnstable u{Index(offset)};
  if (!entries.empty()) u.TruncateAndAppend(std::move(entries));
  if (in_progress) u.AcceptInProgress();
  return u;
}

TEST(LogUnstableTest, EmptyDecidesNothing) {
  const LogUnstable u{Index(5)};
  EXPECT_EQ(u.MaybeFirstIndex(), std::nullopt);
  EXPECT_EQ(u.MaybeLastIndex(), std::nullopt);
  EXPECT_EQ(u.MaybeTerm(Index(4)), std::nullopt);
  EXPECT_EQ(u.MaybeTerm(Index(5)), std::nullopt);
}

TEST(LogUnstableTest, EntriesDecideLastIndexAndTerms) {
  const LogUnstable u = With(5, Numbered(5, 6, 2));
  EXPECT_EQ(u.MaybeFirstIndex(), std::nullopt);
  EXPECT_EQ(u.MaybeLastIndex(), Index(6));
  EXPECT_EQ(u.MaybeTerm(Index(4)), std::nullopt);
  EXPECT_EQ(u.MaybeTerm(Index(5)), Term(2));
  EXPECT_EQ(u.MaybeTerm(Index(7)), std::nullopt);
}

TEST(LogUnstableTest, ASnapshotDecidesFirstAndLastIndex) {
  LogUnstable u{Index(3)};
  u.Restore(Snap(10, 4));
  EXPECT_EQ(u.offset(), Index(11));
  EXPECT_EQ(u.MaybeFirstIndex(), Index(11));
  EXPECT_EQ(u.MaybeLastIndex(), Index(10));
  EXPECT_EQ(u.MaybeTerm(Index(10)), Term(4));
  EXPECT_EQ(u.MaybeTerm(Index(9)), std::nullopt);
  u.TruncateAndAppend(Numbered(11, 12, 5));
  EXPECT_EQ(u.MaybeLastIndex(), Index(12));
  EXPECT_EQ(u.MaybeFirstIndex(), Index(11));
  EXPECT_EQ(u.MaybeTerm(Index(10)), Term(4));
}

TEST(LogUnstableTest, WhatIsInProgressIsNotHandedOutAgain) {
  LogUnstable u = With(5, Numbered(5, 6, 1));
  u.Restore(Snap(8, 1));
  u.TruncateAndAppend(Numbered(9, 9, 1));
  EXPECT_NE(u.NextSnapshot(), nullptr);
  EXPECT_EQ(u.NextEntries().size(), 1u);
  u.AcceptInProgress();
  EXPECT_EQ(u.NextSnapshot(), nullptr);
  EXPECT_NE(u.snapshot(), nullptr);
  EXPECT_FALSE(u.HasNextEntries());
  u.TruncateAndAppend(Numbered(10, 11, 1));
  EXPECT_EQ(u.NextEntries().size(), 2u);
  EXPECT_EQ(u.offset_in_progress(), Index(10));
}

TEST(LogUnstableTest, StableEntriesAreGivenUpIfIndexAndTermStillFit) {
  const struct {
    uint64_t index, term;
    size_t given_up;
  } cases[] = {{4, 1, 0}, {5, 1, 1}, {6, 2, 2}, {7, 3, 3}, {6, 1, 0}, {7, 2, 0}, {8, 3, 0}};
  for (const bool in_progress : {false, true}) {
    for (const auto& c : cases) {
      LogUnstable u = With(5, {E(5, 1), E(6, 2), E(7, 3)}, in_progress);
      const auto stable = u.StableTo({.term = Term(c.term), .index = Index(c.index)});
      EXPECT_EQ(stable.size(), c.given_up) << c.index << "/" << c.term;
      EXPECT_EQ(u.offset(), Index(5 + c.given_up));
      EXPECT_EQ(u.entries().size(), 3 - c.given_up);
      EXPECT_GE(u.offset_in_progress(), u.offset());
    }
  }
}

TEST(LogUnstableTest, StableToBelowASnapshotIsIgnored) {
  LogUnstable u{Index(5)};
  u.Restore(Snap(8, 2));
  u.TruncateAndAppend(Numbered(9, 9, 2));
  EXPECT_TRUE(u.StableTo({.term = Term(2), .index = Index(8)}).empty());
  EXPECT_EQ(u.StableTo({.term = Term(2), .index = Index(9)}).size(), 1u);
}

TEST(LogUnstableTest, OnlyTheSnapshotWaitedForBecomesStable) {
  LogUnstable u{Index(5)};
  u.Restore(Snap(8, 2));
  EXPECT_EQ(u.StableSnapshotTo(Index(7)), nullptr);
  EXPECT_EQ(u.StableSnapshotTo(Index(8))->metadata.index, Index(8));
  EXPECT_EQ(u.snapshot(), nullptr);
  EXPECT_EQ(u.StableSnapshotTo(Index(8)), nullptr);
}

TEST(LogUnstableTest, AppendingTruncatesFromTheFirstNewIndex) {
  const struct {
    const char* name;
    bool in_progress;
    std::vector<Entry> append;
    uint64_t offset, offset_in_progress;
    std::vector<uint64_t> terms;
  } cases[] = {
      {"at the end", false, Numbered(7, 8, 2), 5, 5, {1, 1, 2, 2}},
      {"at the end, rest in progress", true, Numbered(7, 8, 2), 5, 7, {1, 1, 2, 2}},
      {"everything", false, Numbered(5, 6, 2), 5, 5, {2, 2}},
      {"everything, in progress", true, Numbered(5, 6, 2), 5, 5, {2, 2}},
      {"more than everything", true, Numbered(4, 6, 2), 4, 4, {2, 2, 2}},
      {"the tail", false, Numbered(6, 6, 2), 5, 5, {1, 2}},
      {"the tail, in progress", true, Numbered(6, 7, 2), 5, 6, {1, 2, 2}},
  };
  for (const auto& c : cases) {
    LogUnstable u = With(5, Numbered(5, 6, 1), c.in_progress);
    u.TruncateAndAppend(c.append);
    EXPECT_EQ(u.offset(), Index(c.offset)) << c.name;
    EXPECT_EQ(u.offset_in_progress(), Index(c.offset_in_progress)) << c.name;
    ASSERT_EQ(u.entries().size(), c.terms.size()) << c.name;
    for (size_t i = 0; i < c.terms.size(); ++i) {
      EXPECT_EQ(u.entries()[i], E(c.offset + i, c.terms[i])) << c.name;
    }
  }
}

TEST(LogUnstableTest, SlicesAreCutByBytesButNeverToNothing) {
  std::deque<Entry> entries;
  for (uint64_t i = 1; i <= 4; ++i) {
    entries.push_back({.term = Term(1), .index = Index(i), .data = SharedBytes("0123456789")});
  }
  const uint64_t one = EncodedSize(entries[0]);
  EXPECT_EQ(CopyLimited(entries, 0, 4, 0).size(), 1u);
  EXPECT_EQ(CopyLimited(entries, 0, 4, one).size(), 1u);
  EXPECT_EQ(CopyLimited(entries, 0, 4, 2 * one - 1).size(), 1u);
  EXPECT_EQ(CopyLimited(entries, 0, 4, 2 * one).size(), 2u);
  EXPECT_EQ(CopyLimited(entries, 1, 4, ~0ull).size(), 3u);
  EXPECT_EQ(CopyLimited(entries, 2, 2, ~0ull).size(), 0u);
}

}  // namespace
}  // namespace kvorum::raft
