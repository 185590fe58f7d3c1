#include <gtest/gtest.h>

#include <functional>
#include <string>
#include <vector>

#include "api/grpc/range_calls.h"
#include "mvcc/metrics.h"
#include "proto/rpc.grpc.pb.h"
#include "tests/api/front_end_fixture.h"

namespace kvorum::api {
namespace {

using etcdserverpb::RangeRequest;
using etcdserverpb::RangeResponse;
using grpc::StatusCode;
using server::Error;

constexpr char kUnorderedText[] = "RangeStream does not support custom sort orders";
constexpr char kFilteredText[] = "RangeStream does not support revision filters";

TEST(CheckRangeStreamTest, NaturalOrderOnly) {
  RangeRequest request;
  EXPECT_TRUE(CheckRangeStream(request).ok());
  request.set_sort_order(RangeRequest::ASCEND);
  EXPECT_TRUE(CheckRangeStream(request).ok());
  request.set_sort_target(RangeRequest::MOD);
  EXPECT_STATUS(CheckRangeStream(request), StatusCode::UNIMPLEMENTED, kUnorderedText);
  request.set_sort_order(RangeRequest::NONE);
  EXPECT_TRUE(CheckRangeStream(request).ok()) << "without an order is ascending";
  request.set_sort_target(RangeRequest::KEY);
  request.set_sort_order(RangeRequest::DESCEND);
  request.set_min_mod_revision(1);
  EXPECT_STATUS(CheckRangeStream(request), StatusCode::UNIMPLEMENTED, kUnorderedText);
}

TEST(CheckRangeStreamTest, NoFilters) {
  for (const auto set :
       {&RangeRequest::set_min_mod_revision, &RangeRequest::set_max_mod_revision,
        &RangeRequest::set_min_create_revision, &RangeRequest::set_max_create_revision}) {
    RangeRequest request;
    (request.*set)(-1);
    EXPECT_STATUS(CheckRangeStream(request), StatusCode::UNIMPLEMENTED, kFilteredText);
  }
}

TEST(NextChunkRowsTest, DoublesBelowHalfAndHalvesAboveTwice) {
  EXPECT_EQ(NextChunkRows(10, 499, 1001), 20);
  EXPECT_EQ(NextChunkRows(10, 500, 1001), 10);
  EXPECT_EQ(NextChunkRows(10, 2002, 1001), 10);
  EXPECT_EQ(NextChunkRows(10, 2003, 1001), 5);
  EXPECT_EQ(NextChunkRows(1, 2003, 1001), 1);
}

class RangeStreamTest : public FrontEndTest {
 protected:
  void SetUp() override {
    FrontEndTest::SetUp();
    kv_ = etcdserverpb::KV::NewStub(NewChannel());
  }
  void Fill(int keys, size_t value_bytes) {
    for (int i = 0; i < keys; ++i) {
      etcdserverpb::PutRequest request;
      request.set_key("k" + std::to_string(10000 + i));
      request.set_value(std::string(value_bytes, 'v'));
      etcdserverpb::PutResponse response;
      grpc::ClientContext context;
      ASSERT_TRUE(kv_->Put(&context, request, &response).ok());
    }
  }
  RangeRequest Everything() {
    RangeRequest request;
    request.set_key(std::string(1, '\0'));
    request.set_range_end(std::string(1, '\0'));
    return request;
  }
  grpc::Status Stream(const RangeRequest& request, std::vector<RangeResponse>* messages) {
    grpc::ClientContext context;
    auto stream = kv_->RangeStream(&context, request);
    etcdserverpb::RangeStreamResponse message;
    while (stream->Read(&message)) messages->push_back(message.range_response());
    return stream->Finish();
  }
  std::vector<int> Sizes(const std::vector<RangeResponse>& messages) {
    std::vector<int> sizes;
    for (const RangeResponse& message : messages) sizes.push_back(message.kvs_size());
    return sizes;
  }

