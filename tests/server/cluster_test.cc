// Members of one cluster, in one process, on a network and disks of the test's.

#include <gtest/gtest.h>

#include "proto/kv.pb.h"
#include "server/fatal.h"
#include "tests/server/cluster_harness.h"

namespace kvorum::server {
namespace {

TEST(ClusterTest, ThreeMembersAgree) {
  ClusterHarness cluster(3);
  cluster.OpenAndWaitReady();
  ASSERT_NE(cluster.leader(), kNobody);
  for (size_t i = 0; i < 3; ++i) {
    EXPECT_EQ(cluster.Put(i, "k" + std::to_string(i), "v"), Error::kOk) << "at member " << i;
  }
  for (size_t i = 0; i < 3; ++i) {
    for (size_t k = 0; k < 3; ++k) EXPECT_EQ(cluster.Get(i, "k" + std::to_string(k)), "v");
    EXPECT_EQ(cluster.at(i).cluster_version(), "3.7.0");
    EXPECT_EQ(cluster.at(i).Members().size(), 3u);
    EXPECT_EQ(cluster.HashKv(i), cluster.HashKv(0));
  }
}

// Members that start together do not answer each other yet: each waits for each of the others.
TEST(ClusterTest, AStartWaitsASecondForEachOther) {
  ClusterHarness cluster(9);
  cluster.OpenAndWaitReady();
  EXPECT_EQ(cluster.network.longest_wait(), std::chrono::seconds(1));
}

TEST(ClusterTest, AnotherLeadsWhenTheLeaderDies) {
  ClusterHarness cluster(3);
  cluster.OpenAndWaitReady();
  const size_t old = cluster.leader();
  EXPECT_EQ(cluster.Put(old, "a", "1"), Error::kOk);
  cluster.Crash(old);
  ASSERT_TRUE(cluster.StepUntil([&] { return cluster.leader() != kNobody; }));
  const size_t now = cluster.leader();
  EXPECT_NE(now, old);
  EXPECT_EQ(cluster.Get(now, "a"), "1") << "what was acknowledged is there";
  EXPECT_EQ(cluster.Put(now, "a", "2"), Error::kOk);
  ASSERT_OK(cluster.Open(old));
  ASSERT_TRUE(cluster.StepUntil([&] { return cluster.AllReady(); }));
  EXPECT_EQ(cluster.Get(old, "a"), "2") << "the old leader catches up";
}

TEST(ClusterTest, AMinorityNeitherWritesNorReads) {
  ClusterHarness cluster(3);
  cluster.OpenAndWaitReady();
  const size_t old = cluster.leader();
  cluster.network.Cut(cluster.IdOf(old));
  TestWait read;
  cluster.at(old).ReadIndex(TimePoint::max(), &read);
  TestCall put;
  cluster.at(old).Propose(
      std::make_unique<etcdserverpb::InternalRaftRequest>(MemberHarness::PutRequest("a", "lost")),
      TimePoint::max(), &put);
  ASSERT_TRUE(cluster.StepUntil([&] { return put.done() && read.done(); }));
  EXPECT_NE(put.error, Error::kOk);
  EXPECT_NE(read.error, Error::kOk);
  size_t now = kNobody;
  for (size_t i = 0; i < 3; ++i) {
    if (i != old && cluster.at(i).status().leader == cluster.IdOf(i)) now = i;
  }
  ASSERT_NE(now, kNobody);
  EXPECT_EQ(cluster.Put(now, "a", "kept"), Error::kOk);
  cluster.network.Mend(cluster.IdOf(old));
  ASSERT_TRUE(
      cluster.StepUntil([&] { return cluster.at(old).status().leader == cluster.IdOf(now); }));
  EXPECT_EQ(cluster.Get(old, "a"), "kept");
}

TEST(ClusterTest, AllDownAndUpAgain) {
  ClusterHarness cluster(3);
  cluster.OpenAndWaitReady();
  EXPECT_EQ(cluster.Put(0, "a", "1"), Error::kOk);
  for (size_t i = 0; i < 3; ++i) cluster.Crash(i);
  cluster.OpenAndWaitReady();
  for (size_t i = 0; i < 3; ++i) EXPECT_EQ(cluster.Get(i, "a"), "1");
}

MemberChange Add(size_t i, MemberId id, bool as_learner = false) {
  MemberChange change;
  change.kind = as_learner ? MemberChange::Kind::kAddLearner : MemberChange::Kind::kAdd;
  change.id = id;
  change.peer_urls = {ClusterHarness::UrlOf(i)};
  return change;
}

MemberChange Of(MemberChange::Kind kind, MemberId id) {
  MemberChange change;
  change.kind = kind;
  change.id = id;
  return change;
}

TEST(ClusterTest, GrowsFromOneToThree) {
  ClusterHarness cluster(1);
  cluster.OpenAndWaitReady();
  EXPECT_EQ(cluster.Put(0, "a", "1"), Error::kOk);
  std::string initial = "m0=" + ClusterHarness::UrlOf(0);
  for (size_t i = 1; i < 3; ++i) {
    ASSERT_EQ(cluster.Change(0, Add(i, MemberId(0x1000 + i))), Error::kOk);
    initial += ",m" + std::to_string(i) + "=" + ClusterHarness::UrlOf(i);
    ASSERT_EQ(cluster.AddNode(initial, "existing"), i);
    ASSERT_OK(cluster.Open(i));
    ASSERT_TRUE(cluster.StepUntil([&] { return cluster.AllReady(); }));
    EXPECT_EQ(cluster.IdOf(i), MemberId(0x1000 + i));
    cluster.StepFor(2 * kHealthInterval);
  }
  for (size_t i = 0; i < 3; ++i) {
    EXPECT_EQ(cluster.Put(i, "b", std::to_string(i)), Error::kOk);
    EXPECT_EQ(cluster.Get(i, "a"), "1");
    EXPECT_EQ(cluster.HashKv(i), cluster.HashKv(0));
  }
}

TEST(ClusterTest, ALearnerIsPromotedOnceItHasCaughtUp) {
  ClusterHarness cluster(1);
  cluster.OpenAndWaitReady();
  const MemberId id(0x1001);
  ASSERT_EQ(cluster.Change(0, Add(1, id, /*as_learner=*/true)), Error::kOk);
  EXPECT_EQ(cluster.Change(0, Of(MemberChange::Kind::kPromote, id)), Error::kLearnerNotReady);
  cluster.AddNode("m0=" + ClusterHarness::UrlOf(0) + ",m1=" + ClusterHarness::UrlOf(1), "existing");
  ASSERT_OK(cluster.Open(1));
  ASSERT_TRUE(cluster.StepUntil([&] { return cluster.AllReady(); }));
  EXPECT_TRUE(cluster.at(1).is_learner());
  EXPECT_EQ(cluster.Change(1, Of(MemberChange::Kind::kPromote, id)), Error::kOk)
      << "asked of the learner, which passes it on";
  ASSERT_TRUE(cluster.StepUntil([&] { return !cluster.at(1).is_learner(); }));
}

TEST(ClusterTest, ARemovedMemberEnds) {
  ClusterHarness cluster(3);
  cluster.OpenAndWaitReady();
  cluster.StepFor(2 * kHealthInterval);
  const size_t gone = (cluster.leader() + 1) % 3;
  ASSERT_EQ(cluster.Change(cluster.leader(), Of(MemberChange::Kind::kRemove, cluster.IdOf(gone))),
            Error::kOk);
  ASSERT_TRUE(cluster.StepUntil([&] { return cluster.nodes[gone]->ended; }));
  EXPECT_EQ(cluster.Put(cluster.leader(), "a", "1"), Error::kOk);
}

TEST(ClusterTest, LeasesAreTheLeadersWhoeverIsAsked) {
  ClusterHarness cluster(3);
  cluster.OpenAndWaitReady();
  const size_t other = (cluster.leader() + 1) % 3;
  TestCall grant;
  auto request = std::make_unique<etcdserverpb::InternalRaftRequest>();
  request->mutable_lease_grant()->set_id(7);
  request->mutable_lease_grant()->set_ttl(60);
  cluster.at(other).Propose(std::move(request), TimePoint::max(), &grant);
  ASSERT_TRUE(cluster.StepUntil([&] { return grant.done(); }));
  ASSERT_EQ(grant.error, Error::kOk);
  cluster.StepFor(std::chrono::seconds(50));
  TestRenew renew;
  cluster.at(other).LeaseRenew(LeaseId(7), TimePoint::max(), &renew);
  ASSERT_TRUE(cluster.StepUntil([&] { return renew.done(); }));
  EXPECT_EQ(renew.error, Error::kOk);
  EXPECT_EQ(renew.ttl_seconds, 60);
  TestTimeToLive ttl;
  cluster.at(other).LeaseTimeToLive(LeaseId(7), true, TimePoint::max(), &ttl);
  ASSERT_TRUE(cluster.StepUntil([&] { return ttl.done(); }));
  EXPECT_EQ(ttl.error, Error::kOk);
  EXPECT_GE(ttl.result.ttl_seconds, 58);
  EXPECT_EQ(ttl.result.granted_ttl_seconds, 60);
  TestRenew unknown;
  cluster.at(other).LeaseRenew(LeaseId(8), TimePoint::max(), &unknown);
  ASSERT_TRUE(cluster.StepUntil([&] { return unknown.done(); }));
  EXPECT_EQ(unknown.error, Error::kOk);
  EXPECT_EQ(unknown.ttl_seconds, 0);
}

TEST(ClusterTest, ARenewalWaitsForTheNextLeader) {
  ClusterHarness cluster(3);
  cluster.OpenAndWaitReady();
  const size_t old = cluster.leader();
  const size_t other = (old + 1) % 3;
  TestCall grant;
  auto request = std::make_unique<etcdserverpb::InternalRaftRequest>();
  request->mutable_lease_grant()->set_id(7);
  request->mutable_lease_grant()->set_ttl(60);
  cluster.at(old).Propose(std::move(request), TimePoint::max(), &grant);
  ASSERT_TRUE(cluster.StepUntil([&] { return grant.done(); }));
  cluster.Crash(old);
  TestRenew renew;
  cluster.at(other).LeaseRenew(LeaseId(7), TimePoint::max(), &renew);
  ASSERT_TRUE(cluster.StepUntil([&] { return renew.done(); }));
  EXPECT_EQ(renew.error, Error::kOk);
  EXPECT_EQ(renew.ttl_seconds, 60);
}

TEST(ClusterTest, AMemberThatDivergesIsFoundByItsCompactionHash) {
  ClusterHarness cluster(3);
  cluster.Configure([](Config* config) {
    config->compact_hash_check = true;
    config->compact_hash_check_time = std::chrono::seconds(10);
  });
  cluster.OpenAndWaitReady();
  const auto compact = [&] {
    TestCall call;
    auto request = std::make_unique<etcdserverpb::InternalRaftRequest>();
    request->mutable_compaction()->set_revision(cluster.at(cluster.leader()).revision().value());
    cluster.at(cluster.leader()).Propose(std::move(request), TimePoint::max(), &call);
    EXPECT_TRUE(cluster.StepUntil([&] { return call.done(); }));
    EXPECT_EQ(call.error, Error::kOk);
    cluster.StepFor(std::chrono::seconds(30));
  };
  const auto put = [&](const std::string& value) {
    EXPECT_EQ(cluster.Put(cluster.leader(), "a", value), Error::kOk);
  };
  for (const char* value : {"1", "2", "3"}) put(value);
  compact();
  for (const char* value : {"4", "5"}) put(value);
  compact();
  EXPECT_TRUE(cluster.at(cluster.leader()).Alarms().empty()) << "all are equal";

  // One member has a row that the log knows nothing of.
  const size_t bad = (cluster.leader() + 1) % 3;
  mvcc::WriteTxn txn = cluster.at(bad).state().store()->Begin();
  txn.Put("b", "only here", LeaseId(0));
  txn.End();
  for (const char* value : {"6", "7", "8"}) put(value);
  compact();
  ASSERT_EQ(cluster.at(cluster.leader()).Alarms().size(), 1u);
  EXPECT_EQ(cluster.at(cluster.leader()).Alarms()[0].memberid(), cluster.IdOf(bad).value());
  EXPECT_EQ(cluster.at(cluster.leader()).Alarms()[0].alarm(), etcdserverpb::CORRUPT);
}

class SnapshotTest : public ::testing::Test {
 protected:
  SnapshotTest() {
    cluster_.Configure([](Config* config) {
      config->snapshot_count = 50;
      config->snapshot_catchup_entries = 10;
    });
  }
  // One follower is down for so many writes that the log does not reach back to it.
  void LeaveBehind() {
    cluster_.OpenAndWaitReady();
    late_ = (cluster_.leader() + 1) % 3;
    for (int i = 0; i < 30; ++i) Put("early" + std::to_string(i), "v");
    cluster_.Crash(late_);
    for (int i = 0; i < 300; ++i) Put("k" + std::to_string(i % 50), std::to_string(i));
  }
  void Put(const std::string& key, const std::string& value) {
    ASSERT_EQ(cluster_.Put(cluster_.leader(), key, value), Error::kOk);
  }
  void ExpectEqual() {
    for (size_t i = 0; i < 3; ++i) {
      EXPECT_EQ(cluster_.Get(i, "k49"), "299") << "member " << i;
      EXPECT_EQ(cluster_.HashKv(i), cluster_.HashKv(cluster_.leader())) << "member " << i;
    }
  }

