#include "server/peer/peer_client.h"

#include <gtest/gtest.h>

#include <string>
#include <thread>
#include <vector>

#include "tests/server/peer/cluster.h"
#include "tests/testing/expect_ok.h"

namespace kvorum::server::peer {
namespace {

constexpr Duration kPatience = std::chrono::minutes(2);

class PeerClientTest : public testing::Test {
 protected:
  // The first cannot be reached.
  PeerClient::Urls urls() const { return {"http://127.0.0.1:1", member_.url()}; }

  TestMember member_{1};
  PeerClient client_{PeerClient::Options()};
};

TEST_F(PeerClientTest, MembersComeWithTheIdOfTheCluster) {
  member_.handler.members = {{.id = MemberId(UINT64_MAX - 1),
                              .name = "one",
                              .peer_urls = {"http://a:1"},
                              .client_urls = {"http://a:2"},
                              .is_learner = true}};
  ASSERT_OK_AND_ASSIGN(const auto membership, client_.GetMembers(urls(), kPatience));
  EXPECT_EQ(membership.cluster, kTestCluster);
  EXPECT_EQ(membership.members, member_.handler.members);
}

TEST_F(PeerClientTest, ACallOverNoUsableUrlSaysWhy) {
  const Status status = client_.GetMembers({"http://127.0.0.1:1"}, kPatience).status();
  EXPECT_CODE(kUnavailable, status);
  EXPECT_NE(status.message().find("http://127.0.0.1:1/members"), absl::string_view::npos);
  EXPECT_CODE(kUnavailable, client_.GetMembers({}, kPatience));
  EXPECT_CODE(kInvalidArgument, client_.GetMembers({"https://127.0.0.1:1"}, kPatience));
}

TEST_F(PeerClientTest, VersionsAndDowngrade) {
  member_.handler.versions = {.server = "3.7.1"};
  ASSERT_OK_AND_ASSIGN(const Versions versions, client_.GetVersions(urls(), kPatience));
  EXPECT_EQ(versions.server, "3.7.1");
  EXPECT_EQ(versions.cluster, "not_decided");
  EXPECT_EQ(versions.storage, "unknown");
  member_.handler.downgrade.value = true;
  ASSERT_OK_AND_ASSIGN(const bool enabled, client_.DowngradeEnabled(urls(), kPatience));
  EXPECT_TRUE(enabled);
  member_.handler.downgrade.error = Error::kNoLeader;
  EXPECT_CODE(kUnavailable, client_.DowngradeEnabled(urls(), kPatience));
}

TEST_F(PeerClientTest, PromotionAndItsRefusals) {
  member_.handler.promoted.value = {{.id = MemberId(5), .peer_urls = {"http://a:1"}}};
  auto answer = client_.PromoteMember(urls(), MemberId(5), "secret", kPatience);
  EXPECT_EQ(answer.error, Error::kOk);
  EXPECT_EQ(answer.value, member_.handler.promoted.value);
  EXPECT_EQ(member_.handler.promote_token, "secret");
  for (const Error error :
       {Error::kMemberNotFound, Error::kMemberNotLearner, Error::kLearnerNotReady}) {
    member_.handler.promoted.error = error;
    EXPECT_EQ(client_.PromoteMember(urls(), MemberId(5), "", kPatience).error, error);
  }
  member_.handler.promoted.error = Error::kUnhealthy;
  EXPECT_EQ(client_.PromoteMember(urls(), MemberId(5), "", kPatience).error, Error::kNoLeader);
}

TEST_F(PeerClientTest, HashesAndTheirRefusals) {
  member_.handler.hash.value = {
      .hash = 4000000000, .revision = 9, .compact_revision = -1, .hash_revision = 8};
  ASSERT_OK_AND_ASSIGN(auto answer, client_.HashKv(urls(), kTestCluster, Revision(8), kPatience));
  EXPECT_EQ(answer.error, Error::kOk);
  EXPECT_EQ(answer.value.hash, 4000000000);
  EXPECT_EQ(answer.value.revision, 9);
  EXPECT_EQ(answer.value.compact_revision, -1);
  EXPECT_EQ(answer.value.hash_revision, 8);
  EXPECT_EQ(member_.handler.hash_revision, Revision(8));
  ASSERT_OK_AND_ASSIGN(answer, client_.HashKv(urls(), ClusterId(1), Revision(8), kPatience));
  EXPECT_EQ(answer.error, Error::kClusterIdMismatch);
  member_.handler.hash.error = Error::kFutureRevision;
  ASSERT_OK_AND_ASSIGN(answer, client_.HashKv(urls(), kTestCluster, Revision(8), kPatience));
  EXPECT_EQ(answer.error, Error::kFutureRevision);
}

TEST_F(PeerClientTest, LeasesAndTheirRefusals) {
  member_.handler.renewed.value = 60;
  const auto renewed = client_.RenewLease(urls(), LeaseId(7), kPatience);
  EXPECT_EQ(renewed.error, Error::kOk);
  EXPECT_EQ(renewed.value, 60);
  member_.handler.ttl.value = {.ttl_seconds = 4, .granted_ttl_seconds = 9, .keys = {"k"}};
  const auto ttl = client_.LeaseTimeToLive(urls(), LeaseId(8), true, kPatience);
  EXPECT_EQ(ttl.error, Error::kOk);
  EXPECT_EQ(ttl.value.ttl_seconds, 4);
  EXPECT_EQ(ttl.value.granted_ttl_seconds, 9);
  EXPECT_EQ(ttl.value.keys, std::vector<std::string>{"k"});
  for (const Error error :
       {Error::kLeaseNotFound, Error::kNotPrimaryLessor, Error::kTimeoutWaitAppliedIndex}) {
    member_.handler.renewed.error = error;
    EXPECT_EQ(client_.RenewLease(urls(), LeaseId(7), kPatience).error, error);
    member_.handler.ttl.error = error;
    EXPECT_EQ(client_.LeaseTimeToLive(urls(), LeaseId(7), true, kPatience).error, error);
  }
}

// Nobody accepts on a port that is bound and not served: the kernel takes the connection.
TEST_F(PeerClientTest, SilenceIsATimeout) {
  ASSERT_OK_AND_ASSIGN(const auto silent, Transport::Bind({"http://127.0.0.1:0"}));
  const PeerClient::Urls urls = {"http://" + silent->addresses()[0]};
  EXPECT_CODE(kDeadlineExceeded, client_.GetMembers(urls, std::chrono::milliseconds(20)));
  EXPECT_EQ(client_.RenewLease(urls, LeaseId(1), std::chrono::milliseconds(20)).error,
            Error::kTimeout);
}

TEST_F(PeerClientTest, CancelEndsACallUnderWay) {
  ASSERT_OK_AND_ASSIGN(const auto silent, Transport::Bind({"http://127.0.0.1:0"}));
  const PeerClient::Urls urls = {"http://" + silent->addresses()[0], member_.url()};
  Status status;
  std::thread call([&] { status = client_.GetMembers(urls, kPatience).status(); });
  client_.Cancel();
  call.join();
  EXPECT_CODE(kCancelled, status);
  EXPECT_EQ(client_.RenewLease(urls, LeaseId(1), kPatience).error, Error::kStopped);
}

}  // namespace
}  // namespace kvorum::server::peer
