#include "server/server_impl.h"

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

}  // namespace
}  // namespace kvorum::server
