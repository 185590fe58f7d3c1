#include "api/grpc/request_stats.h"

#include <gtest/gtest.h>

#include "api/grpc/wire.h"
#include "base/log.h"
#include "proto/rpc.grpc.pb.h"
#include "tests/api/front_end_fixture.h"

namespace kvorum::api {
namespace {

MessageStats Stats(std::string_view method, const google::protobuf::Message& request,
                   const google::protobuf::Message& response) {
  const grpc::ByteBuffer request_bytes = Encode(request);
  const grpc::ByteBuffer response_bytes = Encode(response);
  return StatsOf({.method = method, .request = &request_bytes, .response = &response_bytes});
}

TEST(RequestStatsTest, RangeCountsTheKeysItFound) {
  etcdserverpb::RangeRequest request;
  request.set_key("a");
  etcdserverpb::RangeResponse response;
  response.mutable_header()->set_revision(5);
  response.add_kvs()->set_key("a");
  response.set_count(300);
  const MessageStats stats = Stats("/etcdserverpb.KV/Range", request, response);
  EXPECT_EQ(stats.request_count, 0);
  EXPECT_EQ(stats.request_size, 3);
  EXPECT_EQ(stats.response_count, 300);
  EXPECT_EQ(stats.response_size, static_cast<int64_t>(response.ByteSizeLong()));
  EXPECT_EQ(stats.request_content, "key:\"a\"");
}

TEST(RequestStatsTest, PutCountsItselfAndHidesItsValue) {
  etcdserverpb::PutRequest request;
  request.set_key("a");
  request.set_value("secret");
  const MessageStats stats = Stats("/etcdserverpb.KV/Put", request, etcdserverpb::PutResponse());
  EXPECT_EQ(stats.request_count, 1);
  EXPECT_EQ(stats.request_size, 11);
  EXPECT_EQ(stats.response_count, 0);
  EXPECT_EQ(stats.response_size, 0);
  EXPECT_EQ(stats.request_content, "key:\"a\" value_size:6");
}

TEST(RequestStatsTest, DeleteCountsWhatItDeleted) {
  etcdserverpb::DeleteRangeResponse response;
  response.set_deleted(4);
  const MessageStats stats =
      Stats("/etcdserverpb.KV/DeleteRange", etcdserverpb::DeleteRangeRequest(), response);
  EXPECT_EQ(stats.request_count, 0);
  EXPECT_EQ(stats.response_count, 4);
}

TEST(RequestStatsTest, TxnCountsTheBranchTaken) {
  etcdserverpb::TxnRequest request;
  request.add_success()->mutable_request_put()->set_key("a");
  request.add_failure()->mutable_request_put()->set_key("a");
  request.add_failure()->mutable_request_range()->set_key("bcd");
  etcdserverpb::TxnResponse response;
  response.mutable_header()->set_revision(2);
  MessageStats stats = Stats("/etcdserverpb.KV/Txn", request, response);
  EXPECT_EQ(stats.request_count, 2);
  EXPECT_EQ(stats.request_size, 5 + 7);
  response.set_succeeded(true);
  stats = Stats("/etcdserverpb.KV/Txn", request, response);
  EXPECT_EQ(stats.request_count, 1);
  EXPECT_EQ(stats.request_size, 5);
  EXPECT_EQ(stats.response_count, 0);
  stats = Stats("/etcdserverpb.KV/Txn", request, etcdserverpb::TxnResponse());
  EXPECT_EQ(stats.request_count, 0) << "it failed";
  EXPECT_EQ(stats.request_content, "");
}

TEST(RequestStatsTest, OtherMethodsHaveNoNumbers) {
  const MessageStats stats =
      Stats("/etcdserverpb.Lease/LeaseGrant", etcdserverpb::LeaseGrantRequest(),
            etcdserverpb::LeaseGrantResponse());
  EXPECT_EQ(stats.request_count, -1);
  EXPECT_EQ(stats.request_size, -1);
  EXPECT_EQ(stats.response_count, -1);
  EXPECT_EQ(stats.response_size, -1);
  EXPECT_EQ(stats.request_content, "");
}

TEST(RequestStatsTest, PeersAreNamedAsGoDoes) {
  EXPECT_EQ(PeerAddress("ipv4:127.0.0.1:1"), "127.0.0.1:1");
  EXPECT_EQ(PeerAddress("ipv6:%5B::1%5D:1"), "[::1]:1");
  EXPECT_EQ(PeerAddress("unix:"), "@");
  EXPECT_EQ(PeerAddress("unix:/run/a%2520b"), "/run/a%20b");
  EXPECT_EQ(PeerAddress("unix-abstract:x"), "@x");
  EXPECT_EQ(PeerAddress("strange%zz"), "strange%zz");
}

class SlowCallTest : public FrontEndTest {
 protected:
  // What the log says while one put is served with this limit.
  std::string LogOfPut(Duration limit) {
    server_.settings.warning_unary_request_duration = limit;
    auto kv = etcdserverpb::KV::NewStub(NewChannel());
    etcdserverpb::PutRequest request;
    request.set_key("a");
    request.set_value("secret");
    etcdserverpb::PutResponse response;
    grpc::ClientContext context;
    testing::internal::CaptureStderr();
    EXPECT_TRUE(kv->Put(&context, request, &response).ok());
    return testing::internal::GetCapturedStderr();
  }
};

TEST_F(SlowCallTest, IsLogged) {
  const std::string line = LogOfPut(Duration::zero());
  for (const char* part :
       {"\"level\":\"warn\"", "\"msg\":\"request stats\"", "\"start time\":\"20",
        "\"time spent\":\"", "\"remote\":\"127.0.0.1:",
        "\"response type\":\"/etcdserverpb.KV/Put\",\"request count\":1,\"request size\":11,"
        "\"response count\":0,",
        "\"request content\":\"key:\\\"a\\\" value_size:6\"}"}) {
    EXPECT_NE(line.find(part), std::string::npos) << part << " in " << line;
  }
}

TEST_F(SlowCallTest, OthersAreNot) { EXPECT_EQ(LogOfPut(std::chrono::minutes(1)), ""); }

}  // namespace
}  // namespace kvorum::api
