#include "server/apply/slow_apply.h"

#include <gtest/gtest.h>

#include "server/metrics.h"
#include "tests/server/member_harness.h"

namespace kvorum::server {
namespace {

std::string LineOf(const LogEntry& entry, const WaitList::Result* result) {
  testing::internal::CaptureStderr();
  WarnOfSlowApply(entry, result, std::chrono::milliseconds(250), std::chrono::milliseconds(100));
  return testing::internal::GetCapturedStderr();
}

TEST(SlowApplyTest, NamesRequestAndSizeOfTheAnswer) {
  etcdserverpb::InternalRaftRequest request = MemberHarness::PutRequest("a", "secret");
  request.mutable_header()->set_id(5);
  const LogEntry entry{.data = SharedBytes(request.SerializeAsString())};
  etcdserverpb::PutResponse response;
  response.mutable_header()->set_revision(9);
  const WaitList::Result result{.id = 5, .error = Error::kOk, .response = response};
  EXPECT_NE(LineOf(entry, &result)
                .find("\"msg\":\"apply request took too long\",\"took\":\"250ms\","
                      "\"expected-duration\":\"100ms\",\"prefix\":\"\","
                      "\"request\":\"header:<ID:5> put:<key:\\\"a\\\" value_size:6>\","
                      "\"response\":\"size:4\"}"),
            std::string::npos)
      << LineOf(entry, &result);
  EXPECT_NE(LineOf(entry, nullptr).find("\"response\":\"\"}"), std::string::npos);
}

TEST(SlowApplyTest, ChangeOfTheConfigurationIsAnEntryToo) {
  raftpb::ConfChange change;
  change.set_type(raftpb::ConfChangeRemoveNode);
  change.set_node_id(3);
  const LogEntry entry{.type = EntryType::kConfChange,
                       .data = SharedBytes(change.SerializeAsString())};
  EXPECT_NE(LineOf(entry, nullptr).find("\"request\":\"type:ConfChangeRemoveNode node_id:3\""),
            std::string::npos)
      << LineOf(entry, nullptr);
}

TEST(SlowApplyTest, ErrorTakesThePlaceOfTheAnswer) {
  etcdserverpb::InternalRaftRequest request;
  request.mutable_compaction()->set_revision(3);
  const LogEntry entry{.data = SharedBytes(request.SerializeAsString())};
  const WaitList::Result result{
      .id = 5, .error = Error::kCompacted, .response = etcdserverpb::CompactionResponse()};
  EXPECT_NE(LineOf(entry, &result)
                .find("\"response\":\"\",\"error\":\"mvcc: required revision has been "
                      "compacted\"}"),
            std::string::npos)
      << LineOf(entry, &result);
}

TEST(SlowApplyTest, ReadHasItsKindAsPrefix) {
  etcdserverpb::RangeRequest request;
  request.set_key("a");
  const uint64_t before = slow_apply_total.value();
  testing::internal::CaptureStderr();
  WarnOfSlowRead(request, {.kind = "read-only range",
                           .response = "range_response_count:0 size:4",
                           .error = "",
                           .took = std::chrono::milliseconds(101),
                           .expected = std::chrono::milliseconds(100)});
  const std::string line = testing::internal::GetCapturedStderr();
  EXPECT_NE(line.find("\"msg\":\"apply request took too long\",\"took\":\"101ms\","
                      "\"expected-duration\":\"100ms\",\"prefix\":\"read-only range \","
                      "\"request\":\"key:\\\"a\\\"\","
                      "\"response\":\"range_response_count:0 size:4\"}"),
            std::string::npos)
      << line;
  EXPECT_EQ(slow_apply_total.value(), before + 1);
}

TEST(SlowApplyTest, MemberWarnsBeyondItsLimitOnly) {
  for (const Duration limit : {Duration(-1), Duration(0)}) {  // the test's clock stands still
    MemberHarness member;
    member.config.warning_apply_duration = limit;
    member.OpenAndWaitReady();
    testing::internal::CaptureStderr();
    EXPECT_EQ(member.Put("a", "1"), Error::kOk);
    const std::string lines = testing::internal::GetCapturedStderr();
    EXPECT_EQ(lines.find("put:<key:\\\"a\\\" value_size:1>") != std::string::npos,
              limit < Duration::zero())
        << lines;
  }
}

}  // namespace
}  // namespace kvorum::server