  ClusterHarness cluster_{3};
  size_t late_ = 0;
};

TEST_F(SnapshotTest, AFollowerFarBehindGetsTheDatabase) {
  LeaveBehind();
  ASSERT_OK(cluster_.Open(late_));
  ASSERT_TRUE(cluster_.StepUntil([&] { return cluster_.AllReady(); }));
  ExpectEqual();
  EXPECT_TRUE(cluster_.nodes[late_]->env.Exists("/data/member/STORE"));
  Put("after", "1");
  EXPECT_EQ(cluster_.Get(late_, "after"), "1");
  cluster_.Crash(late_);
  ASSERT_OK(cluster_.Open(late_));
  ASSERT_TRUE(cluster_.StepUntil([&] { return cluster_.AllReady(); }));
  EXPECT_EQ(cluster_.Get(late_, "after"), "1") << "the new store survives a crash";
}

// What a watch was given, in order.
class Watcher final : public mvcc::WatchSink {
 public:
  bool TrySend(mvcc::WatchResponse&& response) override {
    for (const mvcc::WatchEvent& event : response.events) {
      mvccpb::KeyValue kv;
      const std::string_view bytes = event.kv.view();
      EXPECT_TRUE(kv.ParseFromArray(bytes.data(), static_cast<int>(bytes.size())));
      values.push_back(kv.value());
    }
    EXPECT_FALSE(response.canceled) << response.cancel_reason;
    return true;
  }
  void Answer(std::optional<mvcc::WatchResponse>) override {}

