#include "api/http/access_policy.h"

#include <gtest/gtest.h>

#include <string>

namespace kvorum::api {
namespace {

HttpRequest RequestFrom(const std::string& host, const std::string& origin = "") {
  HttpRequest request;
  request.method = "GET";
  request.path = "/health";
  request.headers = {{"Host", host}};
  if (!origin.empty()) request.headers.emplace_back("origin", origin);
  return request;
}

TEST(AccessPolicyTest, WithoutAListEveryHostMayBeNamed) {
  EXPECT_EQ(AccessPolicy({}, {}).RefusalOf(RequestFrom("evil.com")), "");
  EXPECT_EQ(AccessPolicy({}, {"*"}).RefusalOf(RequestFrom("evil.com")), "");
  EXPECT_EQ(AccessPolicy({}, {"a.b", "*"}).RefusalOf(RequestFrom("evil.com")), "");
}

TEST(AccessPolicyTest, AListedHostMayBeNamedWithAnyPort) {
  const AccessPolicy policy({}, {"127.0.0.1", "::1", "a.b"});
  EXPECT_EQ(policy.RefusalOf(RequestFrom("a.b")), "");
  EXPECT_EQ(policy.RefusalOf(RequestFrom("127.0.0.1:2379")), "");
  EXPECT_EQ(policy.RefusalOf(RequestFrom("[::1]:2379")), "");
  EXPECT_NE(policy.RefusalOf(RequestFrom("[::1]")), "") << "as Go splits it";
  EXPECT_NE(policy.RefusalOf(RequestFrom("a.b.c")), "");
  EXPECT_NE(policy.RefusalOf(RequestFrom("A.B")), "") << "case counts, as in etcd";
}

TEST(AccessPolicyTest, TheRefusalQuotesTheHost) {
  EXPECT_EQ(AccessPolicy({}, {"a.b"}).RefusalOf(RequestFrom("evil\"\x01.com:80")),
            "\netcd received your request, but the Host header was unrecognized.\n\n"
            "To fix this, choose one of the following options:\n"
            "- Enable TLS, then any HTTPS request will be allowed.\n"
            "- Add the hostname you want to use to the whitelist in settings.\n"
            "  - e.g. etcd --host-whitelist \"evil\\\"\\x01.com\"\n\n"
            "This requirement has been added to help prevent \"DNS Rebinding\" attacks "
            "(CVE-2018-5702).\n");
}

std::string AllowedOrigin(const AccessPolicy& policy, const std::string& origin) {
  for (const auto& [name, value] : policy.CorsHeaders(RequestFrom("h", origin))) {
    if (name == "Access-Control-Allow-Origin") return value;
  }
  return "none";
}

TEST(AccessPolicyTest, OriginsAreAllowedByName) {
  EXPECT_EQ(AllowedOrigin(AccessPolicy({"*"}, {}), "http://x"), "*");
  EXPECT_EQ(AllowedOrigin(AccessPolicy({}, {}), ""), "*");
  const AccessPolicy some({"http://x:1", "http://y:2"}, {});
  EXPECT_EQ(AllowedOrigin(some, "http://y:2"), "http://y:2");
  EXPECT_EQ(AllowedOrigin(some, "http://z:3"), "none");
  EXPECT_EQ(AllowedOrigin(some, ""), "none");
}

}  // namespace
}  // namespace kvorum::api
