#include "api/grpc/header_trace.h"

#include <gtest/gtest.h>

#include "proto/rpc.grpc.pb.h"
#include "tests/api/front_end_fixture.h"

namespace kvorum::api {
namespace {

TEST(HeaderTraceTest, WantedOnlyAtLevelTwo) {
  EXPECT_FALSE(WantsHeaderTrace(nullptr));
  EXPECT_FALSE(WantsHeaderTrace(""));
  EXPECT_FALSE(WantsHeaderTrace("http2debug=1"));
  EXPECT_TRUE(WantsHeaderTrace("http2debug=2"));
  EXPECT_TRUE(WantsHeaderTrace("madvdontneed=1,http2debug=2"));
}

TEST(HeaderTraceTest, LinesAreGos) {
  ::setenv("TZ", "UTC", 1);
  const WallTime time{std::chrono::seconds(1'700'000'000)};
  EXPECT_EQ(HeaderTrace(time, "localhost:20000", {{"hasleader", "true"}, {"x", "a\"b"}}),
            "2023/11/14 22:13:20 http2: decoded hpack field header field \":authority\" = "
            "\"localhost:20000\"\n"
            "2023/11/14 22:13:20 http2: decoded hpack field header field \"hasleader\" = "
            "\"true\"\n"
            "2023/11/14 22:13:20 http2: decoded hpack field header field \"x\" = \"a\\\"b\"\n");
}

class TracedCallTest : public FrontEndTest {
 protected:
  void SetUp() override {
    ::setenv("GODEBUG", "http2debug=2", 1);
    FrontEndTest::SetUp();
    ::unsetenv("GODEBUG");
  }
};

TEST_F(TracedCallTest, AuthorityIsTheClients) {
  auto cluster = etcdserverpb::Cluster::NewStub(NewChannel());
  grpc::ClientContext context;
  context.set_authority("some.host:1");
  etcdserverpb::MemberListResponse response;
  testing::internal::CaptureStderr();
  ASSERT_TRUE(cluster->MemberList(&context, etcdserverpb::MemberListRequest(), &response).ok());
  EXPECT_NE(testing::internal::GetCapturedStderr().find("\":authority\" = \"some.host:1\"\n"),
            std::string::npos);
}

}  // namespace
}  // namespace kvorum::api
