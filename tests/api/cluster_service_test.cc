#include <gtest/gtest.h>

#include <memory>

#include "proto/rpc.grpc.pb.h"
#include "tests/api/front_end_fixture.h"

namespace kvorum::api {
namespace {

using grpc::StatusCode;
using server::Error;

class ClusterServiceTest : public FrontEndTest {
 protected:
  void SetUp() override {
    FrontEndTest::SetUp();
    cluster_ = etcdserverpb::Cluster::NewStub(NewChannel());
    server_.members.push_back(
        {.id = MemberId(8), .name = "b", .peer_urls = {"http://b"}, .client_urls = {}});
    server_.members.push_back({.id = MemberId(7), .name = "a", .peer_urls = {"http://a"}});
  }
  grpc::Status Update(uint64_t id, const std::string& url,
                      etcdserverpb::MemberUpdateResponse* response) {
    etcdserverpb::MemberUpdateRequest request;
    request.set_id(id);
    request.add_peerurls(url);
    grpc::ClientContext context;
    return cluster_->MemberUpdate(&context, request, response);
  }

  std::unique_ptr<etcdserverpb::Cluster::Stub> cluster_;
  grpc::ClientContext context_;
};

TEST_F(ClusterServiceTest, UpdateAnswersWithAllMembersAndNoRevision) {
  etcdserverpb::MemberUpdateResponse response;
  ASSERT_TRUE(Update(8, "http://c", &response).ok());
  EXPECT_EQ(response.header().member_id(), 7u);
  EXPECT_EQ(response.header().revision(), 0);
  ASSERT_EQ(response.members_size(), 2);
  EXPECT_EQ(response.members(0).id(), 7u);
  EXPECT_EQ(response.members(1).peerurls(0), "http://c");
}

TEST_F(ClusterServiceTest, RemovalThatLosesTheQuorumIsRefused) {
  server_.change_error = Error::kMemberNotEnoughStarted;
  etcdserverpb::MemberRemoveRequest request;
  request.set_id(7);
  etcdserverpb::MemberRemoveResponse response;
  EXPECT_STATUS(cluster_->MemberRemove(&context_, request, &response), StatusCode::UNKNOWN,
                "etcdserver: re-configuration failed due to not enough started members");
}

TEST_F(ClusterServiceTest, PromotionOfAVoterIsRefused) {
  server_.change_error = Error::kMemberNotLearner;
  etcdserverpb::MemberPromoteRequest request;
  request.set_id(7);
  etcdserverpb::MemberPromoteResponse response;
  EXPECT_STATUS(cluster_->MemberPromote(&context_, request, &response),
                StatusCode::FAILED_PRECONDITION, "etcdserver: can only promote a learner member");
}

TEST_F(ClusterServiceTest, UnknownMemberIsNotFound) {
  server_.change_error = Error::kMemberNotFound;
  etcdserverpb::MemberUpdateResponse response;
  EXPECT_STATUS(Update(9, "http://c", &response), StatusCode::NOT_FOUND,
                "etcdserver: member not found");
}

}  // namespace
}  // namespace kvorum::api
