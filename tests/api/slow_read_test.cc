#include "api/grpc/slow_read.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <functional>
#include <string>

#include "base/strings.h"
#include "proto/rpc.grpc.pb.h"
#include "tests/api/front_end_fixture.h"

namespace kvorum::api {
namespace {

using etcdserverpb::RangeRequest;
using etcdserverpb::RangeResponse;
using etcdserverpb::TxnRequest;
using etcdserverpb::TxnResponse;
using server::Error;
using ::testing::HasSubstr;

// A server for which any time is too long.
class SlowReadTest : public FrontEndTest {
 protected:
  void SetUp() override {
    server_.settings.warning_apply_duration = Duration(-1);
    FrontEndTest::SetUp();
    kv_ = etcdserverpb::KV::NewStub(NewChannel());
  }
  void Put(const std::string& key, const std::string& value) {
    etcdserverpb::PutRequest request;
    request.set_key(key);
    request.set_value(value);
    etcdserverpb::PutResponse response;
    grpc::ClientContext context;
    ASSERT_TRUE(kv_->Put(&context, request, &response).ok());
  }
  // The line is written before the answer is given.
  std::string LinesOf(const std::function<void()>& call) {
    testing::internal::CaptureStderr();
    call();
    return testing::internal::GetCapturedStderr();
  }
  std::string LinesOfRange(const RangeRequest& request, RangeResponse* response) {
    return LinesOf([&] {
      grpc::ClientContext context;
      kv_->Range(&context, request, response);
    });
  }
  static RangeRequest List() {
    RangeRequest request;
    request.set_key("a");
    request.set_range_end("z");
    return request;
  }
  // Of an answer before all but the revision is put into its header.
  template <typename Response>
  static size_t SizeOfBare(Response response) {
    const int64_t revision = response.header().revision();
    response.mutable_header()->Clear();
    response.mutable_header()->set_revision(revision);
    return response.ByteSizeLong();
  }

  std::unique_ptr<etcdserverpb::KV::Stub> kv_;
};

TEST_F(SlowReadTest, RangeSaysHowManyRowsAndBytes) {
  Put("a", "1");
  Put("b", std::string(2000, 'x'));
  for (const bool wants_pool : {false, true}) {
    server_.wants_pool = wants_pool;
    RangeResponse response;
    const std::string line = LinesOfRange(List(), &response);
    EXPECT_THAT(line, HasSubstr("\"msg\":\"apply request took too long\",\"took\":"));
    EXPECT_THAT(line,
                HasSubstr(StrCat(",\"expected-duration\":\"-1ns\",\"prefix\":\"read-only range "
                                 "\",\"request\":\"key:\\\"a\\\" range_end:\\\"z\\\"\","
                                 "\"response\":\"range_response_count:2 size:",
                                 SizeOfBare(response), "\"}")));
  }
}

TEST_F(SlowReadTest, CountedRowsAreNotRowsOfTheAnswer) {
  Put("a", "1");
  RangeRequest request = List();
  request.set_count_only(true);
  RangeResponse response;
  const std::string line = LinesOfRange(request, &response);
  EXPECT_THAT(line, HasSubstr(StrCat("range_response_count:0 size:", SizeOfBare(response), "\"}")));
}

TEST_F(SlowReadTest, FailedRangeHasAnErrorInPlaceOfAnAnswer) {
  server_.read_error = Error::kCompacted;
  RangeResponse response;
  EXPECT_THAT(LinesOfRange(List(), &response),
              HasSubstr("\"response\":\"\",\"error\":\"mvcc: required revision has been "
                        "compacted\"}"));
}

TEST_F(SlowReadTest, TxnSaysItForEachRange) {
  TxnRequest request;
  *request.add_success()->mutable_request_range() = List();
  *request.add_success()->mutable_request_range() = List();
  TxnResponse response;
  const std::string line = LinesOf([&] {
    grpc::ClientContext context;
    kv_->Txn(&context, request, &response);
  });
  EXPECT_THAT(line, HasSubstr(StrCat("\"prefix\":\"read-only txn \",\"request\":\"compare:<> "
                                     "success:<request_range:{key:\\\"a\\\" range_end:\\\"z\\\"} "
                                     "request_range:{key:\\\"a\\\" range_end:\\\"z\\\"}> "
                                     "failure:<>\",\"response\":\"responses:<range_response_count:"
                                     "0 range_response_count:0> size:",
                                     SizeOfBare(response), "\"}")));
}

TEST_F(SlowReadTest, ReadsWithinTheLimitAndWritesSayNothing) {
  RangeResponse response;
  EXPECT_EQ(LinesOf([&] { Put("a", "1"); }), "") << "the apply stage says it";
  server_.settings.warning_apply_duration = std::chrono::hours(1);
  EXPECT_EQ(LinesOfRange(List(), &response), "");
}

}  // namespace
}  // namespace kvorum::api
