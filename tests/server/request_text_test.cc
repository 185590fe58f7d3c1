#include "server/request_text.h"

#include <gtest/gtest.h>

#include "proto/rpc.pb.h"

namespace kvorum::server {
namespace {

TEST(RequestTextTest, PutShowsTheSizeOfTheValueOnly) {
  etcdserverpb::PutRequest put;
  put.set_key("a\"\x01\xc3\xa9");
  put.set_value("secret");
  put.set_lease(7);
  put.set_prev_kv(true);
  EXPECT_EQ(RequestText(put), "key:\"a\\\"\\x01\xc3\xa9\" value_size:6 lease:7 prev_kv:true");
}

TEST(RequestTextTest, RangeShowsWhatIsSet) {
  etcdserverpb::RangeRequest range;
  range.set_key("a");
  range.set_range_end("b");
  range.set_limit(3);
  range.set_sort_order(etcdserverpb::RangeRequest::DESCEND);
  EXPECT_EQ(RequestText(range), "key:\"a\" range_end:\"b\" limit:3 sort_order:DESCEND");
  EXPECT_EQ(RequestText(etcdserverpb::RangeRequest()), "");
}

TEST(RequestTextTest, NestedTxnShowsNoValue) {
  etcdserverpb::TxnRequest txn;
  auto* const compare = txn.add_compare();
  compare->set_target(etcdserverpb::Compare::VALUE);
  compare->set_key("a");
  compare->set_value("secret");
  auto* const inner = txn.add_success()->mutable_request_txn();
  inner->add_success()->mutable_request_put()->set_key("b");
  inner->mutable_success(0)->mutable_request_put()->set_value("secret");
  txn.add_success()->mutable_request_range()->set_key("c");
  txn.add_failure()->mutable_request_delete_range()->set_key("d");
  EXPECT_EQ(RequestText(txn),
            "compare:<target:VALUE key:\"a\" value_size:6> "
            "success:<request_txn:<compare:<> success:<request_put:<key:\"b\" value_size:6>> "
            "failure:<>> request_range:{key:\"c\"}> "
            "failure:<request_delete_range:{key:\"d\"}>");
}

TEST(RequestTextTest, PasswordsAreLeftOut) {
  etcdserverpb::AuthUserAddRequest user;
  user.set_name("u");
  user.set_password("secret");
  user.set_hashedpassword("secret");
  EXPECT_EQ(RequestText(user), "name:\"u\"");
}

TEST(RequestTextTest, LongRequestIsCutOff) {
  etcdserverpb::RangeRequest range;
  range.set_key(std::string(kMaxRequestTextBytes, 'k'));
  EXPECT_EQ(RequestText(range), "key:\"" + std::string(kMaxRequestTextBytes - 5, 'k') + "...");
}

TEST(EntryTextTest, HeaderComesFirst) {
  etcdserverpb::InternalRaftRequest entry;
  entry.mutable_header()->set_id(12);
  entry.mutable_put()->set_key("a");
  entry.mutable_put()->set_value("v");
  EXPECT_EQ(EntryText(entry), "header:<ID:12> put:<key:\"a\" value_size:1>");
}

TEST(EntryTextTest, LeasesHaveTheirOwnForm) {
  etcdserverpb::InternalRaftRequest grant;
  grant.mutable_header()->set_id(1);
  grant.mutable_lease_grant()->set_id(0x2a);
  grant.mutable_lease_grant()->set_ttl(60);
  EXPECT_EQ(EntryText(grant), "header:<ID:1> lease_grant:<ttl:60-second id:000000000000002a>");
  etcdserverpb::InternalRaftRequest revoke;
  revoke.mutable_header()->set_id(1);
  revoke.mutable_lease_revoke()->set_id(0x2a);
  EXPECT_EQ(EntryText(revoke), "header:<ID:1> lease_revoke:<id:000000000000002a>");
}

TEST(EntryTextTest, OthersAreShownWhole) {
  etcdserverpb::InternalRaftRequest entry;
  entry.mutable_header()->set_id(1);
  entry.mutable_compaction()->set_revision(9);
  EXPECT_EQ(EntryText(entry), "header:{ID:1} compaction:{revision:9}");
}

}  // namespace
}  // namespace kvorum::server
