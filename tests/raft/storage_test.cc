#include "raft/storage.h"

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

// Compacted up to 3 (term 3), entries 4 and 5 of terms 4 and 5.
MemoryStorage Example() {
  MemoryStorage s;
  EXPECT_TRUE(s.ApplySnapshot(Snap(3, 3)).ok());
  s.Append({E(4, 4), E(5, 5)});
  return s;
}

TEST(MemoryStorageTest, AnEmptyOneStartsAtOne) {
  const MemoryStorage s;
  EXPECT_EQ(s.FirstIndex(), Index(1));
  EXPECT_EQ(s.LastIndex(), Index(0));
  EXPECT_EQ(s.TermAt(Index(0)), Term(0));
  EXPECT_EQ(s.TermAt(Index(1)), std::nullopt);
  EXPECT_TRUE(s.initial_hard_state().empty());
}

TEST(MemoryStorageTest, TermsAreKnownFromTheCompactedIndexOn) {
  const MemoryStorage s = Example();
  EXPECT_EQ(s.TermAt(Index(2)), std::nullopt);
  EXPECT_EQ(s.TermAt(Index(3)), Term(3));
  EXPECT_EQ(s.TermAt(Index(5)), Term(5));
  EXPECT_EQ(s.TermAt(Index(6)), std::nullopt);
}

TEST(MemoryStorageTest, CompactedEntriesCannotBeRead) {
  const MemoryStorage s = Example();
  EXPECT_EQ(s.Entries(Index(3), Index(5), ~0ull), std::nullopt);
  EXPECT_EQ(s.Entries(Index(4), Index(6), ~0ull)->size(), 2u);
  EXPECT_EQ(s.Entries(Index(4), Index(6), 0)->size(), 1u);
  EXPECT_EQ(s.Entries(Index(5), Index(6), 0)->front(), E(5, 5));
}

TEST(MemoryStorageTest, AppendOverwritesExtendsAndSkipsWhatIsCompacted) {
  const struct {
    std::vector<Entry> append;
    std::vector<Entry> expected;
  } cases[] = {
      {{E(1, 1), E(2, 2)}, {E(4, 4), E(5, 5)}},
      {{E(3, 3), E(4, 4), E(5, 5)}, {E(4, 4), E(5, 5)}},
      {{E(3, 3), E(4, 6), E(5, 6)}, {E(4, 6), E(5, 6)}},
      {{E(4, 4), E(5, 5), E(6, 5)}, {E(4, 4), E(5, 5), E(6, 5)}},
      {{E(2, 3), E(3, 3), E(4, 5)}, {E(4, 5)}},
      {{E(4, 5)}, {E(4, 5)}},
      {{E(6, 5)}, {E(4, 4), E(5, 5), E(6, 5)}},
      {{}, {E(4, 4), E(5, 5)}},
  };
  for (const auto& c : cases) {
    MemoryStorage s = Example();
    s.Append(c.append);
    EXPECT_EQ(s.Entries(Index(4), s.LastIndex() + 1, ~0ull), c.expected);
  }
}

TEST(MemoryStorageDeathTest, AGapIsABug) {
  MemoryStorage s = Example();
  EXPECT_DEATH(s.Append({E(7, 5)}), "gap");
}

TEST(MemoryStorageTest, CompactForgetsEntriesButNotTheTermAtItsIndex) {
  MemoryStorage s = Example();
  EXPECT_EQ(s.Compact(Index(3)).code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_TRUE(s.Compact(Index(4)).ok());
  EXPECT_EQ(s.FirstIndex(), Index(5));
  EXPECT_EQ(s.TermAt(Index(4)), Term(4));
  EXPECT_EQ(s.LastIndex(), Index(5));
  EXPECT_TRUE(s.Compact(Index(5)).ok());
  EXPECT_EQ(s.LastIndex(), Index(5));
  EXPECT_EQ(s.FirstIndex(), Index(6));
}

TEST(MemoryStorageTest, SnapshotsOnlyGoForward) {
  MemoryStorage s = Example();
  raftpb::ConfState conf;
  conf.add_voters(1);
  EXPECT_TRUE(s.CreateSnapshot(Index(4), conf, SharedBytes("data")).ok());
  EXPECT_EQ(s.CurrentSnapshot()->metadata.term, Term(4));
  EXPECT_EQ(s.CurrentSnapshot()->data.view(), "data");
  EXPECT_EQ(s.conf_state().voters_size(), 1);
  EXPECT_EQ(s.FirstIndex(), Index(4));  // creating one compacts nothing
  EXPECT_FALSE(s.CreateSnapshot(Index(4), conf, {}).ok());
  EXPECT_FALSE(s.ApplySnapshot(Snap(4, 4)).ok());
  EXPECT_TRUE(s.ApplySnapshot(Snap(9, 6)).ok());
  EXPECT_EQ(s.FirstIndex(), Index(10));
  EXPECT_EQ(s.TermAt(Index(9)), Term(6));
}

TEST(MemoryStorageTest, AConfigurationAloneMayBeInstalledAtBootstrap) {
  MemoryStorage s;
  auto snapshot = std::make_shared<Snapshot>();
  snapshot->metadata.conf_state.add_voters(1);
  EXPECT_TRUE(s.ApplySnapshot(snapshot).ok());
  EXPECT_EQ(s.conf_state().voters_size(), 1);
  EXPECT_EQ(s.FirstIndex(), Index(1));
}

}  // namespace
}  // namespace kvorum::raft
