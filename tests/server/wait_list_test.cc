#include "server/wait_list.h"

#include <gtest/gtest.h>

#include "tests/testing/manual_clock.h"

namespace kvorum::server {
namespace {

class Call : public ProposalWaiter, private Resumer {
 public:
  Call() : ProposalWaiter(static_cast<Resumer&>(*this)) {}
  int resumed = 0;

 private:
  void Resume(std::span<Waiter* const>) override { ++resumed; }
};

// Notes the batches it gets.
class CountingResumer : public Resumer {
 public:
  void Resume(std::span<Waiter* const> batch) override { batches.push_back(batch.size()); }
  std::vector<size_t> batches;
};

struct PlainCall : ProposalWaiter {
  using ProposalWaiter::ProposalWaiter;
};

class WaitListTest : public ::testing::Test {
 protected:
  void Complete(uint64_t id, Error error = Error::kOk) {
    std::vector<WaitList::Result> results(1);
    results[0] = {.id = id, .error = error, .response = etcdserverpb::PutResponse()};
    list_.Complete(results);
  }
  TimePoint In(int seconds) { return clock_.Now() + std::chrono::seconds(seconds); }
  void Expire() {
    list_.Expire(clock_.Now(), [] { return Error::kTimeout; });
  }

  ManualClock clock_;
  WaitList list_;
  Call call_;
};

TEST_F(WaitListTest, ResultReachesItsCall) {
  ASSERT_TRUE(list_.Add(1, In(1), &call_));
  EXPECT_TRUE(list_.Contains(1));
  Complete(2);
  EXPECT_EQ(call_.resumed, 0);
  Complete(1);
  EXPECT_EQ(call_.resumed, 1);
  EXPECT_EQ(call_.error, Error::kOk);
  EXPECT_TRUE(std::holds_alternative<etcdserverpb::PutResponse>(call_.response));
  EXPECT_FALSE(list_.Contains(1));
}

TEST_F(WaitListTest, ErrorComesWithoutResponse) {
  ASSERT_TRUE(list_.Add(1, In(1), &call_));
  Complete(1, Error::kLeaseNotFound);
  EXPECT_EQ(call_.error, Error::kLeaseNotFound);
  EXPECT_TRUE(std::holds_alternative<std::monostate>(call_.response));
}

TEST_F(WaitListTest, AbandonedCallIsNeverResumed) {
  ASSERT_TRUE(list_.Add(1, In(1), &call_));
  EXPECT_TRUE(list_.Abandon(&call_));
  Complete(1);
  EXPECT_EQ(call_.resumed, 0);
  EXPECT_FALSE(list_.Abandon(&call_));
}

TEST_F(WaitListTest, AbandonAfterCompletionSaysNo) {
  ASSERT_TRUE(list_.Add(1, In(1), &call_));
  Complete(1);
  EXPECT_FALSE(list_.Abandon(&call_));
}

TEST_F(WaitListTest, DeadlineEndsTheWait) {
  Call patient;
  ASSERT_TRUE(list_.Add(1, In(1), &call_));
  ASSERT_TRUE(list_.Add(2, In(5), &patient));
  Expire();
  EXPECT_EQ(call_.resumed, 0);
  clock_.Advance(std::chrono::seconds(1));
  Expire();
  EXPECT_EQ(call_.resumed, 1);
  EXPECT_EQ(call_.error, Error::kTimeout);
  EXPECT_EQ(patient.resumed, 0);
  clock_.Advance(std::chrono::seconds(4));
  Expire();
  EXPECT_EQ(patient.resumed, 1);
}

TEST_F(WaitListTest, AnswerReplacesTheResult) {
  ASSERT_TRUE(list_.Add(1, In(1), &call_, Error::kNoSpace));
  Complete(1);
  EXPECT_EQ(call_.error, Error::kNoSpace);
}

TEST_F(WaitListTest, RedirectedCallsWaitForTheOtherId) {
  Call second;
  ASSERT_TRUE(list_.Add(1, In(1), &call_));
  ASSERT_TRUE(list_.Add(2, In(1), &second));
  list_.Redirect(1, 9, Error::kNoSpace);
  list_.Redirect(2, 9, Error::kNoSpace);
  Complete(1);
  Complete(2);
  EXPECT_EQ(call_.resumed, 0);
  Complete(9);
  EXPECT_EQ(call_.resumed, 1);
  EXPECT_EQ(second.resumed, 1);
  EXPECT_EQ(call_.error, Error::kNoSpace);
}

TEST_F(WaitListTest, RedirectedCallCanBeAbandoned) {
  ASSERT_TRUE(list_.Add(1, In(1), &call_));
  list_.Redirect(1, 9, Error::kNoSpace);
  EXPECT_TRUE(list_.Abandon(&call_));
  Complete(9);
  EXPECT_EQ(call_.resumed, 0);
}

TEST_F(WaitListTest, ClosedListEndsAllAndTakesNoMore) {
  ASSERT_TRUE(list_.Add(1, In(1), &call_));
  list_.Close(Error::kStopped);
  EXPECT_EQ(call_.error, Error::kStopped);
  EXPECT_EQ(call_.resumed, 1);
  EXPECT_FALSE(list_.Add(2, In(1), &call_));
}

TEST_F(WaitListTest, BatchIsResumedOncePerResumer) {
  CountingResumer a;
  CountingResumer b;
  PlainCall calls[] = {PlainCall(a), PlainCall(b), PlainCall(a), PlainCall(a)};
  std::vector<WaitList::Result> results;
  for (uint64_t id = 1; id <= 4; ++id) {
    ASSERT_TRUE(list_.Add(id, In(1), &calls[id - 1]));
    results.push_back({.id = id});
  }
  list_.Complete(results);
  EXPECT_EQ(a.batches, std::vector<size_t>{3});
  EXPECT_EQ(b.batches, std::vector<size_t>{1});
}

}  // namespace
}  // namespace kvorum::server
