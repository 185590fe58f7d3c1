// Leases of a whole member: how they end, how they are kept alive, what a restart leaves of them;
// and the other thing its timers propose, automatic compaction.

#include "server/lease_calls.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/server/member_harness.h"

namespace kvorum::server {
namespace {

using std::chrono::milliseconds;
using std::chrono::minutes;
using std::chrono::seconds;

class LeaseCallsTest : public ::testing::Test {
 protected:
  static constexpr size_t kTimers = 0;
  static constexpr size_t kRaft = 1;
  static constexpr size_t kWal = 2;

  // As time passes for a member whose threads run.
  void Pass(Duration total, Duration piece = milliseconds(100)) {
    for (Duration passed(0); passed < total; passed += piece) {
      member_.clock.Advance(piece);
      member_.StepUntilIdle();
    }
  }
  void Commit() {  // and do not apply
    member_.server->StepStage(kRaft);
    member_.server->StepStage(kWal);
    member_.server->StepStage(kRaft);
  }
  static etcdserverpb::InternalRaftRequest GrantRequest(int64_t id, int64_t ttl) {
    etcdserverpb::InternalRaftRequest request;
    request.mutable_lease_grant()->set_id(id);
    request.mutable_lease_grant()->set_ttl(ttl);
    return request;
  }
  void GrantMany(int count, int64_t ttl) {
    std::vector<std::unique_ptr<TestCall>> calls;
    for (int id = 1; id <= count; ++id) calls.push_back(member_.Start(GrantRequest(id, ttl)));
    member_.StepUntilIdle();
    ASSERT_TRUE(calls.back()->done());
    ASSERT_EQ(LeaseCount(), static_cast<size_t>(count));
  }
  size_t LeaseCount() { return member_.server->Leases().size(); }
  LeaseTimeToLiveResult TimeToLive(int64_t id) { return member_.TimeToLive(id); }
  void StartRenew(int64_t id, TestRenew* renew) {
    member_.server->LeaseRenew(LeaseId(id), TimePoint::max(), renew);
  }
  uint64_t LastCommitted() { return member_.server->status().raft_index.value(); }