  std::vector<std::string> values;
};

TEST_F(SnapshotTest, AWatchMissesNothingAcrossIt) {
  cluster_.OpenAndWaitReady();
  late_ = (cluster_.leader() + 1) % 3;
  Watcher watcher;
  auto stream = cluster_.at(late_).watchable_store().NewStream(&watcher);
  stream->Create({.key = "k7"});
  Put("k7", "before");
  cluster_.StepFor(std::chrono::seconds(1));
  cluster_.network.Cut(cluster_.IdOf(late_));
  std::vector<std::string> expected = {"before"};
  for (int i = 0; i < 300; ++i) {
    Put("k" + std::to_string(i % 50), std::to_string(i));
    if (i % 50 == 7) expected.push_back(std::to_string(i));
  }
  const auto store = cluster_.at(late_).state().store().Get();
  cluster_.network.Mend(cluster_.IdOf(late_));
  ASSERT_TRUE(cluster_.StepUntil([&] { return watcher.values.size() >= expected.size(); }));
  EXPECT_EQ(watcher.values, expected);
  EXPECT_NE(cluster_.at(late_).state().store().Get(), store) << "it came by a snapshot";
}

TEST_F(SnapshotTest, AMemberThatJoinsAnOldClusterGetsTheDatabase) {
  cluster_.OpenAndWaitReady();
  for (int i = 0; i < 300; ++i) Put("k" + std::to_string(i % 50), std::to_string(i));
  cluster_.StepFor(2 * kHealthInterval);
  const MemberId id(0x1003);
  ASSERT_EQ(cluster_.Change(cluster_.leader(), Add(3, id)), Error::kOk);
  std::string initial;
  for (size_t i = 0; i < 4; ++i) {
    initial += (i > 0 ? "," : "") + ClusterHarness::NameOf(i) + "=" + ClusterHarness::UrlOf(i);
  }
  cluster_.AddNode(initial, "existing");
  ASSERT_OK(cluster_.Open(3));
  ASSERT_TRUE(cluster_.StepUntil([&] { return cluster_.AllReady(); }));
  EXPECT_EQ(cluster_.Get(3, "k49"), "299");
  EXPECT_EQ(cluster_.HashKv(3), cluster_.HashKv(0));
  EXPECT_EQ(cluster_.at(3).Members().size(), 4u);
}

// Wherever the power goes while the database arrives and is installed, the next start has the old
// state or the new one, and catches up.
TEST_F(SnapshotTest, PowerCutsDuringTheInstallation) {
  LeaveBehind();
  struct PowerCut {};
  SetFatalHandlerForTest([](std::string_view) { throw PowerCut(); });
  FaultEnv& env = cluster_.nodes[late_]->env;
  int cuts = 0;
  for (int64_t calls = 1;; calls += 2) {
    ASSERT_OK(cluster_.Open(late_)) << "after " << cuts << " cuts";
    env.FailFromNthCall(FaultEnv::Op::kAny, calls, absl::InternalError("power cut"));
    try {
      // Not to be ready is no fault either: only what is to be received may have met the dead disk.
      if (cluster_.StepUntil([&] { return cluster_.AllReady(); })) break;
    } catch (const PowerCut&) {
    }
    cluster_.Crash(late_, {.seed = static_cast<uint64_t>(calls)});
    ++cuts;
  }
  env.ClearFaults();
  SetFatalHandlerForTest({});
  EXPECT_GT(cuts, 5);
  ExpectEqual();
}

}  // namespace
}  // namespace kvorum::server
