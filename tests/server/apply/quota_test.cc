#include "server/apply/quota.h"

#include <gtest/gtest.h>

#include "tests/server/apply/applier_fixture.h"

namespace kvorum::server {
namespace {

TEST(SpaceCostTest, Table) {
  const struct {
    const char* request;
    int64_t cost;
  } kCases[] = {
      {"put { key: 'ab' value: 'cde' }", 256 + 5},
      {"delete_range { key: 'a' }", 0},
      {"compaction { revision: 1 }", 0},
      {"lease_grant { TTL: 5 }", 64},
      {"lease_revoke { ID: 5 }", 0},
      {"alarm { action: ACTIVATE }", 0},
      {"txn { }", 0},
      {"txn { success { request_range { key: 'a' } } }", 0},
      {"txn { success { request_put { key: 'a' } } success { request_put { key: 'b' } } }",
       2 * 257},
      // The dearer branch counts.
      {"txn { success { request_put { key: 'a' } } failure { request_put { key: 'bcd' } } }", 259},
      // At any depth.
      {"txn { success { request_txn { failure { request_put { key: 'a' } } } }"
       " success { request_put { key: 'b' } } }",
       2 * 257},
  };
  for (const auto& c : kCases) EXPECT_EQ(SpaceCost(Request(c.request)), c.cost) << c.request;
}

class QuotaTest : public ApplierTest {};

TEST_F(QuotaTest, NegativeMeansNoQuota) {
  SetQuota(-1);
  EXPECT_TRUE(quota_->Fits(Request("put { key: 'a' }")));
}

TEST_F(QuotaTest, ZeroMeansTheDefault) {
  SetQuota(0);
  EXPECT_TRUE(quota_->Fits(Request("put { key: 'a' }")));
}

TEST_F(QuotaTest, WhatDoesNotFitIsAppliedAndAnsweredNoSpace) {
  SetQuota(1);
  const ApplyResult result = Apply("put { key: 'a' value: '1' }");
  EXPECT_EQ(result.error, Error::kNoSpace);
  EXPECT_TRUE(result.raise_no_space);
  EXPECT_EQ(Value("a"), "a=1");
}

TEST_F(QuotaTest, WhatCostsNothingAlwaysFits) {
  Put("a", "1");
  SetQuota(1);
  EXPECT_EQ(ErrorOf("delete_range { key: 'a' }"), Error::kOk);
  EXPECT_EQ(ErrorOf("txn { success { request_delete_range { key: 'a' } } }"), Error::kOk);
  EXPECT_EQ(ErrorOf("compaction { revision: 1 }"), Error::kOk);
}

TEST_F(QuotaTest, ARefusedRequestRaisesNoAlarm) {
  SetQuota(1);
  const ApplyResult result = Apply("put { key: 'a' lease: 5 }");
  EXPECT_EQ(result.error, Error::kLeaseNotFound);
  EXPECT_FALSE(result.raise_no_space);
}

class AlarmApplierTest : public ApplierTest {
 protected:
  void Raise(const std::string& type) {
    EXPECT_EQ(ErrorOf("alarm { action: ACTIVATE memberID: 3 alarm: " + type + " }"), Error::kOk);
  }
};

TEST_F(AlarmApplierTest, NoSpaceRefusesWhatMayAdd) {
  Put("a", "1");
  EXPECT_EQ(ErrorOf("lease_grant { ID: 1 TTL: 10 }"), Error::kOk);
  Raise("NOSPACE");
  EXPECT_EQ(ErrorOf("put { key: 'a' value: '2' }"), Error::kNoSpace);
  EXPECT_EQ(ErrorOf("lease_grant { ID: 2 TTL: 10 }"), Error::kNoSpace);
  EXPECT_EQ(ErrorOf("txn { failure { request_put { key: 'a' } } }"), Error::kNoSpace);
  EXPECT_EQ(ErrorOf("txn { success { request_delete_range { key: 'x' } } }"), Error::kOk);
  EXPECT_EQ(ErrorOf("delete_range { key: 'a' }"), Error::kOk);
  EXPECT_EQ(ErrorOf("compaction { revision: 1 }"), Error::kOk);
  EXPECT_EQ(ErrorOf("lease_revoke { ID: 1 }"), Error::kOk);
  EXPECT_EQ(ErrorOf("alarm { action: DEACTIVATE memberID: 3 alarm: NOSPACE }"), Error::kOk);
  EXPECT_EQ(ErrorOf("put { key: 'a' value: '2' }"), Error::kOk);
}

TEST_F(AlarmApplierTest, CorruptRefusesKeysAndLeasesAndComesFirst) {
  Raise("NOSPACE");
  Raise("CORRUPT");
  for (const char* request :
       {"put { key: 'a' }", "delete_range { key: 'a' }", "txn { }", "range { key: 'a' }",
        "compaction { revision: 1 }", "lease_grant { ID: 1 TTL: 1 }", "lease_revoke { ID: 1 }"}) {
    EXPECT_EQ(ErrorOf(request), Error::kCorrupt) << request;
  }
  EXPECT_EQ(ErrorOf("lease_checkpoint { }"), Error::kOk);
  EXPECT_EQ(ErrorOf("alarm { action: GET }"), Error::kOk);
}

TEST_F(AlarmApplierTest, AlarmsAreReadBackFromTheirRows) {
  Raise("NOSPACE");
  ASSERT_OK(store_->Commit({.index = Index(1), .term = Term(1)}));
  AlarmStore reopened;
  ASSERT_OK(reopened.Load(store_->backend()));
  EXPECT_TRUE(reopened.Any(etcdserverpb::NOSPACE));
  EXPECT_FALSE(reopened.Any(etcdserverpb::CORRUPT));
  ASSERT_EQ(reopened.Get(etcdserverpb::NONE).size(), 1u);
  EXPECT_EQ(reopened.Get(etcdserverpb::NONE)[0].memberid(), 3u);
}

}  // namespace
}  // namespace kvorum::server
