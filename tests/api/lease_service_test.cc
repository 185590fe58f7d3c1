#include <gtest/gtest.h>

#include <memory>

#include "proto/rpc.grpc.pb.h"
#include "tests/api/front_end_fixture.h"

namespace kvorum::api {
namespace {

using grpc::StatusCode;
using server::Error;

class LeaseServiceTest : public FrontEndTest {
 protected:
  void SetUp() override {
    FrontEndTest::SetUp();
    lease_ = etcdserverpb::Lease::NewStub(NewChannel());
  }
  std::unique_ptr<etcdserverpb::Lease::Stub> lease_;
  grpc::ClientContext context_;
};

TEST_F(LeaseServiceTest, GrantChoosesAnIdWhenAskedTo) {
  etcdserverpb::LeaseGrantRequest request;
  request.set_ttl(60);
  etcdserverpb::LeaseGrantResponse response;
  ASSERT_TRUE(lease_->LeaseGrant(&context_, request, &response).ok());
  EXPECT_EQ(response.id(), 4711);
  EXPECT_EQ(response.ttl(), 60);
  EXPECT_EQ(response.header().revision(), 1);
  request.set_id(-5);
  grpc::ClientContext second;
  ASSERT_TRUE(lease_->LeaseGrant(&second, request, &response).ok());
  EXPECT_EQ(response.id(), -5);
}

TEST_F(LeaseServiceTest, RevokeOfAnUnknownLeaseIsAnError) {
  server_.propose_error = Error::kLeaseNotFound;
  etcdserverpb::LeaseRevokeRequest request;
  etcdserverpb::LeaseRevokeResponse response;
  EXPECT_STATUS(lease_->LeaseRevoke(&context_, request, &response), StatusCode::NOT_FOUND,
                "etcdserver: requested lease not found");
}

TEST_F(LeaseServiceTest, TimeToLive) {
  etcdserverpb::LeaseTimeToLiveRequest request;
  request.set_id(3);
  request.set_keys(true);
  etcdserverpb::LeaseTimeToLiveResponse response;
  ASSERT_TRUE(lease_->LeaseTimeToLive(&context_, request, &response).ok());
  EXPECT_EQ(response.id(), 3);
  EXPECT_EQ(response.ttl(), 10);
  EXPECT_EQ(response.grantedttl(), 30);
  EXPECT_EQ(response.keys_size(), 2);
  EXPECT_EQ(response.header().cluster_id(), 9u);
}

TEST_F(LeaseServiceTest, TimeToLiveOfAnUnknownLeaseIsMinusOne) {
  etcdserverpb::LeaseTimeToLiveRequest request;
  request.set_id(404);
  etcdserverpb::LeaseTimeToLiveResponse response;
  ASSERT_TRUE(lease_->LeaseTimeToLive(&context_, request, &response).ok());
  EXPECT_EQ(response.ttl(), -1);
  EXPECT_EQ(response.grantedttl(), 0);
}

TEST_F(LeaseServiceTest, Leases) {
  etcdserverpb::LeaseLeasesRequest request;
  etcdserverpb::LeaseLeasesResponse response;
  ASSERT_TRUE(lease_->LeaseLeases(&context_, request, &response).ok());
  ASSERT_EQ(response.leases_size(), 2);
  EXPECT_EQ(response.leases(0).id(), 1);
}

TEST_F(LeaseServiceTest, KeepAliveAnswersEachRequestInOrder) {
  auto stream = lease_->LeaseKeepAlive(&context_);
  for (const int64_t id : {1, 404, 2}) {
    etcdserverpb::LeaseKeepAliveRequest request;
    request.set_id(id);
    ASSERT_TRUE(stream->Write(request));
  }
  ASSERT_TRUE(stream->WritesDone());
  etcdserverpb::LeaseKeepAliveResponse response;
  for (const int64_t id : {1, 404, 2}) {
    ASSERT_TRUE(stream->Read(&response));
    EXPECT_EQ(response.id(), id);
    EXPECT_EQ(response.ttl(), id == 404 ? 0 : 30);
    EXPECT_EQ(response.header().revision(), 1);
  }
  EXPECT_FALSE(stream->Read(&response));
  EXPECT_TRUE(stream->Finish().ok());
}

TEST_F(LeaseServiceTest, KeepAliveEndsWithTheServersError) {
  server_.renew_error = Error::kTimeout;
  auto stream = lease_->LeaseKeepAlive(&context_);
  ASSERT_TRUE(stream->Write(etcdserverpb::LeaseKeepAliveRequest()));
  etcdserverpb::LeaseKeepAliveResponse response;
  EXPECT_FALSE(stream->Read(&response));
  EXPECT_STATUS(stream->Finish(), StatusCode::UNAVAILABLE, "etcdserver: request timed out");
}

TEST_F(LeaseServiceTest, ARenewalThatWaitsIsAnsweredFromAnotherThread) {
  server_.hold = true;
  auto stream = lease_->LeaseKeepAlive(&context_);
  etcdserverpb::LeaseKeepAliveRequest request;
  request.set_id(1);
  ASSERT_TRUE(stream->Write(request));
  server_.AwaitHeld(1);
  server_.Release();
  etcdserverpb::LeaseKeepAliveResponse response;
  ASSERT_TRUE(stream->Read(&response));
  EXPECT_EQ(response.ttl(), 30);
  context_.TryCancel();
}

TEST_F(LeaseServiceTest, ClientThatVanishesDuringARenewalIsForgotten) {
  server_.hold = true;
  {
    auto lease = etcdserverpb::Lease::NewStub(NewChannel());
    grpc::ClientContext context;
    auto stream = lease->LeaseKeepAlive(&context);
    ASSERT_TRUE(stream->Write(etcdserverpb::LeaseKeepAliveRequest()));
    server_.AwaitHeld(1);
    context.TryCancel();
    EXPECT_EQ(stream->Finish().error_code(), StatusCode::CANCELLED);
  }
  server_.Release();  // TearDown finds out whether the stream ended
}

}  // namespace
}  // namespace kvorum::api
