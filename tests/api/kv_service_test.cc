#include <gtest/gtest.h>

#include <string>
#include <thread>

#include "proto/rpc.grpc.pb.h"
#include "tests/api/front_end_fixture.h"

namespace kvorum::api {
namespace {

using etcdserverpb::RangeRequest;
using etcdserverpb::RangeResponse;
using grpc::StatusCode;
using server::Error;

class KvServiceTest : public FrontEndTest {
 protected:
  void SetUp() override {
    FrontEndTest::SetUp();
    kv_ = etcdserverpb::KV::NewStub(NewChannel());
  }
  grpc::Status Put(const std::string& key, const std::string& value,
                   etcdserverpb::PutResponse* response = nullptr) {
    etcdserverpb::PutRequest request;
    request.set_key(key);
    request.set_value(value);
    request.set_prev_kv(true);
    etcdserverpb::PutResponse ignored;
    grpc::ClientContext context;
    return kv_->Put(&context, request, response != nullptr ? response : &ignored);
  }
  grpc::Status Range(const RangeRequest& request, RangeResponse* response) {
    grpc::ClientContext context;
    return kv_->Range(&context, request, response);
  }
  grpc::Status Compact(bool physical, etcdserverpb::CompactionResponse* response) {
    etcdserverpb::CompactionRequest request;
    request.set_revision(1);
    request.set_physical(physical);
    grpc::ClientContext context;
    return kv_->Compact(&context, request, response);
  }
  RangeRequest Everything() {
    RangeRequest request;
    request.set_key(std::string(1, '\0'));
    request.set_range_end(std::string(1, '\0'));
    return request;
  }

