// Members of one cluster, in one process, on a network and disks of the test's.

#include <gtest/gtest.h>

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
  cluster.at(old).Propose(std::make_unique<etcdserverpb::InternalRaftRequest>(
                              MemberHarness::PutRequest("a", "lost")),
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
  ASSERT_TRUE(cluster.StepUntil(
      [&] { return cluster.at(old).status().leader == cluster.IdOf(now); }));
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
  ASSERT_EQ(cluster.Change(cluster.leader(),
                           Of(MemberChange::Kind::kRemove, cluster.IdOf(gone))),
            Error::kOk);
  ASSERT_TRUE(cluster.StepUntil([&] { return cluster.nodes[gone]->ended; }));
  EXPECT_EQ(cluster.Put(cluster.leader(), "a", "1"), Error::kOk);
}

}  // namespace
}  // namespace kvorum::server
