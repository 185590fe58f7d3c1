#include "server/read_index.h"

#include <gtest/gtest.h>

#include "tests/testing/manual_clock.h"

namespace kvorum::server {
namespace {

class Read : public Waiter, private Resumer {
 public:
  Read() : Waiter(static_cast<Resumer&>(*this)) {}
  int resumed = 0;

 private:
  void Resume(std::span<Waiter* const>) override { ++resumed; }
};

using Added = ReadIndexQueue::Added;

class ReadIndexTest : public ::testing::Test {
 protected:
  TimePoint Never() { return TimePoint::max(); }
  bool Start(uint64_t id, bool retry = false) { return reads_.StartRound(clock_.Now(), id, retry); }

  ManualClock clock_;
  ReadIndexQueue reads_{std::chrono::seconds(7)};
  Read a_;
  Read b_;
};

TEST_F(ReadIndexTest, ReadWaitsForAnswerAndThenForTheStore) {
  EXPECT_EQ(reads_.Add(Never(), &a_), Added::kWakeRaft);
  EXPECT_TRUE(Start(1));
  reads_.OnAnswer(1, Index(5));
  EXPECT_EQ(a_.resumed, 0);
  reads_.OnApplied(Index(4));
  EXPECT_EQ(a_.resumed, 0);
  reads_.OnApplied(Index(6));
  EXPECT_EQ(a_.resumed, 1);
  EXPECT_EQ(a_.error, Error::kOk);
}

TEST_F(ReadIndexTest, AppliedAlreadyMeansAtOnce) {
  reads_.OnApplied(Index(9));
  (void)reads_.Add(Never(), &a_);
  Start(1);
  reads_.OnAnswer(1, Index(5));
  EXPECT_EQ(a_.resumed, 1);
}

TEST_F(ReadIndexTest, ReadsJoinTheNextRoundNotTheRunningOne) {
  (void)reads_.Add(Never(), &a_);
  Start(1);
  EXPECT_EQ(reads_.Add(Never(), &b_), Added::kQueued);
  EXPECT_FALSE(Start(2));
  reads_.OnAnswer(1, Index(0));
  EXPECT_EQ(a_.resumed, 1);
  EXPECT_EQ(b_.resumed, 0);
  EXPECT_TRUE(Start(3));
  reads_.OnAnswer(3, Index(0));
  EXPECT_EQ(b_.resumed, 1);
}

TEST_F(ReadIndexTest, UnansweredRoundIsAskedAgainAndAnyOfItsIdsWillDo) {
  (void)reads_.Add(Never(), &a_);
  Start(1);
  EXPECT_FALSE(Start(2));
  clock_.Advance(ReadIndexQueue::kRetryInterval);
  EXPECT_TRUE(Start(3));
  reads_.OnAnswer(2, Index(0));
  EXPECT_EQ(a_.resumed, 0);
  reads_.OnAnswer(1, Index(0));
  EXPECT_EQ(a_.resumed, 1);
  reads_.OnAnswer(3, Index(0));  // late, of a round that is over
}

TEST_F(ReadIndexTest, FirstCommitOfATermRetriesAtOnce) {
  (void)reads_.Add(Never(), &a_);
  Start(1);
  EXPECT_TRUE(Start(2, /*retry=*/true));
}

TEST_F(ReadIndexTest, LeaderChangeFailsTheRoundOnly) {
  Read waits_for_store;
  (void)reads_.Add(Never(), &waits_for_store);
  Start(1);
  reads_.OnAnswer(1, Index(5));
  (void)reads_.Add(Never(), &a_);
  Start(2);
  (void)reads_.Add(Never(), &b_);
  reads_.OnLeaderChange();
  EXPECT_EQ(a_.error, Error::kLeaderChanged);
  EXPECT_EQ(a_.resumed, 1);
  EXPECT_EQ(b_.resumed, 0);
  EXPECT_EQ(waits_for_store.resumed, 0);
  reads_.OnAnswer(2, Index(5));  // of the old leader
  EXPECT_TRUE(Start(3));
  reads_.OnAnswer(3, Index(5));
  reads_.OnApplied(Index(5));
  EXPECT_EQ(waits_for_store.resumed, 1);
  EXPECT_EQ(b_.resumed, 1);
}

TEST_F(ReadIndexTest, RoundWithoutAnswerTimesOut) {
  (void)reads_.Add(Never(), &a_);
  Start(1);
  clock_.Advance(std::chrono::seconds(7));
  reads_.Expire(clock_.Now());
  EXPECT_EQ(a_.error, Error::kTimeout);
  EXPECT_EQ(a_.resumed, 1);
}

TEST_F(ReadIndexTest, ClientsDeadlineEndsItsReadWhereverItIs) {
  Read waits_for_store;
  (void)reads_.Add(clock_.Now() + std::chrono::seconds(1), &waits_for_store);
  Start(1);
  reads_.OnAnswer(1, Index(5));
  (void)reads_.Add(clock_.Now() + std::chrono::seconds(1), &a_);
  Start(2);
  (void)reads_.Add(clock_.Now() + std::chrono::seconds(2), &b_);
  clock_.Advance(std::chrono::seconds(1));
  reads_.Expire(clock_.Now());
  EXPECT_EQ(a_.error, Error::kDeadlineExceeded);
  EXPECT_EQ(waits_for_store.error, Error::kDeadlineExceeded);
  EXPECT_EQ(b_.resumed, 0);
  clock_.Advance(std::chrono::seconds(1));
  reads_.Expire(clock_.Now());
  EXPECT_EQ(b_.resumed, 1);
}

TEST_F(ReadIndexTest, AbandonedReadIsNotResumed) {
  (void)reads_.Add(Never(), &a_);
  EXPECT_TRUE(reads_.Abandon(&a_));
  EXPECT_FALSE(reads_.Abandon(&a_));
  Start(1);
  reads_.OnAnswer(1, Index(0));
  EXPECT_EQ(a_.resumed, 0);
}

TEST_F(ReadIndexTest, CloseEndsEverything) {
  (void)reads_.Add(Never(), &a_);
  reads_.Close(Error::kStopped);
  EXPECT_EQ(a_.error, Error::kStopped);
  EXPECT_EQ(reads_.Add(Never(), &b_), Added::kClosed);
}

}  // namespace
}  // namespace kvorum::server
