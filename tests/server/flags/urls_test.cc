// URL lists. The expected texts were taken from an etcd 3.7.1 binary.

#include "server/flags/urls.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace kvorum::server::flags {
namespace {

using ::testing::ElementsAre;

std::string Error(std::string_view list) { return std::string(ParseUrls(list).status().message()); }

TEST(UrlsTest, SortedAndWithoutRepetitions) {
  const auto urls = ParseUrls(" http://b:1 , http://a:1,http://b:1");
  ASSERT_TRUE(urls.ok()) << urls.status();
  EXPECT_THAT(Texts(*urls), ElementsAre("http://a:1", "http://b:1"));
}

TEST(UrlsTest, OnlyTheSchemeIsLowered) {
  EXPECT_THAT(Texts(*ParseUrls("HTTP://A:1")), ElementsAre("http://A:1"));
}

TEST(UrlsTest, Accepted) {
  for (const char* url :
       {"http://127.0.0.1:2379", "https://[::1]:1", "unix:/tmp/x", "unix://tmp/x:0",
        "unixs://localhost:123", "http://a:", "http://u:p@a:1", "http://a:1?x=1", "http://a:1#f",
        "http://[fe80::1%25eth0]:1", "http://<a>:1", "http://a:99999", "http://a%25b:1"}) {
    EXPECT_TRUE(ParseUrls(url).ok()) << ParseUrls(url).status();
  }
}

TEST(UrlsTest, SchemeMustBeKnown) {
  for (const char* url : {"localhost:2379", "ftp://a:1", "//a:1", "/a", ""}) {
    EXPECT_EQ(Error(url), "URL scheme must be http, https, unix, or unixs: " + std::string(url));
  }
  EXPECT_EQ(Error("http://a:1,"), "URL scheme must be http, https, unix, or unixs: ");
}

TEST(UrlsTest, HostAndPortMustBeThere) {
  for (const char* url : {"http://a", "http:a:1", "http:///x", "http://"}) {
    EXPECT_EQ(Error(url), "URL address does not have the form \"host:port\": " + std::string(url));
  }
}

TEST(UrlsTest, NoPath) {
  EXPECT_EQ(Error("http://a:1/"), "URL must not contain a path: http://a:1/");
}

TEST(UrlsTest, MalformedUrls) {
  for (const auto& [url, why] : std::vector<std::pair<std::string, std::string>>{
           {"127.0.0.1:33390", "first path segment in URL cannot contain colon"},
           {":1", "missing protocol scheme"},
           {"http://[::1", "missing ']' in host"},
           {"http://[::1]x:1", "invalid port \"x:1\" after host"},
           {"http://a[1]:1", "invalid IP-literal"},
           {"http://a:xx", "invalid port \":xx\" after host"},
           {"http://a:-1", "invalid port \":-1\" after host"},
           {"http://a:1:2", "invalid port \":1:2\" after host"},
           {"http://::1:2379", "invalid port \"::1:2379\" after host"},
           {"http://[zz]:1", "invalid host: ParseAddr(\"zz\"): unable to parse IP"},
           {"http://[1.2.3.4]:1", "invalid IP-literal"},
           {"http://[::1%25]:1",
            "invalid host: ParseAddr(\"::1%\"): zone must be a non-empty string"},
           {"http://a^:1", "invalid character \"^\" in host name"},
           {"http://%zz:1", "invalid URL escape \"%zz\""},
           {"http://a%20:1", "invalid URL escape \"%20\""},
           {"http://a%41:1", "invalid URL escape \"%41\""}}) {
    EXPECT_EQ(Error(url), "parse \"" + url + "\": " + why);
  }
  EXPECT_EQ(Error("http://a\x01:1"),
            "parse \"http://a\\x01:1\": net/url: invalid control character in URL");
}

TEST(UrlsTest, HostAndPortAreTakenApart) {
  EXPECT_EQ(SplitHostPort("a:1")->host, "a");
  EXPECT_EQ(SplitHostPort("a:1")->port, "1");
  EXPECT_EQ(SplitHostPort("[::1]:2")->host, "::1");
  EXPECT_EQ(SplitHostPort(":2")->host, "");
  EXPECT_FALSE(SplitHostPort("a").ok());
  EXPECT_FALSE(SplitHostPort("::1:2").ok());
  EXPECT_FALSE(SplitHostPort("[::1]").ok());
}

TEST(UrlsTest, AddressToListenOnIsAnIpOrLocalhost) {
  EXPECT_TRUE(CheckBindUrls({"http://127.0.0.1:1", "http://localhost:1", "http://[::1]:1",
                             "http://0.0.0.0:1", "unix://any/thing"})
                  .ok());
  for (const char* url : {"http://example.com:2379", "http://:2379", "http://Localhost:1",
                          "http://[fe80::1%25eth0]:1", "http://127.0.0.01:1"}) {
    EXPECT_EQ(CheckBindUrls({url}).message(),
              "expected IP in URL for binding (" + std::string(url) + ")");
  }
}

TEST(UrlsTest, AdvertisedAddressHasAHost) {
  EXPECT_TRUE(CheckHostUrls({"http://example.com:1", "unix:/x"}).ok());
  EXPECT_EQ(CheckHostUrls({"http://:2380"}).message(), "unexpected empty host (http://:2380)");
}

}  // namespace
}  // namespace kvorum::server::flags