  std::unique_ptr<etcdserverpb::KV::Stub> kv_;
};

TEST_F(RangeStreamTest, SmallRowsComeInMessagesThatDouble) {
  Fill(100, 1);
  std::vector<RangeResponse> messages;
  ASSERT_TRUE(Stream(Everything(), &messages).ok());
  EXPECT_EQ(Sizes(messages), (std::vector<int>{10, 20, 40, 30}));
  RangeResponse merged;
  for (size_t i = 0; i < messages.size(); ++i) {
    EXPECT_EQ(messages[i].has_header(), i + 1 == messages.size());
    EXPECT_EQ(messages[i].count(), i + 1 == messages.size() ? 100 : 0);
    EXPECT_FALSE(messages[i].more());
    merged.MergeFrom(messages[i]);
  }
  EXPECT_EQ(merged.header().member_id(), 7u);
  EXPECT_EQ(merged.header().cluster_id(), 9u);
  EXPECT_EQ(merged.header().raft_term(), 3u);
  EXPECT_EQ(merged.header().revision(), 101);
  for (int i = 0; i < 100; ++i) EXPECT_EQ(merged.kvs(i).key(), "k" + std::to_string(10000 + i));
}

TEST_F(RangeStreamTest, LargeRowsHalveTheMessages) {
  server_.settings.max_request_bytes = 10000;
  Fill(20, 3000);
  std::vector<RangeResponse> messages;
  ASSERT_TRUE(Stream(Everything(), &messages).ok());
  EXPECT_EQ(Sizes(messages), (std::vector<int>{10, 5, 5}));
}

// Of the API's lists; those that the server reads at once it counts itself.
TEST_F(RangeStreamTest, EachMessageIsARangeAndALongListIsOne) {
  Fill(100, 1);
  const auto ranges = [](const std::function<void()>& work) {
    const uint64_t before = mvcc::range_total.value();
    work();
    return mvcc::range_total.value() - before;
  };
  std::vector<RangeResponse> messages;
  EXPECT_EQ(ranges([&] { ASSERT_TRUE(Stream(Everything(), &messages).ok()); }), 4u);
  RangeRequest limited = Everything();
  limited.set_limit(15);
  EXPECT_EQ(ranges([&] { ASSERT_TRUE(Stream(limited, &messages).ok()); }), 3u)
      << "two messages and the count of the rest";
  server_.wants_pool = true;
  for (const RangeRequest& request : {Everything(), limited}) {
    EXPECT_EQ(ranges([&] {
                grpc::ClientContext context;
                RangeResponse response;
                ASSERT_TRUE(kv_->Range(&context, request, &response).ok());
              }),
              1u);
  }
  server_.read_error = Error::kCompacted;
  EXPECT_EQ(ranges([&] { ASSERT_FALSE(Stream(Everything(), &messages).ok()); }), 1u);
}

TEST_F(RangeStreamTest, LaterMessagesAreReadAtTheFirstOnesRevision) {
  Fill(30, 1);
  std::vector<RangeResponse> messages;
  ASSERT_TRUE(Stream(Everything(), &messages).ok());
  const std::vector<RangeRequest> reads = server_.ranges();
  ASSERT_EQ(reads.size(), 2u);
  EXPECT_EQ(reads[0].revision(), 0);
  EXPECT_EQ(reads[0].limit(), 10);
  EXPECT_EQ(reads[1].revision(), 31);
  EXPECT_EQ(reads[1].limit(), 20);
  EXPECT_EQ(reads[1].key(), std::string("k10009") + '\0');
  EXPECT_EQ(server_.pool_runs(), 2);
}

TEST_F(RangeStreamTest, ALimitEndsItWithMoreAndTheWholeCount) {
  Fill(100, 1);
  RangeRequest request = Everything();
  for (const int limit : {5, 10, 35, 100, 200}) {
    request.set_limit(limit);
    std::vector<RangeResponse> messages;
    ASSERT_TRUE(Stream(request, &messages).ok());
    RangeResponse merged;
    for (const RangeResponse& message : messages) merged.MergeFrom(message);
    EXPECT_EQ(merged.kvs_size(), std::min(limit, 100));
    EXPECT_EQ(merged.more(), limit < 100);
    EXPECT_EQ(merged.count(), 100);
  }
}

TEST_F(RangeStreamTest, ATargetWithoutOrderIsSortedAsAWhole) {
  Fill(100, 1);
  RangeRequest request = Everything();
  request.set_sort_target(RangeRequest::VALUE);
  std::vector<RangeResponse> messages;
  ASSERT_TRUE(Stream(request, &messages).ok());
  EXPECT_EQ(Sizes(messages), std::vector<int>{100});
  EXPECT_EQ(messages[0].count(), 100);
  const std::vector<RangeRequest> reads = server_.ranges();
  ASSERT_EQ(reads.size(), 1u);
  EXPECT_EQ(reads[0].sort_target(), RangeRequest::VALUE) << "which the server sorts by";
}

TEST_F(RangeStreamTest, ACountAndAnEmptyRangeAreOneMessage) {
  std::vector<RangeResponse> messages;
  ASSERT_TRUE(Stream(Everything(), &messages).ok());
  ASSERT_EQ(messages.size(), 1u);
  EXPECT_EQ(messages[0].header().revision(), 1);
  EXPECT_EQ(messages[0].count(), 0);
  Fill(50, 1);
  RangeRequest request = Everything();
  request.set_count_only(true);
  messages.clear();
  ASSERT_TRUE(Stream(request, &messages).ok());
  ASSERT_EQ(messages.size(), 1u);
  EXPECT_EQ(messages[0].kvs_size(), 0);
  EXPECT_EQ(messages[0].count(), 50);
  EXPECT_EQ(messages[0].header().revision(), 51);
}

TEST_F(RangeStreamTest, RefusalsComeInTheOriginalsOrder) {
  RangeRequest request;
  std::vector<RangeResponse> messages;
  EXPECT_STATUS(Stream(request, &messages), StatusCode::INVALID_ARGUMENT,
                "etcdserver: key is not provided");
  request.set_key("a");
  request.set_sort_order(RangeRequest::DESCEND);
  EXPECT_STATUS(Stream(request, &messages), StatusCode::UNIMPLEMENTED, kUnorderedText);
  server_.learner = true;
  EXPECT_STATUS(Stream(request, &messages), StatusCode::FAILED_PRECONDITION,
                "etcdserver: rpc not supported for learner");
  EXPECT_TRUE(messages.empty());
}

TEST_F(RangeStreamTest, ACompactionMayEndItAfterItHasBegun) {
  Fill(30, 1);
  server_.compacted_after = 1;
  std::vector<RangeResponse> messages;
  EXPECT_STATUS(Stream(Everything(), &messages), StatusCode::OUT_OF_RANGE,
                "etcdserver: mvcc: required revision has been compacted");
  ASSERT_EQ(messages.size(), 1u);
  EXPECT_EQ(messages[0].kvs_size(), 10);
  EXPECT_FALSE(messages[0].has_header());
}

TEST_F(RangeStreamTest, WaitsForItsReadIndexAndMayFindThePoolFull) {
  server_.read_index_now = false;
  server_.read_error = Error::kLeaderChanged;
  std::vector<RangeResponse> messages;
  EXPECT_STATUS(Stream(Everything(), &messages), StatusCode::UNAVAILABLE,
                "etcdserver: leader changed");
  server_.read_error = Error::kOk;
  server_.pool_full = true;
  EXPECT_STATUS(Stream(Everything(), &messages), StatusCode::UNKNOWN,
                "etcdserver: too many requests");
}

// Also what the budget is for: what a client does not read is not read for it either.
TEST_F(RangeStreamTest, AStreamNobodyReadsIsReadNoFurther) {
  server_.settings.max_request_bytes = 1 << 20;
  Fill(60, 1 << 19);
  grpc::ClientContext context;
  auto stream = kv_->RangeStream(&context, Everything());
  etcdserverpb::RangeStreamResponse message;
  ASSERT_TRUE(stream->Read(&message));
  context.TryCancel();
  while (stream->Read(&message)) {
  }
  EXPECT_EQ(stream->Finish().error_code(), StatusCode::CANCELLED);
  EXPECT_LT(server_.ranges().size(), 15u) << "messages of 10, 5, 2, 2, ... rows";
}

}  // namespace
}  // namespace kvorum::api
