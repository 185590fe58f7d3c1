#include "raft/tracker/progress.h"

#include <gtest/gtest.h>

namespace kvorum::raft::tracker {
namespace {

Progress At(uint64_t match, uint64_t next, int window = 4) {
  return Progress({.match = Index(match), .next = Index(next), .max_inflight_messages = window});
}

TEST(ProgressTest, StartsProbing) {
  const Progress pr = At(1, 5);
  EXPECT_EQ(pr.state(), ProgressState::kProbe);
  EXPECT_FALSE(pr.IsPaused());
  EXPECT_EQ(pr.ToString(), "StateProbe match=1 next=5 inactive");
}

TEST(ProgressTest, AProbePausesAfterEntriesButNotAfterAnEmptyAppend) {
  Progress pr = At(0, 1);
  pr.SentEntries(0, 0);
  EXPECT_FALSE(pr.IsPaused());
  pr.SentEntries(2, 10);
  EXPECT_TRUE(pr.IsPaused());
  EXPECT_EQ(pr.next(), Index(1));  // a probe does not run ahead
  EXPECT_TRUE(pr.MaybeUpdate(Index(2)));
  EXPECT_FALSE(pr.IsPaused());
}

TEST(ProgressTest, ReplicationRunsAheadUntilTheWindowIsFull) {
  Progress pr = At(3, 9, /*window=*/2);
  pr.BecomeReplicate();
  EXPECT_EQ(pr.next(), Index(4));
  pr.SentEntries(2, 10);
  EXPECT_EQ(pr.next(), Index(6));
  EXPECT_FALSE(pr.IsPaused());
  pr.SentEntries(1, 10);
  EXPECT_EQ(pr.next(), Index(7));
  EXPECT_TRUE(pr.IsPaused());
  pr.set_flow_paused(false);  // a heartbeat answer lets one empty append through
  pr.SentEntries(0, 0);
  EXPECT_TRUE(pr.IsPaused());
  EXPECT_EQ(pr.next(), Index(7));
  EXPECT_TRUE(pr.MaybeUpdate(Index(5)));
  pr.FreeInflightsUpTo(Index(5));
  EXPECT_FALSE(pr.IsPaused());
  EXPECT_EQ(pr.inflights().count(), 1u);
}

TEST(ProgressTest, ASnapshotPausesUntilItIsThrough) {
  Progress pr = At(1, 2);
  pr.BecomeSnapshot(Index(10));
  EXPECT_TRUE(pr.IsPaused());
  EXPECT_EQ(pr.next(), Index(11));
  EXPECT_EQ(pr.pending_snapshot(), Index(10));
  EXPECT_EQ(pr.sent_commit(), Index(10));
  pr.BecomeProbe();
  EXPECT_EQ(pr.next(), Index(11));  // assumed to be there
  EXPECT_EQ(pr.pending_snapshot(), Index(0));
}

TEST(ProgressTest, AFailedSnapshotProbesBehindTheMatch) {
  Progress pr = At(1, 2);
  pr.BecomeSnapshot(Index(10));
  pr.ForgetPendingSnapshot();
  pr.BecomeProbe();
  EXPECT_EQ(pr.next(), Index(2));
  EXPECT_EQ(pr.sent_commit(), Index(1));
}

TEST(ProgressTest, AnAckBeyondThePendingSnapshotCounts) {
  Progress pr = At(1, 2);
  pr.BecomeSnapshot(Index(10));
  EXPECT_TRUE(pr.MaybeUpdate(Index(15)));
  EXPECT_EQ(pr.next(), Index(16));
  pr.BecomeReplicate();
  EXPECT_EQ(pr.next(), Index(16));
}

TEST(ProgressTest, BackToProbingForgetsTheWindow) {
  Progress pr = At(3, 4);
  pr.BecomeReplicate();
  pr.SentEntries(3, 30);
  pr.SentCommit(Index(6));
  pr.BecomeProbe();
  EXPECT_EQ(pr.next(), Index(4));
  EXPECT_EQ(pr.inflights().count(), 0u);
  EXPECT_EQ(pr.sent_commit(), Index(3));  // the message that told may be lost
}

TEST(ProgressTest, AcksBehindTheMatchAreOld) {
  const struct {
    uint64_t ack;
    bool news;
    uint64_t match;
    uint64_t next;
  } cases[] = {{2, false, 3, 5}, {3, false, 3, 5}, {4, true, 4, 5}, {6, true, 6, 7}};
  for (const auto& c : cases) {
    Progress pr = At(3, 5);
    EXPECT_EQ(pr.MaybeUpdate(Index(c.ack)), c.news);
    EXPECT_EQ(pr.match(), Index(c.match));
    EXPECT_EQ(pr.next(), Index(c.next));
  }
}

TEST(ProgressTest, RejectionsMoveNextBackUnlessTheyAreStale) {
  const struct {
    ProgressState state;
    uint64_t match, next, rejected, hint;
    bool moved;
    uint64_t next_after;
  } cases[] = {
      // Streaming: anything at or below the match is an old answer.
      {ProgressState::kReplicate, 5, 10, 5, 5, false, 10},
      {ProgressState::kReplicate, 5, 10, 4, 4, false, 10},
      {ProgressState::kReplicate, 5, 10, 9, 9, true, 6},
      // Probing: only an answer to the current probe counts.
      {ProgressState::kProbe, 0, 10, 5, 5, false, 10},
      {ProgressState::kProbe, 0, 10, 9, 9, true, 9},
      {ProgressState::kProbe, 0, 2, 1, 1, true, 1},
      {ProgressState::kProbe, 0, 1, 0, 0, true, 1},
      {ProgressState::kProbe, 0, 10, 9, 2, true, 3},
      {ProgressState::kProbe, 0, 10, 9, 0, true, 1},
      // A hint is never believed below what is known to match.
      {ProgressState::kProbe, 5, 10, 9, 2, true, 6},
  };
  for (const auto& c : cases) {
    Progress pr = At(c.match, c.match + 1, /*window=*/100);
    if (c.state == ProgressState::kReplicate) {
      pr.BecomeReplicate();
      pr.SentEntries(c.next - c.match - 1, 1);
    } else {
      pr = At(c.match, c.next);
    }
    pr.set_flow_paused(true);
    EXPECT_EQ(pr.MaybeDecrease(Index(c.rejected), Index(c.hint)), c.moved);
    EXPECT_EQ(pr.next(), Index(c.next_after)) << "rejected " << c.rejected << " hint " << c.hint;
    EXPECT_GT(pr.next(), pr.match());
    if (c.moved && c.state == ProgressState::kProbe) {
      EXPECT_FALSE(pr.IsPaused());
    }
  }
}

TEST(ProgressTest, ACommitIndexIsNewsOnlyWhileTheFollowerHasUseForIt) {
  Progress pr = At(5, 6);
  pr.BecomeReplicate();
  pr.SentEntries(4, 4);  // next 10
  pr.SentCommit(Index(7));
  EXPECT_FALSE(pr.CanBumpCommit(Index(7)));
  EXPECT_TRUE(pr.CanBumpCommit(Index(8)));
  pr.SentCommit(Index(9));
  EXPECT_FALSE(pr.CanBumpCommit(Index(12)));  // everything on its way is covered already
}

}  // namespace
}  // namespace kvorum::raft::tracker
