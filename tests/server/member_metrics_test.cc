#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>
#include <sstream>
#include <string>

#include "base/metrics.h"
#include "mvcc/metrics.h"
#include "server/metrics.h"
#include "tests/server/member_harness.h"

namespace kvorum::server {
namespace {

using ::testing::Contains;
using ::testing::Key;
using ::testing::Pair;

class MemberMetricsTest : public ::testing::Test {
 protected:
  // The value of each series, of the member and of the process so far.
  std::map<std::string, double> Values() {
    const std::vector<metrics::Collector> collectors = {
        [this](metrics::Samples* samples) { member_.server->CollectMetrics(samples); }};
    std::istringstream lines(metrics::Default().Text(collectors));
    std::map<std::string, double> values;
    for (std::string line; std::getline(lines, line);) {
      const size_t blank = line.rfind(' ');
      if (!line.starts_with('#')) values[line.substr(0, blank)] = std::stod(line.substr(blank + 1));
    }
    return values;
  }

  MemberHarness member_;
};

TEST_F(MemberMetricsTest, AMemberShowsItself) {
  member_.config.features = {{.name = "AllBeta", .stage = "BETA", .enabled = true}};
  member_.config.quota_backend_bytes = 65536;
  member_.OpenAndWaitReady();
  member_.Put("a", "1");
  member_.Put("b", "2");
  member_.Put("a", "3");
  member_.Compact(3);
  const auto values = Values();
  for (const auto& [series, value] : std::map<std::string, double>{
           {"etcd_server_has_leader", 1},
           {"etcd_server_is_leader", 1},
           {"etcd_server_is_learner", 0},
           {"etcd_server_id{server_id=\"8e9e05c52164694d\"}", 1},
           {"etcd_server_version{server_version=\"3.7.1\"}", 1},
           {"etcd_cluster_version{cluster_version=\"3.7\"}", 1},
           {"etcd_server_feature_enabled{name=\"AllBeta\",stage=\"BETA\"}", 1},
           {"etcd_server_quota_backend_bytes", 65536},
           {"etcd_server_proposals_pending", 0},
           {"etcd_network_known_peers{Local=\"8e9e05c52164694d\",Remote=\"8e9e05c52164694d\"}", 1},
           {"etcd_debugging_mvcc_keys_total", 2},
           {"etcd_debugging_mvcc_current_revision", 4},
           {"etcd_debugging_mvcc_compact_revision", 3},
           {"etcd_mvcc_db_open_read_transactions", 0}}) {
    EXPECT_THAT(values, Contains(Pair(series, value)));
  }
  EXPECT_EQ(values.at("etcd_server_proposals_applied_total"),
            values.at("etcd_server_proposals_committed_total"));
  EXPECT_GT(values.at("etcd_mvcc_db_total_size_in_bytes"), 0);
}

TEST_F(MemberMetricsTest, WritesAreCountedOnTheirWay) {
  member_.OpenAndWaitReady();
  auto before = Values();
  EXPECT_EQ(member_.Put("a", "1"), Error::kOk);
  EXPECT_EQ(member_.Put("a", "1", /*lease=*/99), Error::kLeaseNotFound);
  EXPECT_EQ(member_.Put("big", std::string(member_.config.max_request_bytes, 'x')),
            Error::kRequestTooLarge);
  auto after = Values();
  const auto change = [&](const std::string& series) { return after[series] - before[series]; };
  const std::string request = "etcd_server_request_duration_seconds_count";
  EXPECT_EQ(change(request + "{success=\"true\",type=\"Put\"}"), 2) << "a refusal, too, is applied";
  EXPECT_EQ(change(request + "{success=\"false\",type=\"Put\"}"), 1);
  const std::string apply = "etcd_server_apply_duration_seconds_count{op=\"Put\",";
  EXPECT_EQ(change(apply + "success=\"true\",version=\"v3\"}"), 1);
  EXPECT_EQ(change(apply + "success=\"false\",version=\"v3\"}"), 1);
  EXPECT_EQ(change("etcd_mvcc_put_total"), 1);
  EXPECT_EQ(change("etcd_debugging_mvcc_total_put_size_in_bytes"), 2);
  EXPECT_EQ(change("etcd_server_proposals_failed_total"), 0);
  EXPECT_GE(change("etcd_disk_wal_fsync_duration_seconds_count"), 1);
  EXPECT_GT(change("etcd_disk_wal_write_bytes_total"), 0);
  EXPECT_GE(change("etcd_disk_backend_commit_duration_seconds_count"), 2);
}

TEST_F(MemberMetricsTest, AnAbandonedWriteHasFailed) {
  member_.OpenAndWaitReady();
  auto before = Values();
  const auto call = member_.Start(MemberHarness::PutRequest("a", "1"));
  EXPECT_EQ(Values()["etcd_server_proposals_pending"], 1);
  ASSERT_TRUE(member_.server->Abandon(call.get()));
  auto after = Values();
  EXPECT_EQ(after["etcd_server_proposals_pending"], 0);
  EXPECT_EQ(after["etcd_server_proposals_failed_total"],
            before["etcd_server_proposals_failed_total"] + 1);
}

TEST_F(MemberMetricsTest, AnAlarmIsShownUntilItIsDisarmed) {
  member_.OpenAndWaitReady();
  const std::string series =
      "etcd_debugging_server_alarms{alarm_type=\"NOSPACE\",server_id=\"8e9e05c52164694d\"}";
  etcdserverpb::InternalRaftRequest request;
  request.mutable_alarm()->set_action(etcdserverpb::AlarmRequest::ACTIVATE);
  request.mutable_alarm()->set_memberid(member_.server->member_id().value());
  request.mutable_alarm()->set_alarm(etcdserverpb::NOSPACE);
  member_.Do(request);
  EXPECT_EQ(Values()[series], 1);
  request.mutable_alarm()->set_action(etcdserverpb::AlarmRequest::DEACTIVATE);
  member_.Do(request);
  EXPECT_EQ(Values()[series], 0);
}

TEST_F(MemberMetricsTest, ReadsAreCounted) {
  member_.OpenAndWaitReady();
  member_.Put("a", "1");
  auto before = Values();
  member_.Get("a");
  etcdserverpb::RangeRequest request;
  request.set_key("a");
  RangeResult result;
  ASSERT_TRUE(member_.server->RangeInMemory(request, &result).has_value());
  request.set_revision(1000);
  ASSERT_EQ(member_.server->RangeInMemory(request, &result), Error::kFutureRevision);
  auto after = Values();
  const auto change = [&](const std::string& series) { return after[series] - before[series]; };
  EXPECT_EQ(change("etcd_mvcc_range_total"), 3);
  EXPECT_EQ(change("etcd_server_range_duration_seconds_count{success=\"true\"}"), 2);
  EXPECT_EQ(change("etcd_server_range_duration_seconds_count{success=\"false\"}"), 1);
}

TEST_F(MemberMetricsTest, WhatEtcdHasAndThisBuildNeverCountsIsThere) {
  member_.OpenAndWaitReady();
  const auto values = Values();
  EXPECT_THAT(values, Contains(Key("etcd_debugging_store_watchers")));
  EXPECT_THAT(values, Contains(Key("etcd_snap_db_fsync_duration_seconds_count")));
}

TEST(OperationCountsTest, TwoOperationsAreATxn) {
  const uint64_t txns = mvcc::txn_total.value();
  const uint64_t deletes = mvcc::delete_total.value();
  mvcc::OperationCounts counts{.deletes = 1};
  counts.AddToTotals();
  EXPECT_EQ(mvcc::txn_total.value(), txns);
  counts = {.ranges = 1, .deletes = 1};
  counts.AddToTotals();
  EXPECT_EQ(mvcc::txn_total.value(), txns + 1);
  EXPECT_EQ(mvcc::delete_total.value(), deletes + 2);
  counts.AddToTotals();
  EXPECT_EQ(mvcc::delete_total.value(), deletes + 2) << "what was added is not added again";
}

}  // namespace
}  // namespace kvorum::server
