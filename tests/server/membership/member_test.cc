#include "server/membership/member.h"

#include <gtest/gtest.h>

#include "server/membership/initial_cluster.h"
#include "tests/testing/expect_ok.h"

namespace kvorum::server {
namespace {

// Known from members that etcd made.
TEST(MemberIdTest, KnownIds) {
  EXPECT_EQ(HexId(ComputeMemberId({"http://localhost:2380"}, "etcd-cluster")), "8e9e05c52164694d");
  EXPECT_EQ(HexId(ComputeMemberId({"http://127.0.0.1:32380"}, "tokA")), "1db8d0a63835fc76");
  EXPECT_EQ(HexId(ComputeMemberId({"http://127.0.0.1:32380"}, "tokB")), "342ad95dd43ce6b9");
  EXPECT_EQ(HexId(ComputeMemberId({"http://127.0.0.1:32390"}, "tokB")), "f17c30bf7a74db2f");
  EXPECT_EQ(HexId(ComputeClusterId({MemberId(0x1db8d0a63835fc76)})), "23ec164c4c1694b2");
}

TEST(MemberIdTest, OrderOfUrlsAndMembersDoesNotMatter) {
  EXPECT_EQ(ComputeMemberId({"http://a:1", "http://b:1"}, "t"),
            ComputeMemberId({"http://b:1", "http://a:1"}, "t"));
  EXPECT_EQ(ComputeClusterId({MemberId(1), MemberId(2)}),
            ComputeClusterId({MemberId(2), MemberId(1)}));
  EXPECT_NE(ComputeMemberId({"http://a:1"}, "t"),
            ComputeMemberId({"http://a:1"}, "t", WallTime(std::chrono::seconds(7))));
}

TEST(MemberJsonTest, BootstrapContextAsEtcdWritesIt) {
  EXPECT_EQ(EncodeMemberJson({.id = MemberId(2141691035140881526ull),
                              .name = "n1",
                              .peer_urls = {"http://127.0.0.1:32380"}}),
            R"({"id":2141691035140881526,"peerURLs":["http://127.0.0.1:32380"],"name":"n1"})");
}

TEST(MemberJsonTest, EmptyFieldsAreLeftOutAndTheOrderIsFixed) {
  EXPECT_EQ(EncodeMemberJson({.id = MemberId(1)}), R"({"id":1,"peerURLs":null})");
  EXPECT_EQ(EncodeMemberJson({.id = MemberId(1),
                              .name = "n",
                              .peer_urls = {"p1", "p2"},
                              .client_urls = {"c"},
                              .is_learner = true}),
            R"({"id":1,"peerURLs":["p1","p2"],"isLearner":true,"name":"n","clientURLs":["c"]})");
  EXPECT_EQ(EncodePromoteContext(MemberId(5)), R"({"id":5,"peerURLs":null,"isPromote":true})");
}

TEST(MemberJsonTest, RoundTripsIdsBeyondDoublePrecision) {
  const MemberInfo member{.id = MemberId(0xfedcba9876543211ull),
                          .name = "a<b>&\"\\\n\x01\xc3\xa9",
                          .peer_urls = {"http://a:1"},
                          .client_urls = {"http://b:1", "http://c:1"},
                          .is_learner = true};
  const auto parsed = ParseMemberJson(EncodeMemberJson(member));
  ASSERT_OK(parsed);
  EXPECT_EQ(*parsed, member);
}

TEST(MemberJsonTest, StringsAreEscapedAsGoDoes) {
  EXPECT_EQ(GoJsonString("<a&b>"), R"("\u003ca\u0026b\u003e")");
  EXPECT_EQ(GoJsonString("\b\f\n\r\t\x01\x7f"), "\"\\b\\f\\n\\r\\t\\u0001\x7f\"");
  EXPECT_EQ(GoJsonString("\u2028\u2029"), R"("\u2028\u2029")");
  EXPECT_EQ(GoJsonString("\xff"
                         "a\xc3"),
            R"("\ufffda\ufffd")");
  EXPECT_EQ(GoJsonString("\xed\xa0\x80"), R"("\ufffd\ufffd\ufffd")");
  EXPECT_EQ(GoJsonString("\u00e9\U0001F600"), "\"\u00e9\U0001F600\"");
}

TEST(MemberJsonTest, RefusesWhatIsNoMember) {
  for (const char* json : {"", "[]", "{", R"({"id":-1})", R"({"id":"1"})", R"({"peerURLs":"x"})",
                           R"({"peerURLs":[1]})", R"({"name":1})", R"({"isLearner":1})"}) {
    EXPECT_CODE(kInvalidArgument, ParseMemberJson(json));
  }
  EXPECT_CODE(kInvalidArgument, ParseConfChangeContext(R"({"isPromote":"yes"})"));
}

TEST(MemberJsonTest, UnknownFieldsAreIgnored) {
  const auto parsed = ParseConfChangeContext(R"({"id":3,"later":{},"isPromote":true})");
  ASSERT_OK(parsed);
  EXPECT_EQ(parsed->member.id, MemberId(3));
  EXPECT_TRUE(parsed->is_promote);
}

TEST(InitialClusterTest, NamesGatherTheirUrlsSorted) {
  const auto cluster = ParseInitialCluster("b=http://b:2,a=http://a:1,b=http://b:1");
  ASSERT_OK(cluster);
  EXPECT_EQ(cluster->size(), 2u);
  EXPECT_EQ(cluster->at("b"), (std::vector<std::string>{"http://b:1", "http://b:2"}));
}

TEST(InitialClusterTest, RefusesPiecesWithoutNameOrUrl) {
  EXPECT_CODE(kInvalidArgument, ParseInitialCluster("a"));
  EXPECT_CODE(kInvalidArgument, ParseInitialCluster("a="));
  EXPECT_CODE(kInvalidArgument, ParseInitialCluster("=http://a:1"));
}

TEST(InitialClusterTest, MembersComeSortedById) {
  const auto cluster = ParseInitialCluster("n1=http://127.0.0.1:32380,n2=http://127.0.0.1:32390");
  ASSERT_OK(cluster);
  const auto members = MembersOf(*cluster, "tokB");
  ASSERT_OK(members);
  ASSERT_EQ(members->size(), 2u);
  EXPECT_EQ((*members)[0].name, "n1");
  EXPECT_EQ(HexId((*members)[1].id), "f17c30bf7a74db2f");
}

TEST(InitialClusterTest, SharedUrlIsRefused) {
  const auto cluster = ParseInitialCluster("a=http://x:1,b=http://x:1");
  ASSERT_OK(cluster);
  EXPECT_CODE(kInvalidArgument, MembersOf(*cluster, "t"));
}

}  // namespace
}  // namespace kvorum::server
