#include "server/leader_transfers.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "server/job_stage.h"
#include "tests/server/member_harness.h"

namespace kvorum::server {
namespace {

using std::chrono::milliseconds;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

constexpr MemberId kSelf(1);
constexpr MemberId kOther(2);
constexpr MemberId kLearner(3);

// Members 1, the leader, and 2; raft does what the test says.
class LeaderTransfersTest : public ::testing::Test {
 protected:
  LeaderTransfersTest() {
    job_ = stage_.Add([this](TimePoint now) { return transfers_.Step(now); });
    Settle();
  }
  void Settle() {
    while (stage_.Step(Wait::kNo)) {
    }
  }
  void Pass(Duration time) {
    clock_.Advance(time);
    Settle();
  }
  void Begin(MemberId target, TimePoint deadline = TimePoint::max()) {
    transfers_.Begin(target, deadline, &call_);
    Settle();
  }

  ManualClock clock_;
  JobStage stage_{clock_};
  size_t job_ = 0;
  MemberId leader_ = kSelf;
  std::vector<uint64_t> asked_;
  LeaderTransfers transfers_{{.self = kSelf,
                              .clock = &clock_,
                              .interval = milliseconds(100),
                              .leader = [this] { return leader_; },
                              .is_voter = [](MemberId id) { return id == kSelf || id == kOther; },
                              .transfer = [this](MemberId id) { asked_.push_back(id.value()); },
                              .run_soon = [this] { stage_.RunSoon(job_); }}};
  TestWait call_;
};

TEST_F(LeaderTransfersTest, EndsWhenTheOtherLeads) {
  testing::internal::CaptureStderr();
  Begin(kOther);
  EXPECT_THAT(asked_, ElementsAre(2));
  Pass(milliseconds(100));
  EXPECT_FALSE(call_.done());
  leader_ = raft::kNone;
  Pass(milliseconds(100));
  EXPECT_FALSE(call_.done()) << "nobody leads yet";
  leader_ = kOther;
  Pass(milliseconds(100));
  ASSERT_TRUE(call_.done());
  EXPECT_EQ(call_.error, Error::kOk);
  EXPECT_THAT(asked_, ElementsAre(2)) << "asked once";
  const std::string lines = testing::internal::GetCapturedStderr();
  EXPECT_THAT(lines, HasSubstr("\"msg\":\"leadership transfer starting\",\"local-member-id\":\"1\","
                               "\"current-leader-member-id\":\"1\","
                               "\"transferee-member-id\":\"2\"}"));
  EXPECT_THAT(lines, HasSubstr("\"msg\":\"leadership transfer finished\",\"local-member-id\":\"1\","
                               "\"old-leader-member-id\":\"1\",\"new-leader-member-id\":\"2\","
                               "\"took\":\"300ms\"}"));
}

TEST_F(LeaderTransfersTest, OtherThanVotersAreRefused) {
  for (const MemberId target : {kLearner, MemberId(0), MemberId(4711)}) {
    TestWait call;
    transfers_.Begin(target, TimePoint::max(), &call);
    ASSERT_TRUE(call.done());
    EXPECT_EQ(call.error, Error::kBadLeaderTransferee);
  }
  EXPECT_THAT(asked_, IsEmpty());
}

TEST_F(LeaderTransfersTest, OnlyALeaderCanGiveAway) {
  leader_ = kOther;
  Begin(MemberId(4711));
  EXPECT_EQ(call_.error, Error::kNotLeader) << "before it looks for the member";
}

TEST_F(LeaderTransfersTest, EndsAtTheClientsDeadline) {
  Begin(kOther, clock_.Now() + milliseconds(250));
  Pass(milliseconds(200));
  EXPECT_FALSE(call_.done());
  Pass(milliseconds(100));
  ASSERT_TRUE(call_.done());
  EXPECT_EQ(call_.error, Error::kTimeoutLeaderTransfer);
}

TEST_F(LeaderTransfersTest, ClientThatLeavesIsForgotten) {
  Begin(kOther);
  EXPECT_TRUE(transfers_.Abandon(&call_));
  EXPECT_FALSE(transfers_.Abandon(&call_));
  leader_ = kOther;
  Pass(milliseconds(100));
  EXPECT_FALSE(call_.done());
}

TEST_F(LeaderTransfersTest, StopEndsAllAndRefusesMore) {
  Begin(kOther);
  transfers_.Close(Error::kStopped);
  ASSERT_TRUE(call_.done());
  EXPECT_EQ(call_.error, Error::kStopped);
  TestWait late;
  transfers_.Begin(kOther, TimePoint::max(), &late);
  ASSERT_TRUE(late.done());
  EXPECT_EQ(late.error, Error::kStopped);
}

TEST(MoveLeaderTest, OnlyMemberMovesToItselfAlone) {
  MemberHarness member;
  member.OpenAndWaitReady();
  const auto move = [&](MemberId target) {
    TestWait call;
    member.server->MoveLeader(target, TimePoint::max(), &call);
    EXPECT_TRUE(member.StepUntil([&] { return call.done(); }));
    return call.error;
  };
  EXPECT_EQ(move(MemberId(4711)), Error::kBadLeaderTransferee);
  EXPECT_EQ(move(member.server->member_id()), Error::kOk);
  EXPECT_EQ(member.Put("a", "1"), Error::kOk) << "it leads as before";
}

}  // namespace
}  // namespace kvorum::server
