#include "server/apply/entry_applier.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "server/fatal.h"
#include "tests/server/apply/applier_fixture.h"

namespace kvorum::server {
namespace {

using ::testing::HasSubstr;

class EntryApplierTest : public ApplierTest {
 protected:
  void SetUp() override {
    ApplierTest::SetUp();
    // In place of the end of the process.
    SetFatalHandlerForTest([](std::string_view msg) { throw std::string(msg); });
  }
  void TearDown() override { SetFatalHandlerForTest({}); }

  AppliedBatch ApplyEntry(EntryType type, const std::string& data) {
    EntryApplier applier(*applier_, members_, wait_list_);
    AppliedBatch out;
    applier.Apply({.type = type, .term = Term(3), .index = Index(9), .data = SharedBytes(data)},
                  store_->backend().batch(), &out);
    return out;
  }
  AppliedBatch ApplyRequest(const std::string& text) {
    return ApplyEntry(EntryType::kNormal, Request(text).SerializeAsString());
  }
  std::string Death(EntryType type, const std::string& data) {
    try {
      ApplyEntry(type, data);
    } catch (const std::string& msg) {
      return msg;
    }
    return "alive";
  }

  Membership members_{MemberId(1)};
  WaitList wait_list_;
};

TEST_F(EntryApplierTest, EmptyEntryStartsATerm) {
  EXPECT_EQ(ApplyEntry(EntryType::kNormal, "").terms_started, std::vector<Term>{Term(3)});
}

TEST_F(EntryApplierTest, ResultCarriesTheIdOfItsRequest) {
  const AppliedBatch out = ApplyRequest("header { ID: 5 } put { key: 'a' value: '1' }");
  ASSERT_EQ(out.results.size(), 1u);
  EXPECT_EQ(out.results[0].id, 5u);
  EXPECT_EQ(out.results[0].error, Error::kOk);
  EXPECT_EQ(Value("a"), "a=1");
  // The id outside the header is older and comes first.
  EXPECT_EQ(ApplyRequest("ID: 6 header { ID: 5 } put { key: 'a' }").results[0].id, 6u);
}

TEST_F(EntryApplierTest, OnlyASuccessfulCompactionIsReported) {
  Put("a", "1");
  EXPECT_TRUE(ApplyRequest("header { ID: 5 } compaction { revision: 1 }").compacted);
  EXPECT_FALSE(ApplyRequest("header { ID: 5 } compaction { revision: 1 }").compacted);
}

TEST_F(EntryApplierTest, ConfChangeIsReportedToRaftAsAppliedOrRefused) {
  raftpb::ConfChange change;
  change.set_id(77);
  change.set_type(raftpb::ConfChangeAddNode);
  change.set_node_id(4);
  change.set_context(EncodeMemberJson({.id = MemberId(4), .peer_urls = {"http://a"}}));
  const std::string data = change.SerializeAsString();
  AppliedBatch out = ApplyEntry(EntryType::kConfChange, data);
  ASSERT_EQ(out.conf_changes.size(), 1u);
  EXPECT_EQ(out.conf_changes[0].index, Index(9));
  EXPECT_EQ(out.conf_changes[0].change.node_id(), 4u);
  ASSERT_EQ(out.results.size(), 1u);
  EXPECT_EQ(out.results[0].id, 77u);

  out = ApplyEntry(EntryType::kConfChange, data);
  EXPECT_EQ(out.conf_changes[0].change.node_id(), 0u);
  EXPECT_EQ(out.results[0].error, Error::kMemberExists);
}

TEST_F(EntryApplierTest, MembersAndVersionAreSetThroughTheLog) {
  ApplyRequest("header { ID: 1 } cluster_version_set { ver: '3.7.0' }");
  EXPECT_EQ(members_.cluster_version(), "3.7.0");
}

TEST_F(EntryApplierTest, WhatCannotBeAppliedEndsTheProcess) {
  EXPECT_THAT(Death(EntryType::kConfChangeV2, ""), HasSubstr("unknown entry type"));
  EXPECT_THAT(Death(EntryType::kNormal, "\xff\xff"), HasSubstr("does not parse"));
  EXPECT_THAT(Death(EntryType::kConfChange, "\xff\xff"), HasSubstr("does not parse"));
  EXPECT_THAT(Death(EntryType::kNormal, Request("put { key: 'a' }").SerializeAsString()),
              HasSubstr("could not find a header"));
  for (const char* kind : {"auth_enable { }", "authenticate { }", "downgrade_info_set { }", ""}) {
    const auto request = Request(std::string("header { ID: 5 } ") + kind);
    EXPECT_THAT(Death(EntryType::kNormal, request.SerializeAsString()), HasSubstr("does not serve"))
        << kind;
  }
}

}  // namespace
}  // namespace kvorum::server
