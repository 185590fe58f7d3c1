#include "server/range.h"

#include <gtest/gtest.h>

#include "tests/server/apply/applier_fixture.h"

namespace kvorum::server {
namespace {

// b=2 created 2; a=3 created 3; c=1 created 4, modified 5 (version 2).
class RangeTest : public ApplierTest {
 protected:
  void SetUp() override {
    ApplierTest::SetUp();
    Put("b", "2");
    Put("a", "3");
    Put("c", "0");
    Put("c", "1");
  }
  etcdserverpb::RangeResponse All(const std::string& text) {
    return Range("key: '\\0' range_end: '\\0' " + text);
  }
  // The keys, in the order of the answer.
  std::string Keys(const std::string& text) {
    std::string out;
    const auto response = All(text);
    for (const auto& kv : response.kvs()) out += kv.key();
    return out;
  }
};

TEST_F(RangeTest, SortTable) {
  const struct {
    const char* options;
    const char* keys;
  } kCases[] = {
      {"", "abc"},
      {"sort_order: ASCEND", "abc"},
      {"sort_order: DESCEND", "cba"},
      {"sort_order: ASCEND sort_target: VERSION limit: 2", nullptr},  // a tie: only c is certain
      {"sort_order: DESCEND sort_target: VERSION limit: 1", "c"},
      {"sort_order: ASCEND sort_target: CREATE", "bac"},
      {"sort_order: DESCEND sort_target: CREATE", "cab"},
      {"sort_order: ASCEND sort_target: MOD", "bac"},
      {"sort_order: DESCEND sort_target: MOD", "cab"},
      {"sort_order: ASCEND sort_target: VALUE", "cba"},
      {"sort_order: DESCEND sort_target: VALUE", "abc"},
      {"sort_order: DESCEND limit: 2", "cb"},
      {"sort_order: ASCEND sort_target: VALUE limit: 1", "c"},
      // Without an order the target sorts what the limit (and one more) let through by key.
      {"sort_target: VALUE", "cba"},
      {"sort_target: VALUE limit: 1", "b"},
  };
  for (const auto& c : kCases) {
    if (c.keys == nullptr) continue;
    EXPECT_EQ(Keys(c.options), c.keys) << c.options;
  }
}

TEST_F(RangeTest, FilterTable) {
  const struct {
    const char* options;
    const char* keys;
  } kCases[] = {
      {"min_mod_revision: 3", "ac"},
      {"max_mod_revision: 3", "ab"},
      {"min_create_revision: 3", "ac"},
      {"max_create_revision: 3", "ab"},
      {"min_mod_revision: 5", "c"},
      {"max_mod_revision: 1", ""},
      {"min_mod_revision: 3 max_mod_revision: 4", "a"},
      {"min_create_revision: 4 max_mod_revision: 4", ""},
      {"min_mod_revision: 3 sort_order: DESCEND", "ca"},
      // Filters come before the limit.
      {"min_mod_revision: 5 limit: 1", "c"},
      {"max_create_revision: 4 sort_order: DESCEND sort_target: CREATE limit: 1", "c"},
  };
  for (const auto& c : kCases) EXPECT_EQ(Keys(c.options), c.keys) << c.options;
}

TEST_F(RangeTest, CountIgnoresLimitAndFilters) {
  EXPECT_EQ(All("limit: 1").count(), 3);
  EXPECT_EQ(All("min_mod_revision: 5").count(), 3);
  EXPECT_EQ(All("count_only: true").count(), 3);
  EXPECT_EQ(All("count_only: true").kvs_size(), 0);
  EXPECT_FALSE(All("count_only: true limit: 1").more());
}

TEST_F(RangeTest, MoreTellsWhetherTheLimitCutAnything) {
  EXPECT_TRUE(All("limit: 2").more());
  EXPECT_FALSE(All("limit: 3").more());
  EXPECT_FALSE(All("limit: 0").more());
  EXPECT_FALSE(All("limit: -1").more());
  EXPECT_EQ(All("limit: -1").kvs_size(), 3);
  EXPECT_EQ(All("limit: 9223372036854775807").kvs_size(), 3);
  // Of what the filters let through.
  EXPECT_FALSE(All("min_mod_revision: 5 limit: 1").more());
  EXPECT_TRUE(All("min_mod_revision: 3 limit: 1").more());
}

TEST_F(RangeTest, KeysOnlyKnowsNeitherValueNorLease) {
  Get<etcdserverpb::LeaseGrantResponse>("lease_grant { ID: 7 TTL: 60 }");
  Put("a", "4", "lease: 7");
  const auto kv = Range("key: 'a' keys_only: true").kvs(0);
  EXPECT_EQ(kv.value(), "");
  EXPECT_EQ(kv.lease(), 0);
  EXPECT_EQ(kv.create_revision(), 3);
  EXPECT_EQ(kv.mod_revision(), 6);
  EXPECT_EQ(kv.version(), 2);
}

TEST_F(RangeTest, KeysOnlySortedByValueStillReadsTheRows) {
  Get<etcdserverpb::LeaseGrantResponse>("lease_grant { ID: 7 TTL: 60 }");
  Put("a", "4", "lease: 7");
  const auto response = All("keys_only: true sort_order: ASCEND sort_target: VALUE");
  EXPECT_EQ(Rows(response), "c=,b=,a=");
  EXPECT_EQ(response.kvs(2).lease(), 7);
}

TEST_F(RangeTest, RevisionTable) {
  EXPECT_EQ(Rows(Range("key: 'c' revision: 4")), "c=0");
  EXPECT_EQ(Rows(Range("key: 'c' revision: 0")), "c=1");
  EXPECT_EQ(Rows(Range("key: 'c' revision: -3")), "c=1");
  EXPECT_EQ(Range("key: 'c' revision: 3").count(), 0);
  Range("key: 'c' revision: 6");
  EXPECT_EQ(range_error_, Error::kFutureRevision);
}

TEST_F(RangeTest, HeaderIsTheCurrentRevisionAlsoForAnOldRead) {
  EXPECT_EQ(Range("key: 'c' revision: 4").header().revision(), 5);
}

TEST_F(RangeTest, IntervalForms) {
  EXPECT_EQ(Rows(Range("key: 'a' range_end: 'c'")), "a=3,b=2");
  EXPECT_EQ(Rows(Range("key: 'b' range_end: '\\0'")), "b=2,c=1");
  EXPECT_EQ(Rows(Range("key: 'c' range_end: 'a'")), "");
  EXPECT_EQ(Rows(Range("key: 'c' range_end: 'c'")), "");
}

}  // namespace
}  // namespace kvorum::server
