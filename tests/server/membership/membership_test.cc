#include "server/membership/membership.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "server/membership/v2_store_json.h"
#include "tests/testing/expect_ok.h"
#include "tests/testing/fault_env.h"

namespace kvorum::server {
namespace {

class MembershipTest : public ::testing::Test {
 protected:
  void SetUp() override {
    auto backend = mvcc::OpenBackend({.env = &env_, .directory = "/store", .create = true});
    ASSERT_OK(backend);
    backend_ = *std::move(backend);
  }

  Error Apply(raftpb::ConfChangeType type, uint64_t id, const std::string& context = "") {
    raftpb::ConfChange change;
    change.set_type(type);
    change.set_node_id(id);
    change.set_context(context);
    const auto error = members_.ApplyConfChange(change, backend_->batch());
    EXPECT_OK(error);
    return *error;
  }
  static std::string Context(uint64_t id, const std::string& url) {
    return EncodeMemberJson({.id = MemberId(id), .peer_urls = {url}});
  }
  Error Add(uint64_t id, const std::string& url) {
    return Apply(raftpb::ConfChangeAddNode, id, Context(id, url));
  }
  Error AddLearner(uint64_t id, const std::string& url) {
    return Apply(raftpb::ConfChangeAddLearnerNode, id, Context(id, url));
  }
  Error Promote(uint64_t id) {
    return Apply(raftpb::ConfChangeAddNode, id, EncodePromoteContext(MemberId(id)));
  }
  Error Remove(uint64_t id) { return Apply(raftpb::ConfChangeRemoveNode, id); }

  FaultEnv env_;
  std::unique_ptr<mvcc::Backend> backend_;
  Membership members_{MemberId(1)};
};

TEST_F(MembershipTest, AddRemoveUpdatePromoteRules) {
  EXPECT_EQ(Add(1, "http://a"), Error::kOk);
  EXPECT_EQ(Add(1, "http://z"), Error::kMemberExists);
  EXPECT_EQ(Add(2, "http://a"), Error::kPeerUrlExists);
  EXPECT_EQ(AddLearner(2, "http://b"), Error::kOk);
  EXPECT_EQ(AddLearner(3, "http://c"), Error::kTooManyLearners);
  EXPECT_TRUE(members_.IsLearner(MemberId(2)));
  EXPECT_EQ(Promote(2), Error::kOk);
  EXPECT_EQ(Promote(2), Error::kMemberNotLearner);
  EXPECT_EQ(Promote(9), Error::kMemberNotFound);
  EXPECT_EQ(Apply(raftpb::ConfChangeUpdateNode, 2, Context(2, "http://a")), Error::kPeerUrlExists);
  EXPECT_EQ(Apply(raftpb::ConfChangeUpdateNode, 2, Context(2, "http://b2")), Error::kOk);
  EXPECT_EQ(Apply(raftpb::ConfChangeUpdateNode, 9, Context(9, "http://q")), Error::kMemberNotFound);
  EXPECT_EQ(Remove(9), Error::kMemberNotFound);
  EXPECT_EQ(Remove(2), Error::kOk);
  EXPECT_EQ(Remove(2), Error::kMemberNotFound);
  EXPECT_EQ(Add(2, "http://b"), Error::kMemberNotFound);  // an id never comes back
  EXPECT_TRUE(members_.IsRemoved(MemberId(2)));
}

TEST_F(MembershipTest, ConfStateFollowsTheMembers) {
  Add(1, "http://a");
  AddLearner(2, "http://b");
  EXPECT_EQ(EncodeConfStateJson(members_.conf_state()),
            R"({"voters":[1],"learners":[2],"auto_leave":false})");
  Promote(2);
  EXPECT_EQ(EncodeConfStateJson(members_.conf_state()), R"({"voters":[1,2],"auto_leave":false})");
}

TEST_F(MembershipTest, RowsAreReadBack) {
  Add(1, "http://a");
  AddLearner(2, "http://b");
  Add(3, "http://c");
  Remove(3);
  membershippb::ClusterMemberAttrSetRequest attributes;
  attributes.set_member_id(1);
  attributes.mutable_member_attributes()->set_name("one");
  attributes.mutable_member_attributes()->add_client_urls("http://client");
  members_.ApplyAttributes(attributes, backend_->batch());
  members_.ApplyClusterVersion("3.7.0", backend_->batch());
  ASSERT_OK(backend_->Commit({.index = Index(1), .term = Term(1)}, {}));

  Membership read(MemberId(1));
  ASSERT_OK(read.Load(*backend_));
  EXPECT_EQ(read.Members(), members_.Members());
  EXPECT_EQ(read.Members()[0].name, "one");
  EXPECT_EQ(read.Removed(), std::vector<MemberId>{MemberId(3)});
  EXPECT_EQ(read.cluster_version(), "3.7.0");
  const auto version = backend_->Get(mvcc::Bucket::kMeta, mvcc::kStorageVersionKey);
  ASSERT_OK(version);
  EXPECT_EQ(*version, "3.7.0");
}

TEST_F(MembershipTest, AttributesOfAnUnknownMemberAreDropped) {
  membershippb::ClusterMemberAttrSetRequest attributes;
  attributes.set_member_id(5);
  members_.ApplyAttributes(attributes, backend_->batch());
  EXPECT_TRUE(members_.Members().empty());
}

TEST_F(MembershipTest, ClusterNewerThanThisServerIsRefused) {
  members_.ApplyClusterVersion("3.8.0", backend_->batch());
  ASSERT_OK(backend_->Commit({.index = Index(1), .term = Term(1)}, {}));
  Membership read(MemberId(1));
  EXPECT_CODE(kFailedPrecondition, read.Load(*backend_));
}

TEST_F(MembershipTest, ChangeWhoseContextIsNoMemberIsAnError) {
  raftpb::ConfChange change;
  change.set_type(raftpb::ConfChangeAddNode);
  change.set_node_id(1);
  change.set_context("{");
  EXPECT_FALSE(members_.ApplyConfChange(change, backend_->batch()).ok());
  change.set_context(Context(2, "http://a"));
  EXPECT_CODE(kDataLoss, members_.ApplyConfChange(change, backend_->batch()));
}

TEST_F(MembershipTest, V2StoreJsonHoldsTheMembers) {
  Add(0xab, "http://a");
  Add(3, "http://c");
  Remove(3);
  members_.ApplyClusterVersion("3.7.0", backend_->batch());
  const auto json = nlohmann::json::parse(V2StoreJson(members_));
  EXPECT_EQ(json["CurrentVersion"], 2);
  EXPECT_EQ(json["WatcherHub"]["EventHistory"]["Queue"]["Events"].size(), 1000u);
  const auto& root = json["Root"]["Children"]["0"]["Children"];
  EXPECT_EQ(root["version"]["Value"], "3.7.0");
  EXPECT_TRUE(root["removed_members"]["Children"].contains("3"));
  const auto& member = root["members"]["Children"]["ab"];
  EXPECT_EQ(member["Path"], "/0/members/ab");
  EXPECT_EQ(member["Children"]["raftAttributes"]["Value"], R"({"peerURLs":["http://a"]})");
  EXPECT_TRUE(member["Children"]["raftAttributes"]["Children"].is_null());
  EXPECT_FALSE(member["Children"].contains("attributes"));
  EXPECT_TRUE(json["Root"]["Children"]["1"]["Children"].empty());
}

}  // namespace
}  // namespace kvorum::server