  MemberHarness member_;
};

// ---- Expiry -------------------------------------------------------------------------------------

TEST_F(LeaseCallsTest, SixteenRevocationsAreUnderWayAtATime) {
  member_.OpenAndWaitReady();
  GrantMany(100, 2);
  member_.clock.Advance(seconds(3));
  member_.server->StepStage(kRaft);  // ticks
  const uint64_t before = LastCommitted();
  member_.server->StepStage(kTimers);
  Commit();
  EXPECT_EQ(LastCommitted(), before + LeaseScheduler::kMaxPendingRevokes);
  member_.server->StepStage(kTimers);
  Commit();
  EXPECT_EQ(LastCommitted(), before + LeaseScheduler::kMaxPendingRevokes) << "none is applied yet";
  member_.StepUntilIdle();
  EXPECT_EQ(LeaseCount(), 0u);
}

TEST_F(LeaseCallsTest, AThousandLeasesASecondAreRevoked) {
  member_.OpenAndWaitReady();
  GrantMany(1200, 2);
  Pass(seconds(2), milliseconds(100));
  EXPECT_GE(LeaseCount(), 700u);
  Pass(milliseconds(500));
  EXPECT_GE(LeaseCount(), 200u);
  EXPECT_LE(LeaseCount(), 700u);
  Pass(seconds(1));
  EXPECT_EQ(LeaseCount(), 0u);
}

TEST_F(LeaseCallsTest, NothingIsRevokedWhileTheRaftLoopHangs) {
  member_.OpenAndWaitReady();
  GrantMany(10, 2);
  member_.clock.Advance(seconds(3));
  const uint64_t before = LastCommitted();
  member_.server->StepStage(kTimers);
  Commit();
  EXPECT_EQ(LastCommitted(), before);
  Pass(seconds(1));
  EXPECT_EQ(LeaseCount(), 0u);
}

TEST_F(LeaseCallsTest, KeysOfALeaseGoInOneRevisionInTheirOrder) {
  member_.OpenAndWaitReady();
  GrantMany(1, 2);
  for (const char* key : {"c", "a", "b"}) ASSERT_EQ(member_.Put(key, "1", 1), Error::kOk);
  const Revision before = member_.server->revision();
  EXPECT_THAT(TimeToLive(1).keys, ::testing::ElementsAre("a", "b", "c"));
  Pass(seconds(3));
  EXPECT_EQ(member_.server->revision(), before + 1);
  EXPECT_EQ(member_.Value("a"), std::nullopt);
}

TEST_F(LeaseCallsTest, ALeaseWithoutKeysTakesNoRevision) {
  member_.OpenAndWaitReady();
  GrantMany(1, 2);
  const Revision before = member_.server->revision();
  Pass(seconds(3));
  EXPECT_EQ(LeaseCount(), 0u);
  EXPECT_EQ(member_.server->revision(), before);
}

// ---- Renewal ------------------------------------------------------------------------------------

TEST_F(LeaseCallsTest, KnownLeaseIsRenewedWithoutWaiting) {
  member_.OpenAndWaitReady();
  GrantMany(1, 10);
  const auto put = member_.Start(MemberHarness::PutRequest("a", "1"));
  Commit();
  TestRenew renew;
  StartRenew(1, &renew);
  ASSERT_TRUE(renew.done());
  EXPECT_EQ(renew.ttl_seconds, 10);
  member_.StepUntilIdle();
}

TEST_F(LeaseCallsTest, WithoutTheGateEveryRenewalWaitsForWhatIsCommitted) {
  member_.config.fast_lease_keep_alive = false;
  member_.OpenAndWaitReady();
  GrantMany(1, 10);
  TestRenew at_once;
  StartRenew(1, &at_once);
  EXPECT_TRUE(at_once.done()) << "all is applied";
  const auto put = member_.Start(MemberHarness::PutRequest("a", "1"));
  Commit();
  TestRenew renew;
  StartRenew(1, &renew);
  EXPECT_FALSE(renew.done());
  member_.StepUntilIdle();
  ASSERT_TRUE(renew.done());
  EXPECT_EQ(renew.ttl_seconds, 10);
}

TEST_F(LeaseCallsTest, UnknownLeaseMayBeOnItsWay) {
  member_.OpenAndWaitReady();
  const auto grant = member_.Start(GrantRequest(7, 10));
  Commit();
  TestRenew renew;
  StartRenew(7, &renew);
  EXPECT_FALSE(renew.done());
  member_.StepUntilIdle();
  ASSERT_TRUE(renew.done());
  EXPECT_EQ(renew.error, Error::kOk);
  EXPECT_EQ(renew.ttl_seconds, 10);
}

TEST_F(LeaseCallsTest, WaitingForWhatIsCommittedTakesASecondAtMost) {
  member_.OpenAndWaitReady();
  const auto grant = member_.Start(GrantRequest(7, 10));
  Commit();
  TestRenew renew;
  StartRenew(7, &renew);
  member_.clock.Advance(LeaseCalls::kApplyWait);
  member_.server->StepStage(kRaft);
  ASSERT_TRUE(renew.done());
  EXPECT_EQ(renew.error, Error::kTimeoutWaitAppliedIndex);
  member_.StepUntilIdle();
}

TEST_F(LeaseCallsTest, AfterAPauseOfTheRaftLoopLeadershipIsProvedFirst) {
  member_.OpenAndWaitReady();
  GrantMany(1, 10);
  member_.clock.Advance(seconds(1));
  TestRenew renew;
  StartRenew(1, &renew);
  EXPECT_FALSE(renew.done());
  member_.StepUntilIdle();
  ASSERT_TRUE(renew.done());
  EXPECT_EQ(renew.error, Error::kOk);
  EXPECT_EQ(renew.ttl_seconds, 10);
  member_.clock.Advance(seconds(1));
  TestRenew refused;
  StartRenew(1, &refused);
  member_.clock.Advance(member_.config.request_timeout());
  member_.server->StepStage(kRaft);
  ASSERT_TRUE(member_.StepUntil([&] { return refused.done(); }));
  EXPECT_EQ(refused.error, Error::kNotPrimaryLessor);
}

TEST_F(LeaseCallsTest, RenewalOfAnExpiredLeaseIsAnsweredWhenItsKeysAreGone) {
  member_.OpenAndWaitReady();
  GrantMany(1, 2);
  ASSERT_EQ(member_.Put("a", "1", 1), Error::kOk);
  member_.clock.Advance(seconds(3));
  member_.server->StepStage(kRaft);
  TestRenew renew;
  StartRenew(1, &renew);
  EXPECT_FALSE(renew.done());
  while (!renew.done()) ASSERT_TRUE(member_.server->Step());
  EXPECT_EQ(renew.error, Error::kOk);
  EXPECT_EQ(renew.ttl_seconds, 0);
  EXPECT_EQ(member_.Value("a"), std::nullopt);
}

TEST_F(LeaseCallsTest, StopEndsRenewalsThatWait) {
  member_.OpenAndWaitReady();
  GrantMany(1, 2);
  member_.clock.Advance(seconds(3));
  member_.server->StepStage(kRaft);
  TestRenew renew;
  StartRenew(1, &renew);
  member_.server->Stop();
  EXPECT_TRUE(renew.done());
}

// ---- Checkpoints --------------------------------------------------------------------------------

TEST_F(LeaseCallsTest, RestartKeepsWhatTheCheckpointLeft) {
  member_.config.lease_checkpoint = true;
  member_.config.lease_checkpoint_persist = true;
  member_.OpenAndWaitReady();
  ASSERT_EQ(member_.Grant(1, 1000), Error::kOk);
  Pass(minutes(5) + seconds(1), milliseconds(250));
  member_.Crash();
  member_.OpenAndWaitReady();
  const LeaseTimeToLiveResult ttl = TimeToLive(1);
  EXPECT_EQ(ttl.granted_ttl_seconds, 1000);
  EXPECT_GE(ttl.ttl_seconds, 699);
  EXPECT_LE(ttl.ttl_seconds, 701) << "one election timeout on top";
}

TEST_F(LeaseCallsTest, RenewalClearsTheCheckpointInTheLog) {
  member_.config.lease_checkpoint = true;
  member_.OpenAndWaitReady();
  ASSERT_EQ(member_.Grant(1, 1000), Error::kOk);
  Pass(minutes(5) + seconds(1), milliseconds(250));
  const uint64_t before = LastCommitted();
  TestRenew renew;
  StartRenew(1, &renew);
  EXPECT_FALSE(renew.done());
  member_.StepUntilIdle();
  ASSERT_TRUE(renew.done());
  EXPECT_EQ(renew.ttl_seconds, 1000);
  EXPECT_EQ(LastCommitted(), before + 1);
  TestRenew again;
  StartRenew(1, &again);
  EXPECT_TRUE(again.done()) << "nothing to clear";
  member_.Crash();
  member_.OpenAndWaitReady();
  EXPECT_GE(TimeToLive(1).ttl_seconds, 999);
}

TEST_F(LeaseCallsTest, WithoutTheGateARestartStartsTheTtlAgain) {
  member_.OpenAndWaitReady();
  ASSERT_EQ(member_.Grant(1, 1000), Error::kOk);
  Pass(minutes(5) + seconds(1), milliseconds(250));
  const uint64_t committed = LastCommitted();
  EXPECT_LE(committed, 10u) << "no checkpoint";
  member_.Crash();
  member_.OpenAndWaitReady();
  EXPECT_GE(TimeToLive(1).ttl_seconds, 999);
}

// ---- Automatic compaction, the check at the start -----------------------------------------------

TEST_F(LeaseCallsTest, MemberCompactsByItself) {
  member_.config.auto_compaction_retention = "1m";
  member_.OpenAndWaitReady();
  for (int i = 0; i < 10; ++i) ASSERT_EQ(member_.Put("a", std::to_string(i)), Error::kOk);
  Pass(minutes(2), seconds(1));
  RangeResult result;
  etcdserverpb::RangeRequest old;
  old.set_key("a");
  old.set_revision(5);
  EXPECT_EQ(member_.server->Range(old, &result), Error::kCompacted);
  EXPECT_EQ(member_.Value("a"), "9");
  TestWait purged;
  member_.server->WaitCompacted(&purged);
  EXPECT_TRUE(member_.StepUntil([&] { return purged.done(); }));
}

TEST_F(LeaseCallsTest, RetentionThatIsNoneIsRefusedBeforeAnythingIsMade) {
  member_.config.auto_compaction_retention = "xx";
  const Status status = member_.Open();
  EXPECT_EQ(status.message(), "error parsing CompactionRetention: time: invalid duration \"xx\"");
  EXPECT_FALSE(member_.env.Exists("/data"));
}

TEST_F(LeaseCallsTest, InitialCheckReadsWhatIsThere) {
  member_.config.initial_corrupt_check = true;
  member_.OpenAndWaitReady();
  ASSERT_EQ(member_.Put("a", "1"), Error::kOk);
  member_.Stop();
  member_.OpenAndWaitReady();
  EXPECT_EQ(member_.Value("a"), "1");
}

}  // namespace
}  // namespace kvorum::server
