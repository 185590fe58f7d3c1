#include "server/apply/backend_applier.h"

#include <gtest/gtest.h>

#include "tests/server/apply/applier_fixture.h"

namespace kvorum::server {
namespace {

using etcdserverpb::DeleteRangeResponse;
using etcdserverpb::LeaseGrantResponse;
using etcdserverpb::LeaseRevokeResponse;

// ---- Put ----------------------------------------------------------------------------------------

class PutTest : public ApplierTest {};

TEST_F(PutTest, EachPutTakesOneRevision) {
  EXPECT_EQ(Put("a", "1").header().revision(), 2);
  EXPECT_EQ(Put("a", "2").header().revision(), 3);
  EXPECT_EQ(Put("b", "3").header().revision(), 4);
  EXPECT_EQ(revision(), 4);
}

TEST_F(PutTest, CreateRevisionStaysWhileTheKeyLives) {
  Put("a", "1");
  Put("a", "2");
  auto kv = Range("key: 'a'").kvs(0);
  EXPECT_EQ(kv.create_revision(), 2);
  EXPECT_EQ(kv.mod_revision(), 3);
  EXPECT_EQ(kv.version(), 2);
  Get<DeleteRangeResponse>("delete_range { key: 'a' }");
  Put("a", "3");
  kv = Range("key: 'a'").kvs(0);
  EXPECT_EQ(kv.create_revision(), 5);
  EXPECT_EQ(kv.version(), 1);
}

TEST_F(PutTest, PrevKvIsTheWholeFormerRow) {
  EXPECT_FALSE(Put("a", "1", "prev_kv: true").has_prev_kv());
  const auto response = Put("a", "2", "prev_kv: true");
  ASSERT_TRUE(response.has_prev_kv());
  EXPECT_EQ(response.prev_kv().value(), "1");
  EXPECT_EQ(response.prev_kv().mod_revision(), 2);
  EXPECT_EQ(response.prev_kv().version(), 1);
}

TEST_F(PutTest, IgnoreValueKeepsTheValue) {
  Put("a", "1");
  EXPECT_EQ(ErrorOf("put { key: 'a' ignore_value: true }"), Error::kOk);
  EXPECT_EQ(Value("a"), "a=1");
  EXPECT_EQ(Range("key: 'a'").kvs(0).version(), 2);
}

TEST_F(PutTest, IgnoreFlagsNeedTheKey) {
  EXPECT_EQ(ErrorOf("put { key: 'a' ignore_value: true }"), Error::kKeyNotFound);
  EXPECT_EQ(ErrorOf("put { key: 'a' value: 'x' ignore_lease: true }"), Error::kKeyNotFound);
  EXPECT_EQ(revision(), 1);
}

TEST_F(PutTest, UnknownLeaseIsRefusedBeforeTheKeyIsLookedFor) {
  EXPECT_EQ(ErrorOf("put { key: 'a' value: 'x' lease: 9 }"), Error::kLeaseNotFound);
  EXPECT_EQ(ErrorOf("put { key: 'a' ignore_value: true lease: 9 }"), Error::kLeaseNotFound);
  EXPECT_EQ(revision(), 1);
}

TEST_F(PutTest, LeaseIsAttachedKeptAndDetached) {
  Get<LeaseGrantResponse>("lease_grant { ID: 7 TTL: 60 }");
  Put("a", "1", "lease: 7");
  EXPECT_EQ(lessor_.Keys(LeaseId(7)), std::vector<std::string>{"a"});
  Put("a", "2", "ignore_lease: true");
  EXPECT_EQ(Range("key: 'a'").kvs(0).lease(), 7);
  EXPECT_EQ(lessor_.Keys(LeaseId(7)).size(), 1u);
  Put("a", "3");
  EXPECT_EQ(Range("key: 'a'").kvs(0).lease(), 0);
  EXPECT_TRUE(lessor_.Keys(LeaseId(7)).empty());
}

// ---- DeleteRange --------------------------------------------------------------------------------

class DeleteRangeTest : public ApplierTest {
 protected:
  void SetUp() override {
    ApplierTest::SetUp();
    for (const char* key : {"a", "b", "c"}) Put(key, key);
  }
  DeleteRangeResponse Delete(const std::string& text) {
    return Get<DeleteRangeResponse>("delete_range { " + text + " }");
  }
};

TEST_F(DeleteRangeTest, NothingToDeleteTakesNoRevision) {
  const auto response = Delete("key: 'x'");
  EXPECT_EQ(response.deleted(), 0);
  EXPECT_EQ(response.header().revision(), 4);
  EXPECT_EQ(revision(), 4);
}

TEST_F(DeleteRangeTest, IntervalIsHalfOpen) {
  const auto response = Delete("key: 'a' range_end: 'c'");
  EXPECT_EQ(response.deleted(), 2);
  EXPECT_EQ(response.header().revision(), 5);
  EXPECT_EQ(Rows(Range("key: '\\0' range_end: '\\0'")), "c=c");
}

TEST_F(DeleteRangeTest, ZeroByteEndMeansEverythingFromTheKey) {
  EXPECT_EQ(Delete("key: 'b' range_end: '\\0'").deleted(), 2);
}

TEST_F(DeleteRangeTest, EndBeforeKeyIsEmpty) {
  EXPECT_EQ(Delete("key: 'c' range_end: 'a'").deleted(), 0);
}

TEST_F(DeleteRangeTest, PrevKvsComeInKeyOrder) {
  const auto response = Delete("key: 'a' range_end: '\\0' prev_kv: true");
  ASSERT_EQ(response.prev_kvs_size(), 3);
  EXPECT_EQ(response.prev_kvs(0).key(), "a");
  EXPECT_EQ(response.prev_kvs(2).key(), "c");
  EXPECT_EQ(response.prev_kvs(2).mod_revision(), 4);
}

TEST_F(DeleteRangeTest, DeletedKeyLeavesItsLease) {
  Get<LeaseGrantResponse>("lease_grant { ID: 7 TTL: 60 }");
  Put("a", "1", "lease: 7");
  Delete("key: 'a'");
  EXPECT_TRUE(lessor_.Keys(LeaseId(7)).empty());
}

// ---- Compaction ---------------------------------------------------------------------------------

class CompactTest : public ApplierTest {
 protected:
  Error Compact(int64_t revision) {
    return ErrorOf("compaction { revision: " + std::to_string(revision) + " }");
  }
};

TEST_F(CompactTest, RevisionsAreTakenOnlyForward) {
  for (int i = 0; i < 5; ++i) Put("a", "x");
  EXPECT_EQ(Compact(7), Error::kFutureRevision);
  EXPECT_EQ(Compact(4), Error::kOk);
  EXPECT_EQ(Compact(4), Error::kCompacted);
  EXPECT_EQ(Compact(3), Error::kCompacted);
  EXPECT_EQ(Compact(6), Error::kOk);
}

TEST_F(CompactTest, ResponseCarriesTheCurrentRevision) {
  for (int i = 0; i < 5; ++i) Put("a", "x");
  EXPECT_EQ(Get<etcdserverpb::CompactionResponse>("compaction { revision: 3 }").header().revision(),
            6);
}

TEST_F(CompactTest, ReadsBelowAreRefusedAndAtTheRevisionAllowed) {
  for (int i = 0; i < 5; ++i) Put("a", std::to_string(i));
  ASSERT_EQ(Compact(4), Error::kOk);
  Range("key: 'a' revision: 3");
  EXPECT_EQ(range_error_, Error::kCompacted);
  EXPECT_EQ(Rows(Range("key: 'a' revision: 4")), "a=2");
  EXPECT_EQ(range_error_, Error::kOk);
}

TEST_F(CompactTest, RevisionZeroSucceedsOnce) {
  Put("a", "x");
  EXPECT_EQ(Compact(0), Error::kOk);
  EXPECT_EQ(Compact(0), Error::kCompacted);
}

// ---- Leases -------------------------------------------------------------------------------------

class LeaseApplyTest : public ApplierTest {};

TEST_F(LeaseApplyTest, GrantAnswersWithTheEffectiveTtl) {
  const auto response = Get<LeaseGrantResponse>("lease_grant { ID: 7 TTL: 1 }");
  EXPECT_EQ(response.id(), 7);
  EXPECT_EQ(response.ttl(), 2);
  EXPECT_EQ(revision(), 1);
}

TEST_F(LeaseApplyTest, GrantIsRefusedForATakenIdOrAnAbsurdTtl) {
  Get<LeaseGrantResponse>("lease_grant { ID: 7 TTL: 60 }");
  EXPECT_EQ(ErrorOf("lease_grant { ID: 7 TTL: 60 }"), Error::kLeaseExists);
  EXPECT_EQ(ErrorOf("lease_grant { ID: 7 TTL: 9000000001 }"), Error::kLeaseTtlTooLarge);
}

TEST_F(LeaseApplyTest, RevokeDeletesAllKeysInOneRevision) {
  Get<LeaseGrantResponse>("lease_grant { ID: 7 TTL: 60 }");
  Put("b", "1", "lease: 7");
  Put("a", "1", "lease: 7");
  Put("c", "1");
  EXPECT_EQ(Get<LeaseRevokeResponse>("lease_revoke { ID: 7 }").header().revision(), 5);
  EXPECT_EQ(Rows(Range("key: '\\0' range_end: '\\0'")), "c=1");
  const auto events = store_->ReadEvents(Revision(5), Revision(5), 1 << 20);
  ASSERT_OK(events);
  ASSERT_EQ(events->batches.size(), 1u);
  ASSERT_EQ(events->batches[0].events.size(), 2u);
  const auto first = mvcc::KeyValueView::Parse(events->batches[0].events[0].row.view());
  EXPECT_EQ(first->key, "a");
}

TEST_F(LeaseApplyTest, RevokeWithoutKeysTakesNoRevision) {
  Get<LeaseGrantResponse>("lease_grant { ID: 7 TTL: 60 }");
  EXPECT_EQ(Get<LeaseRevokeResponse>("lease_revoke { ID: 7 }").header().revision(), 1);
  EXPECT_EQ(ErrorOf("lease_revoke { ID: 7 }"), Error::kLeaseNotFound);
}

// ---- Alarms -------------------------------------------------------------------------------------

class AlarmRequestTest : public ApplierTest {
 protected:
  // "member:type" of each alarm in the answer.
  std::string Alarms(const std::string& text) {
    std::string out;
    const auto response = Get<etcdserverpb::AlarmResponse>("alarm { " + text + " }");
    for (const auto& alarm : response.alarms()) {
      out += std::to_string(alarm.memberid()) + ":" + AlarmType_Name(alarm.alarm()) + " ";
    }
    return out;
  }
};

TEST_F(AlarmRequestTest, ActivateIsIdempotentAndAnswersWithTheAlarm) {
  EXPECT_EQ(Alarms("action: ACTIVATE memberID: 1 alarm: NOSPACE"), "1:NOSPACE ");
  EXPECT_EQ(Alarms("action: ACTIVATE memberID: 1 alarm: NOSPACE"), "1:NOSPACE ");
  EXPECT_EQ(Alarms("action: GET"), "1:NOSPACE ");
}

TEST_F(AlarmRequestTest, ActivateNoneDoesNothing) {
  EXPECT_EQ(Alarms("action: ACTIVATE memberID: 1"), "");
  EXPECT_EQ(Alarms("action: GET"), "");
}

TEST_F(AlarmRequestTest, GetFiltersByTypeAndIgnoresTheMember) {
  Alarms("action: ACTIVATE memberID: 1 alarm: NOSPACE");
  Alarms("action: ACTIVATE memberID: 2 alarm: CORRUPT");
  EXPECT_EQ(Alarms("action: GET alarm: CORRUPT memberID: 9"), "2:CORRUPT ");
  EXPECT_EQ(Alarms("action: GET"), "1:NOSPACE 2:CORRUPT ");
}

TEST_F(AlarmRequestTest, DeactivateTakesExactlyOne) {
  Alarms("action: ACTIVATE memberID: 1 alarm: NOSPACE");
  EXPECT_EQ(Alarms("action: DEACTIVATE memberID: 2 alarm: NOSPACE"), "");
  EXPECT_EQ(Alarms("action: DEACTIVATE memberID: 1 alarm: CORRUPT"), "");
  EXPECT_EQ(Alarms("action: DEACTIVATE memberID: 1 alarm: NOSPACE"), "1:NOSPACE ");
  EXPECT_EQ(Alarms("action: GET"), "");
}

TEST_F(AlarmRequestTest, UnknownActionIsRefusedWithoutEffect) {
  EXPECT_EQ(ErrorOf("alarm { action: 9 memberID: 1 alarm: NOSPACE }"), Error::kUnimplemented);
}

}  // namespace
}  // namespace kvorum::server
