#include "server/server_impl.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/server/member_harness.h"

namespace kvorum::server {
namespace {

class ServerTest : public ::testing::Test {
 protected:
  MemberHarness member_;
};

TEST_F(ServerTest, NewMemberBecomesReadyAndKnowsItself) {
  member_.OpenAndWaitReady();
  EtcdServer& server = *member_.server;
  EXPECT_EQ(HexId(server.member_id()), "8e9e05c52164694d");
  EXPECT_EQ(HexId(server.cluster_id()), "cdf818194e3a8c32");
  EXPECT_EQ(server.cluster_version(), "3.7.0");
  EXPECT_TRUE(server.has_leader());
  EXPECT_FALSE(server.is_learner());
  EXPECT_EQ(server.revision(), Revision(1));
  ASSERT_EQ(server.Members().size(), 1u);
  EXPECT_EQ(server.Members()[0].name, "default");
  EXPECT_EQ(server.Members()[0].client_urls, server.config().advertise_client_urls);
  EXPECT_EQ(server.status().storage_version, "3.7.0");
}

TEST_F(ServerTest, PutIsAppliedAndRead) {
  member_.OpenAndWaitReady();
  EXPECT_EQ(member_.Put("a", "1"), Error::kOk);
  EXPECT_EQ(member_.server->revision(), Revision(2));
  EXPECT_EQ(member_.Value("a"), "1");
  EXPECT_EQ(member_.Value("b"), std::nullopt);
}

TEST_F(ServerTest, RestartAfterStopKeepsEverything) {
  member_.OpenAndWaitReady();
  for (int i = 0; i < 20; ++i) EXPECT_EQ(member_.Put("k" + std::to_string(i % 7), "v"), Error::kOk);
  const uint32_t hash = member_.HashKv(0);
  const Term term = member_.server->term();
  member_.Stop();
  member_.OpenAndWaitReady();
  EXPECT_EQ(member_.server->revision(), Revision(21));
  EXPECT_EQ(member_.HashKv(0), hash);
  EXPECT_GT(member_.server->term(), term);
  EXPECT_EQ(member_.server->Members().size(), 1u);
}

TEST_F(ServerTest, CrashLosesNoAcknowledgedWrite) {
  member_.OpenAndWaitReady();
  for (int i = 0; i < 20; ++i) EXPECT_EQ(member_.Put("k" + std::to_string(i), "v"), Error::kOk);
  const uint32_t hash = member_.HashKv(21);
  member_.Crash();
  member_.OpenAndWaitReady();
  EXPECT_EQ(member_.server->revision(), Revision(21));
  EXPECT_EQ(member_.HashKv(21), hash);
}

// ---- Reads --------------------------------------------------------------------------------------

TEST_F(ServerTest, SoleLeaderReadsWithoutARound) {
  EXPECT_OK(member_.Open());
  EXPECT_FALSE(member_.server->ReadIndexNow());
  ASSERT_TRUE(member_.StepUntil([this] { return member_.server->ready(); }));
  EXPECT_TRUE(member_.server->ReadIndexNow());
  const auto put = member_.Start(MemberHarness::PutRequest("a", "1"));
  ASSERT_TRUE(member_.StepUntil([&] { return put->done(); }));
  EXPECT_TRUE(member_.server->ReadIndexNow());
}

TEST_F(ServerTest, ReadIndexCompletesOnceEverythingBeforeIsApplied) {
  member_.OpenAndWaitReady();
  const auto put = member_.Start(MemberHarness::PutRequest("a", "1"));
  TestWait read;
  member_.server->ReadIndex(TimePoint::max(), &read);
  ASSERT_TRUE(member_.StepUntil([&] { return read.done(); }));
  EXPECT_EQ(read.error, Error::kOk);
  TestWait second;
  member_.server->ReadIndex(TimePoint::max(), &second);
  ASSERT_TRUE(member_.StepUntil([&] { return second.done(); }));
  EXPECT_EQ(member_.Value("a"), "1");
}

TEST_F(ServerTest, ReadBeforeThereIsALeaderEndsAtItsDeadline) {
  EXPECT_OK(member_.Open());
  TestWait read;
  member_.server->ReadIndex(member_.clock.Now() + std::chrono::milliseconds(1), &read);
  member_.clock.Advance(std::chrono::milliseconds(150));
  member_.server->StepStage(1);  // the raft loop alone: nothing gets durable, nobody is elected
  EXPECT_TRUE(read.done());
  EXPECT_EQ(read.error, Error::kDeadlineExceeded);
}

TEST_F(ServerTest, RangeFromMemoryAnswersAsRangeDoes) {
  member_.OpenAndWaitReady();
  EXPECT_EQ(member_.Put("a", "1"), Error::kOk);
  etcdserverpb::RangeRequest request;
  request.set_key("a");
  RangeResult result;
  ASSERT_EQ(member_.server->RangeInMemory(request, &result), Error::kOk);
  ASSERT_EQ(result.kvs.size(), 1u);
  EXPECT_EQ(result.revision, Revision(2));
  request.set_revision(9);
  EXPECT_EQ(member_.server->RangeInMemory(request, &result), Error::kFutureRevision);
}

// ---- Gates --------------------------------------------------------------------------------------

TEST_F(ServerTest, OversizedRequestIsRefused) {
  member_.config.max_request_bytes = 1000;
  member_.OpenAndWaitReady();
  EXPECT_EQ(member_.Put("a", std::string(1000, 'x')), Error::kRequestTooLarge);
  EXPECT_EQ(member_.Put("a", std::string(900, 'x')), Error::kOk);
}

TEST_F(ServerTest, KindThatIsNotServedNeverEntersTheLog) {
  member_.OpenAndWaitReady();
  const Index before = member_.server->status().raft_index;
  etcdserverpb::InternalRaftRequest request;
  request.mutable_auth_enable();
  EXPECT_EQ(member_.Do(request)->error, Error::kUnimplemented);
  EXPECT_EQ(member_.Do({})->error, Error::kUnimplemented);
  EXPECT_EQ(member_.server->status().raft_index, before);
}

TEST_F(ServerTest, QuotaRaisesTheAlarmBeforeTheCallIsAnswered) {
  member_.config.quota_backend_bytes = 4000;
  member_.OpenAndWaitReady();
  Error error = Error::kOk;
  for (int i = 0; i < 20 && error == Error::kOk; ++i) {
    error = member_.Put("k" + std::to_string(i), std::string(500, 'x'));
  }
  EXPECT_EQ(error, Error::kNoSpace);
  ASSERT_EQ(member_.server->Alarms().size(), 1u);
  EXPECT_EQ(member_.server->Alarms()[0].alarm(), etcdserverpb::NOSPACE);
  EXPECT_EQ(member_.server->Alarms()[0].memberid(), member_.server->member_id().value());
  EXPECT_THAT(member_.server->status().errors[0], ::testing::HasSubstr("alarm:NOSPACE"));
  // Small ones too, until it is taken away.
  EXPECT_EQ(member_.Put("s", "1"), Error::kNoSpace);
}

TEST_F(ServerTest, QuotaComesBeforeWhatIsWrongWithARequest) {
  member_.config.quota_backend_bytes = 1;
  member_.OpenAndWaitReady();
  etcdserverpb::InternalRaftRequest put;
  put.mutable_put();
  etcdserverpb::InternalRaftRequest deletion;  // costs no space
  deletion.mutable_delete_range();
  const Index before = member_.server->status().raft_index;
  TestCall call;
  member_.server->Refuse(deletion, Error::kEmptyKey, TimePoint::max(), &call);
  EXPECT_TRUE(member_.StepUntil([&] { return call.done(); }));
  EXPECT_EQ(call.error, Error::kEmptyKey);
  EXPECT_EQ(member_.server->status().raft_index, before);
  TestCall over;
  member_.server->Refuse(put, Error::kEmptyKey, TimePoint::max(), &over);
  EXPECT_TRUE(member_.StepUntil([&] { return over.done(); }));
  EXPECT_EQ(over.error, Error::kNoSpace);
  ASSERT_EQ(member_.server->Alarms().size(), 1u);
  EXPECT_EQ(member_.server->Alarms()[0].alarm(), etcdserverpb::NOSPACE);
}

TEST_F(ServerTest, StatusDescribesAlarmsWithoutWhatIsZero) {
  member_.OpenAndWaitReady();
  for (const uint64_t id : {0, 5}) {
    etcdserverpb::InternalRaftRequest request;
    request.mutable_alarm()->set_action(etcdserverpb::AlarmRequest::ACTIVATE);
    request.mutable_alarm()->set_memberid(id);
    request.mutable_alarm()->set_alarm(etcdserverpb::CORRUPT);
    EXPECT_EQ(member_.Do(request)->error, Error::kOk);
  }
  EXPECT_THAT(member_.server->status().errors,
              ::testing::ElementsAre("alarm:CORRUPT", "memberID:5 alarm:CORRUPT"));
}

// Also for revocations of leases, but with the gate not before twice as much waits.
TEST_F(ServerTest, OverloadIsRefused) {
  member_.config.priority_request = true;
  member_.OpenAndWaitReady();
  ASSERT_EQ(member_.Grant(7, 60), Error::kOk);
  std::vector<std::unique_ptr<TestCall>> calls;
  for (uint64_t i = 0; i < kMaxApplyLag + 10; ++i) {
    calls.push_back(member_.Start(MemberHarness::PutRequest("a", "1")));
  }
  // Log and raft run, the apply stage does not.
  for (int i = 0; i < 10; ++i) {
    member_.server->StepStage(1);
    member_.server->StepStage(2);
  }
  const auto late = member_.Start(MemberHarness::PutRequest("a", "1"));
  EXPECT_TRUE(late->done());
  EXPECT_EQ(late->error, Error::kTooManyRequests);
  etcdserverpb::InternalRaftRequest revoke;
  revoke.mutable_lease_revoke()->set_id(7);
  const auto priority = member_.Start(std::move(revoke));
  EXPECT_FALSE(priority->done());
  ASSERT_TRUE(member_.StepUntil([&] { return calls.back()->done() && priority->done(); }));
  EXPECT_EQ(priority->error, Error::kOk);
  EXPECT_EQ(member_.Put("a", "2"), Error::kOk);
}

TEST_F(ServerTest, RequestThatIsNotAppliedInTimeGetsATimeout) {
  member_.OpenAndWaitReady();
  const auto call = member_.Start(MemberHarness::PutRequest("a", "1"));
  member_.server->StepStage(1);
  member_.clock.Advance(member_.config.request_timeout());
  member_.server->StepStage(1);
  EXPECT_TRUE(call->done());
  EXPECT_EQ(call->error, Error::kTimeout);
  // It may be applied all the same.
  ASSERT_TRUE(member_.StepUntil([this] { return member_.Value("a").has_value(); }));
}

TEST_F(ServerTest, ProposalWithoutALeaderEndsAsIfItHadNeverBegun) {
  EXPECT_OK(member_.Open());
  const auto call = member_.Start(MemberHarness::PutRequest("a", "1"));
  member_.server->StepStage(1);  // nothing gets durable, so nobody is elected
  EXPECT_FALSE(call->done());
  member_.clock.Advance(member_.config.request_timeout());
  member_.server->StepStage(1);
  EXPECT_TRUE(call->done());
  EXPECT_EQ(call->error, Error::kDeadlineExceeded);
  ASSERT_TRUE(member_.StepUntil([this] { return member_.server->ready(); }));
  EXPECT_EQ(member_.Value("a"), std::nullopt);
}

TEST_F(ServerTest, AbandonedWriteIsAppliedWithoutItsCaller) {
  member_.OpenAndWaitReady();
  const auto call = member_.Start(MemberHarness::PutRequest("a", "1"));
  EXPECT_TRUE(member_.server->Abandon(static_cast<ProposalWaiter*>(call.get())));
  member_.StepUntilIdle();
  EXPECT_FALSE(call->done());
  EXPECT_EQ(member_.Value("a"), "1");
}

TEST_F(ServerTest, StopEndsWaitingCallsAndRefusesNewOnes) {
  member_.OpenAndWaitReady();
  const auto call = member_.Start(MemberHarness::PutRequest("a", "1"));
  member_.server->Stop();
  EXPECT_TRUE(call->done());
  EXPECT_EQ(call->error, Error::kStopped);
  const auto late = member_.Start(MemberHarness::PutRequest("a", "1"));
  EXPECT_EQ(late->error, Error::kStopped);
  TestWait read;
  member_.server->ReadIndex(TimePoint::max(), &read);
  EXPECT_EQ(read.error, Error::kStopped);
}

// ---- Leases -------------------------------------------------------------------------------------

TEST_F(ServerTest, LeaseExpiresAndTakesItsKeys) {
  member_.OpenAndWaitReady();
  ASSERT_EQ(member_.Grant(7, 5), Error::kOk);
  ASSERT_EQ(member_.Put("a", "1", 7), Error::kOk);
  LeaseTimeToLiveResult ttl = member_.TimeToLive(7);
  EXPECT_EQ(ttl.granted_ttl_seconds, 5);
  EXPECT_EQ(ttl.keys, std::vector<std::string>{"a"});
  member_.clock.Advance(std::chrono::seconds(4));
  member_.StepUntilIdle();
  EXPECT_EQ(member_.Value("a"), "1");
  TestRenew renew;
  member_.server->LeaseRenew(LeaseId(7), TimePoint::max(), &renew);
  ASSERT_TRUE(renew.done());
  EXPECT_EQ(renew.ttl_seconds, 5);
  member_.clock.Advance(std::chrono::seconds(4));
  member_.StepUntilIdle();
  EXPECT_EQ(member_.Value("a"), "1");
  member_.clock.Advance(std::chrono::seconds(2));
  ASSERT_TRUE(member_.StepUntil([this] { return !member_.Value("a").has_value(); }));
  EXPECT_TRUE(member_.server->Leases().empty());
  ttl = member_.TimeToLive(7);
  EXPECT_EQ(ttl.ttl_seconds, -1);
}

TEST_F(ServerTest, RenewalOfAnUnknownLeaseAnswersZero) {
  member_.OpenAndWaitReady();
  TestRenew renew;
  member_.server->LeaseRenew(LeaseId(99), TimePoint::max(), &renew);
  ASSERT_TRUE(member_.StepUntil([&] { return renew.done(); }));
  EXPECT_EQ(renew.error, Error::kOk);
  EXPECT_EQ(renew.ttl_seconds, 0);
}

TEST_F(ServerTest, RenewalOfAnExpiredLeaseWaitsForItsEnd) {
  member_.OpenAndWaitReady();
  ASSERT_EQ(member_.Grant(7, 2), Error::kOk);
  member_.clock.Advance(std::chrono::seconds(3));
  TestRenew renew;
  member_.server->LeaseRenew(LeaseId(7), TimePoint::max(), &renew);
  EXPECT_FALSE(renew.done());
  ASSERT_TRUE(member_.StepUntil([&] { return renew.done(); }));
  EXPECT_EQ(renew.error, Error::kOk);
  EXPECT_EQ(renew.ttl_seconds, 0);
}

TEST_F(ServerTest, LeasesAndTheirKeysSurviveARestart) {
  member_.OpenAndWaitReady();
  ASSERT_EQ(member_.Grant(7, 60), Error::kOk);
  ASSERT_EQ(member_.Put("a", "1", 7), Error::kOk);
  member_.Stop();
  member_.OpenAndWaitReady();
  LeaseTimeToLiveResult ttl = member_.TimeToLive(7);
  EXPECT_EQ(ttl.keys, std::vector<std::string>{"a"});
  EXPECT_GE(ttl.ttl_seconds, 59);
}

// ---- Compaction, hashes -------------------------------------------------------------------------

TEST_F(ServerTest, CompactionIsCarriedOutInTheBackground) {
  member_.OpenAndWaitReady();
  for (int i = 0; i < 20; ++i) ASSERT_EQ(member_.Put("a", std::to_string(i)), Error::kOk);
  ASSERT_EQ(member_.Compact(15), Error::kOk);
  TestWait done;
  member_.server->WaitCompacted(&done);
  ASSERT_TRUE(member_.StepUntil([&] { return done.done(); }));
  EXPECT_EQ(done.error, Error::kOk);
  etcdserverpb::HashKVResponse hash;
  EXPECT_EQ(member_.server->HashKv(Revision(14), &hash), Error::kCompacted);
  EXPECT_EQ(member_.server->HashKv(Revision(22), &hash), Error::kFutureRevision);
  ASSERT_EQ(member_.server->HashKv(Revision(0), &hash), Error::kOk);
  EXPECT_EQ(hash.hash_revision(), 21);
  EXPECT_EQ(hash.compact_revision(), 15);
}

// ---- What ends the process ----------------------------------------------------------------------

using ServerDeathTest = ServerTest;

TEST_F(ServerDeathTest, FailedSyncOfTheLog) {
  member_.OpenAndWaitReady();
  member_.env.Inject({.op = FaultEnv::Op::kSync,
                      .path_part = "/member/wal/",  // the store may be syncing its own files now
                      .status = absl::InternalError("EIO")});
  EXPECT_DEATH(member_.Put("a", "1"), "failed to sync the raft log");
}

TEST_F(ServerDeathTest, EntryOfAKindThatIsNotServed) {
  member_.OpenAndWaitReady();
  const Index last = member_.server->status().raft_index;
  const Term term = member_.server->term();
  member_.Stop();
  {
    etcdserverpb::InternalRaftRequest request;
    request.mutable_header()->set_id(1);
    request.mutable_auth_enable();
    const LogEntry entry{
        .term = term, .index = last + 1, .data = SharedBytes(request.SerializeAsString())};
    ASSERT_OK_AND_ASSIGN(auto opened, wal::Wal::Open(member_.env, "/data/member/wal", {}));
    HardState state = opened.replay.hard_state;
    state.commit = entry.index;
    ASSERT_OK(opened.wal->Save(state, std::vector<LogEntry>{entry}));
    ASSERT_OK(opened.wal->Close());
  }
  ASSERT_OK(member_.Open());
  EXPECT_DEATH(member_.StepUntilIdle(), "does not serve.*auth_enable");
}

}  // namespace
}  // namespace kvorum::server