  std::unique_ptr<etcdserverpb::KV::Stub> kv_;
};

TEST_F(KvServiceTest, PutAnswersWithAFullHeader) {
  etcdserverpb::PutResponse response;
  ASSERT_TRUE(Put("a", "1", &response).ok());
  EXPECT_EQ(response.header().cluster_id(), 9u);
  EXPECT_EQ(response.header().member_id(), 7u);
  EXPECT_EQ(response.header().raft_term(), 3u);
  EXPECT_EQ(response.header().revision(), 2);
  EXPECT_FALSE(response.has_prev_kv());
  ASSERT_TRUE(Put("a", "2", &response).ok());
  EXPECT_EQ(response.prev_kv().value(), "1");
}

TEST_F(KvServiceTest, MalformedRequestsNeverReachTheServer) {
  EXPECT_STATUS(Put("", "1"), StatusCode::INVALID_ARGUMENT, "etcdserver: key is not provided");
  RangeResponse response;
  EXPECT_STATUS(Range(RangeRequest(), &response), StatusCode::INVALID_ARGUMENT,
                "etcdserver: key is not provided");
  EXPECT_TRUE(server_.proposals().empty());
}

TEST_F(KvServiceTest, LackOfSpaceComesBeforeWhatIsWrongWithAWrite) {
  server_.no_space = true;
  const char* const text = "etcdserver: mvcc: database space exceeded";
  EXPECT_STATUS(Put("", "1"), StatusCode::RESOURCE_EXHAUSTED, text);
  etcdserverpb::TxnRequest txn;
  txn.add_success();
  etcdserverpb::TxnResponse response;
  grpc::ClientContext context;
  EXPECT_STATUS(kv_->Txn(&context, txn, &response), StatusCode::RESOURCE_EXHAUSTED, text);
  RangeResponse range;
  EXPECT_STATUS(Range(RangeRequest(), &range), StatusCode::INVALID_ARGUMENT,
                "etcdserver: key is not provided");
  EXPECT_TRUE(server_.proposals().empty());
}

TEST_F(KvServiceTest, ErrorsOfTheServerReachTheClient) {
  server_.propose_error = Error::kNoSpace;
  EXPECT_STATUS(Put("a", "1"), StatusCode::RESOURCE_EXHAUSTED,
                "etcdserver: mvcc: database space exceeded");
  server_.propose_error = Error::kTooManyRequests;
  EXPECT_STATUS(Put("a", "1"), StatusCode::UNKNOWN, "etcdserver: too many requests");
  server_.read_error = Error::kCompacted;
  RangeResponse response;
  EXPECT_STATUS(Range(Everything(), &response), StatusCode::OUT_OF_RANGE,
                "etcdserver: mvcc: required revision has been compacted");
}

TEST_F(KvServiceTest, RangeIsSplicedFromStoredBytes) {
  ASSERT_TRUE(Put("a", "1").ok());
  ASSERT_TRUE(Put("b", std::string(300000, 'x')).ok());
  ASSERT_TRUE(Put("c", "3").ok());
  RangeRequest request = Everything();
  request.set_limit(2);
  RangeResponse response;
  ASSERT_TRUE(Range(request, &response).ok());
  ASSERT_EQ(response.kvs_size(), 2);
  EXPECT_EQ(response.kvs(0).key(), "a");
  EXPECT_EQ(response.kvs(0).value(), "1");
  EXPECT_EQ(response.kvs(1).value().size(), 300000u);
  EXPECT_EQ(response.kvs(1).mod_revision(), 3);
  EXPECT_TRUE(response.more());
  EXPECT_EQ(response.count(), 3);
  EXPECT_EQ(response.header().revision(), 4);
  EXPECT_EQ(response.header().member_id(), 7u);
}

TEST_F(KvServiceTest, AnEmptyRangeAndACountHaveNoRows) {
  RangeRequest request;
  request.set_key("none");
  RangeResponse response;
  ASSERT_TRUE(Range(request, &response).ok());
  EXPECT_EQ(response.kvs_size(), 0);
  EXPECT_EQ(response.header().revision(), 1);
  ASSERT_TRUE(Put("a", "1").ok());
  request = Everything();
  request.set_count_only(true);
  ASSERT_TRUE(Range(request, &response).ok());
  EXPECT_EQ(response.kvs_size(), 0);
  EXPECT_EQ(response.count(), 1);
}

TEST_F(KvServiceTest, AReadWaitsForItsIndexUnlessItIsSerializable) {
  server_.read_index_now = false;
  server_.hold = true;
  RangeRequest request = Everything();
  request.set_serializable(true);
  RangeResponse response;
  ASSERT_TRUE(Range(request, &response).ok());

  std::thread releaser([this] {
    server_.AwaitHeld(1);
    server_.Release(Error::kLeaderChanged);
  });
  EXPECT_STATUS(Range(Everything(), &response), StatusCode::UNAVAILABLE,
                "etcdserver: leader changed");
  releaser.join();
  ASSERT_TRUE(Range(Everything(), &response).ok());
}

TEST_F(KvServiceTest, LongReadsGoToThePoolWhichMayBeFull) {
  server_.wants_pool = true;
  RangeResponse response;
  ASSERT_TRUE(Range(Everything(), &response).ok());
  EXPECT_EQ(server_.pool_runs(), 1);
  server_.pool_full = true;
  EXPECT_STATUS(Range(Everything(), &response), StatusCode::UNKNOWN,
                "etcdserver: too many requests");
}

TEST_F(KvServiceTest, ALongListIsReadInPiecesAtOneRevision) {
  server_.wants_pool = true;
  for (int i = 0; i < 300; ++i) ASSERT_TRUE(Put("k" + std::to_string(1000 + i), "v").ok());
  RangeResponse response;
  ASSERT_TRUE(Range(Everything(), &response).ok());
  ASSERT_EQ(response.kvs_size(), 300);
  EXPECT_EQ(response.kvs(299).key(), "k1299");
  EXPECT_EQ(response.count(), 300);
  EXPECT_FALSE(response.more());
  EXPECT_EQ(response.header().revision(), 301);
  EXPECT_EQ(response.header().member_id(), 7u);
  const std::vector<RangeRequest> reads = server_.ranges();
  ASSERT_EQ(reads.size(), 2u);
  EXPECT_EQ(reads[1].revision(), 301);
  EXPECT_EQ(reads[1].key(), std::string("k1255") + '\0');

  RangeRequest request = Everything();
  request.set_limit(299);
  ASSERT_TRUE(Range(request, &response).ok());
  EXPECT_EQ(response.kvs_size(), 299);
  EXPECT_TRUE(response.more());
  EXPECT_EQ(response.count(), 300);
}

TEST_F(KvServiceTest, ACompactionThatOvertakesAListOfTheCurrentRevisionIsNotSeen) {
  server_.wants_pool = true;
  for (int i = 0; i < 300; ++i) ASSERT_TRUE(Put("k" + std::to_string(1000 + i), "v").ok());
  server_.compacted_after = 1;
  RangeResponse response;
  ASSERT_TRUE(Range(Everything(), &response).ok());
  EXPECT_EQ(response.kvs_size(), 300);
  RangeRequest request = Everything();
  request.set_revision(5);
  EXPECT_STATUS(Range(request, &response), StatusCode::OUT_OF_RANGE,
                "etcdserver: mvcc: required revision has been compacted");
}

TEST_F(KvServiceTest, WhatIsNotInKeyOrderIsReadWhole) {
  server_.wants_pool = true;
  for (int i = 0; i < 300; ++i) ASSERT_TRUE(Put("k" + std::to_string(1000 + i), "v").ok());
  RangeRequest request = Everything();
  request.set_sort_order(RangeRequest::DESCEND);
  RangeResponse response;
  ASSERT_TRUE(Range(request, &response).ok());
  EXPECT_EQ(response.kvs_size(), 300);
  EXPECT_EQ(server_.ranges().size(), 1u);
}

// Few rows, but large: memory has them, and still they are not copied on a polling thread.
TEST_F(KvServiceTest, ManyBytesFromMemoryGoToThePool) {
  ASSERT_TRUE(Put("a", std::string(100000, 'x')).ok());
  RangeResponse response;
  ASSERT_TRUE(Range(Everything(), &response).ok());
  EXPECT_EQ(response.kvs(0).value().size(), 100000u);
  EXPECT_EQ(response.count(), 1);
  EXPECT_EQ(server_.pool_runs(), 1);
  EXPECT_EQ(server_.ranges().size(), 1u) << "read once";
}

TEST_F(KvServiceTest, AReadOnlyTxnGoesToThePoolOnlyIfMemoryDoesNotDo) {
  etcdserverpb::TxnRequest request;
  request.add_success()->mutable_request_range()->set_key("a");
  etcdserverpb::TxnResponse response;
  grpc::ClientContext first;
  ASSERT_TRUE(kv_->Txn(&first, request, &response).ok());
  EXPECT_EQ(server_.pool_runs(), 0);
  server_.wants_pool = true;
  grpc::ClientContext second;
  ASSERT_TRUE(kv_->Txn(&second, request, &response).ok());
  EXPECT_EQ(server_.pool_runs(), 1);
  server_.pool_full = true;
  grpc::ClientContext third;
  EXPECT_STATUS(kv_->Txn(&third, request, &response), StatusCode::UNKNOWN,
                "etcdserver: too many requests");
}

TEST_F(KvServiceTest, DeleteRange) {
  ASSERT_TRUE(Put("a", "1").ok());
  etcdserverpb::DeleteRangeRequest request;
  request.set_key("a");
  etcdserverpb::DeleteRangeResponse response;
  grpc::ClientContext context;
  ASSERT_TRUE(kv_->DeleteRange(&context, request, &response).ok());
  EXPECT_EQ(response.deleted(), 1);
  EXPECT_EQ(response.header().revision(), 2) << "the store's, as the server set none";
}

TEST_F(KvServiceTest, TxnThatOnlyReadsIsNotProposed) {
  etcdserverpb::TxnRequest request;
  request.add_success()->mutable_request_range()->set_key("a");
  etcdserverpb::TxnResponse response;
  grpc::ClientContext context;
  ASSERT_TRUE(kv_->Txn(&context, request, &response).ok());
  EXPECT_TRUE(response.succeeded());
  EXPECT_EQ(response.header().revision(), 1);
  EXPECT_TRUE(server_.proposals().empty());

  request.add_failure()->mutable_request_put()->set_key("a");
  grpc::ClientContext second;
  ASSERT_TRUE(kv_->Txn(&second, request, &response).ok());
  EXPECT_EQ(server_.proposals().size(), 1u);
}

TEST_F(KvServiceTest, PhysicalCompactionWaitsForThePurge) {
  etcdserverpb::CompactionResponse response;
  ASSERT_TRUE(Compact(false, &response).ok());
  ASSERT_TRUE(Compact(true, &response).ok());
  // Already compacted: waits as well, and then says so.
  server_.propose_error = Error::kCompacted;
  server_.hold = true;
  std::thread releaser([this] {
    server_.AwaitHeld(1);
    server_.Release(Error::kCompacted);
  });
  EXPECT_STATUS(Compact(true, &response), StatusCode::OUT_OF_RANGE,
                "etcdserver: mvcc: required revision has been compacted");
  releaser.join();
}

TEST_F(KvServiceTest, TooLargeRequestsGetTheOriginalsTwoTexts) {
  EXPECT_STATUS(Put("a", std::string(1572865, 'x')), StatusCode::INVALID_ARGUMENT,
                "etcdserver: request is too large");
  etcdserverpb::PutRequest request;
  request.set_key("a");
  request.set_value(std::string(2097152, 'x'));
  request.set_prev_kv(true);
  EXPECT_STATUS(Put("a", request.value()), StatusCode::RESOURCE_EXHAUSTED,
                "grpc: received message larger than max (" +
                    std::to_string(request.ByteSizeLong()) + " vs. 2097152)");
}

TEST_F(KvServiceTest, ABatchOfHeldCallsIsAnsweredByOneAlarm) {
  server_.hold = true;
  constexpr int kCalls = 50;
  std::vector<std::thread> clients;
  std::atomic<int> succeeded{0};
  for (int i = 0; i < kCalls; ++i) {
    clients.emplace_back([&, i] {
      if (Put("k" + std::to_string(i), "v").ok()) ++succeeded;
    });
  }
  server_.AwaitHeld(kCalls);
  server_.Release();
  for (std::thread& client : clients) client.join();
  EXPECT_EQ(succeeded, kCalls);
}

}  // namespace
}  // namespace kvorum::api
