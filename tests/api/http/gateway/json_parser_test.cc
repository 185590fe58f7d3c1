#include "api/http/gateway/json_parser.h"

#include <google/protobuf/util/message_differencer.h>
#include <gtest/gtest.h>

#include <random>
#include <string>

#include "api/http/gateway/json_cutter.h"
#include "api/http/gateway/json_printer.h"
#include "base/strings.h"
#include "proto/rpc.pb.h"

namespace kvorum::api {
namespace {

using etcdserverpb::PutRequest;
using etcdserverpb::RangeRequest;
using etcdserverpb::TxnRequest;

template <typename M>
M Parse(const std::string& json) {
  M message;
  const Status status = ParseJson(json, &message);
  EXPECT_TRUE(status.ok()) << json << ": " << status;
  return message;
}

template <typename M>
std::string Error(const std::string& json) {
  M message;
  const Status status = ParseJson(json, &message);
  return status.ok() ? "ok" : std::string(ToStd(status.message()));
}

TEST(JsonParserTest, NamesAreTheProtoFilesOrLowerCamel) {
  EXPECT_EQ(Parse<RangeRequest>(R"({"range_end":"Yg=="})").range_end(), "b");
  EXPECT_EQ(Parse<RangeRequest>(R"({"rangeEnd":"Yg=="})").range_end(), "b");
  EXPECT_EQ(Parse<etcdserverpb::LeaseGrantRequest>(R"({"ID":"7","TTL":5})").id(), 7);
  EXPECT_EQ(Parse<etcdserverpb::MemberAddRequest>(R"({"peerURLs":["a","b"]})").peerurls_size(), 2);
}

TEST(JsonParserTest, WhatIsUnknownIsSkipped) {
  const auto request = Parse<RangeRequest>(
      R"({"new":{"a":[1,{"b":null}],"c":"}"},"key":"YQ==","x":[],"y":1,"sort_order":"SIDEWAYS"})");
  EXPECT_EQ(request.key(), "a");
  EXPECT_EQ(request.sort_order(), RangeRequest::NONE);
}

TEST(JsonParserTest, NullLeavesAFieldUnset) {
  const auto request = Parse<TxnRequest>(R"({"compare":null,"success":[{"request_put":null}]})");
  EXPECT_EQ(request.compare_size(), 0);
  EXPECT_EQ(request.success(0).request_case(), etcdserverpb::RequestOp::REQUEST_NOT_SET);
}

TEST(JsonParserTest, IntegersInAllTheirForms) {
  const std::pair<std::string, int64_t> cases[] = {{"5", 5},
                                                   {"\"5\"", 5},
                                                   {"-5", -5},
                                                   {"1e3", 1000},
                                                   {"\"1e3\"", 1000},
                                                   {"5.0", 5},
                                                   {"\"5.0\"", 5},
                                                   {"50e-1", 5},
                                                   {"-0", 0},
                                                   {"0e99", 0},
                                                   {"1.5e1", 15},
                                                   {"1E+2", 100},
                                                   {"\"5 6\"", 5},
                                                   {"\"5,\"", 5},
                                                   {"120e-1", 12},
                                                   {"0.0", 0},
                                                   {"9223372036854775807", INT64_MAX},
                                                   {"\"-9223372036854775808\"", INT64_MIN}};
  for (const auto& [text, value] : cases) {
    EXPECT_EQ(Parse<RangeRequest>("{\"limit\":" + text + "}").limit(), value) << text;
  }
  for (const std::string text : {"1.5",
                                 "\" 5\"",
                                 "\"5 \"",
                                 "true",
                                 "\"\"",
                                 "\"abc\"",
                                 "\"0x5\"",
                                 "\"05\"",
                                 "\"5a\"",
                                 "9223372036854775808",
                                 "-9223372036854775809",
                                 "1e19",
                                 "1e999999999999",
                                 "1e-1",
                                 "15e-1",
                                 "{}",
                                 "[]",
                                 "\"\\\"5\\\"\"",
                                 "\"+5\"",
                                 "1e2147483647"}) {
    EXPECT_NE(Error<RangeRequest>("{\"limit\":" + text + "}"), "ok") << text;
  }
  using Member = etcdserverpb::MemberRemoveRequest;
  EXPECT_EQ(Parse<Member>(R"({"ID":18446744073709551615})").id(), UINT64_MAX);
  EXPECT_EQ(Parse<Member>(R"({"ID":-0})").id(), 0u);
  EXPECT_EQ(Error<Member>(R"({"ID":-1})"),
            "proto: (line 1:7): invalid value for uint64 field ID: -1");
}

TEST(JsonParserTest, BytesInAllTheirForms) {
  const std::pair<std::string, std::string> cases[] = {{"", ""},
                                                       {"Zm9v", "foo"},
                                                       {"Zm8=", "fo"},
                                                       {"Zg==", "f"},
                                                       {"Zm8", "fo"},
                                                       {"Zg", "f"},
                                                       {"Zh==", "f"},
                                                       {"+/+/", "\xfb\xff\xbf"},
                                                       {"-_-_", "\xfb\xff\xbf"},
                                                       {"Zm\\n9v", "foo"},
                                                       {"Zg==\\n\\n\\r\\n", "f"}};
  for (const auto& [text, value] : cases) {
    EXPECT_EQ(Parse<RangeRequest>("{\"key\":\"" + text + "\"}").key(), value) << text;
  }
  for (const std::string text : {"Z", "Zm9vZ", "+_+_", "Zg=", "Zg===", "Z===", "=", "====", "Zm 9v",
                                 "Zg==Zg==", "Zm9v\\n"}) {
    const std::string raw = "\"" + text + "\"";
    const std::string error = Error<RangeRequest>("{\"key\":" + raw + "}");
    if (text == "Zm9v\\n") {
      EXPECT_EQ(error, "ok");  // five characters, so without padding, and the fifth overlooked
    } else {
      EXPECT_EQ(error, "proto: (line 1:8): invalid value for bytes field key: " + raw);
    }
  }
}

TEST(JsonParserTest, StringsWithEscapes) {
  using User = etcdserverpb::AuthUserAddRequest;
  EXPECT_EQ(Parse<User>(R"({"name":"\"\\\/\b\f\n\r\t\u00e4\ud83d\ude00"})").name(),
            "\"\\/\b\f\n\r\t\xc3\xa4\xf0\x9f\x98\x80");
  EXPECT_EQ(Parse<User>(R"({"n\u0061me":"x"})").name(), "x");
  EXPECT_EQ(Error<User>("{\"name\":\"a\xff\"}"),
            "proto: syntax error (line 1:9): invalid UTF-8 in string");
  EXPECT_EQ(Error<User>(R"({"name":"\ud83dabcdef"})"),
            R"(proto: syntax error (line 1:9): invalid escape code "abcdef" in string)");
  EXPECT_EQ(Error<User>(R"({"name":"\ude00\ud83d"})"),
            R"(proto: syntax error (line 1:9): invalid escape code "\\ud83d" in string)");
  EXPECT_EQ(Error<User>(R"({"name":"\ud83d"})"), "proto: unexpected EOF");
}

TEST(JsonParserTest, EnumsByNameOrNumber) {
  EXPECT_EQ(Parse<RangeRequest>(R"({"sort_order":"DESCEND"})").sort_order(), RangeRequest::DESCEND);
  EXPECT_EQ(Parse<RangeRequest>(R"({"sort_order":2})").sort_order(), RangeRequest::DESCEND);
  EXPECT_EQ(Parse<RangeRequest>(R"({"sort_order":"2"})").sort_order(), RangeRequest::NONE);
  EXPECT_EQ(static_cast<int>(Parse<RangeRequest>(R"({"sort_order":77})").sort_order()), 77);
  using Create = etcdserverpb::WatchCreateRequest;
  EXPECT_EQ(Parse<Create>(R"({"filters":["NOPUT","NEW",1]})").filters_size(), 2);
}

// The texts were taken from etcd's answers.
TEST(JsonParserTest, ErrorsSayWhere) {
  EXPECT_EQ(Error<RangeRequest>("null"), "proto: syntax error (line 1:1): unexpected token null");
  EXPECT_EQ(Error<RangeRequest>("[]"), "proto: syntax error (line 1:1): unexpected token [");
  EXPECT_EQ(Error<RangeRequest>("5"), "proto: syntax error (line 1:1): unexpected token 5");
  EXPECT_EQ(Error<RangeRequest>(R"({"key":"YQ==","key":"Yg=="})"),
            R"(proto: (line 1:15): duplicate field "key")");
  EXPECT_EQ(Error<RangeRequest>(R"({"range_end":"","rangeEnd":""})"),
            R"(proto: (line 1:17): duplicate field "rangeEnd")");
  EXPECT_EQ(Error<RangeRequest>(R"({"key":"YQ==","serializable":"true"})"),
            R"(proto: (line 1:30): invalid value for bool field serializable: "true")");
  EXPECT_EQ(Error<RangeRequest>(R"({"key":"YQ==","limit":"abc"})"),
            R"(proto: (line 1:23): invalid value for int64 field limit: "abc")");
  EXPECT_EQ(Error<RangeRequest>("{\"key\":\"YQ==\",\n \"\xc3\xa4\":1, \"limit\":true}"),
            "proto: (line 2:17): invalid value for int64 field limit: true");
  EXPECT_EQ(Error<RangeRequest>(R"({"sort_order":1.5})"),
            "proto: (line 1:15): invalid value for enum field sortOrder: 1.5");
  EXPECT_EQ(Error<TxnRequest>(R"({"success":{}})"),
            "proto: syntax error (line 1:12): unexpected token {");
  EXPECT_EQ(Error<TxnRequest>(R"({"success":[null]})"),
            "proto: syntax error (line 1:13): unexpected token null");
  EXPECT_EQ(Error<TxnRequest>(R"({"success":["a"]})"),
            "proto: syntax error (line 1:13): unexpected token \"a\"");
  EXPECT_EQ(Error<TxnRequest>(R"({"success":[{"request_put":{},"request_range":{}}]})"),
            "proto: (line 1:31): error parsing \"request_range\", oneof "
            "etcdserverpb.RequestOp.request is already set");
}

std::string Nested(int txns) {
  std::string json = R"({"success":[{"request_range":{"key":"YQ=="}}]})";
  for (int i = 1; i < txns; ++i) json = R"({"success":[{"request_txn":)" + json + "}]}";
  return json;
}

TEST(JsonParserTest, NestingIsBounded) {
  EXPECT_EQ(Error<TxnRequest>(Nested(29)), "ok");
  EXPECT_EQ(Error<TxnRequest>(Nested(40)), "proto: exceeded max recursion depth");
  EXPECT_EQ(Error<TxnRequest>(Nested(4000)), "proto: exceeded max recursion depth");
  const std::string unknown = std::string(9000, '[') + std::string(9000, ']');
  EXPECT_EQ(Error<TxnRequest>("{\"unknown\":" + unknown + "}"), "ok");
}

// What is taken can be answered: Protobuf prints no deeper than 64.
TEST(JsonPrinterTest, PrintsAnswersAsDeepAsRequests) {
  etcdserverpb::TxnResponse response;
  etcdserverpb::TxnResponse* inner = &response;
  for (int i = 1; i < 29; ++i) inner = inner->add_responses()->mutable_response_txn();
  inner->add_responses()->mutable_response_range()->add_kvs()->set_key("a");
  EXPECT_TRUE(PrintJson(response).ok());
}

TEST(JsonPrinterTest, FormOfTheOriginal) {
  etcdserverpb::RangeResponse response;
  response.mutable_header()->set_cluster_id(UINT64_MAX);
  response.mutable_header()->set_revision(-1);
  mvccpb::KeyValue* kv = response.add_kvs();
  kv->set_key("\xfb\xff\xbf");
  kv->set_create_revision(3);
  response.set_more(true);
  EXPECT_EQ(*PrintJson(response),
            R"({"header":{"cluster_id":"18446744073709551615","revision":"-1"},)"
            R"("kvs":[{"key":"+/+/","create_revision":"3"}],"more":true})");
  EXPECT_EQ(*PrintJson(etcdserverpb::RangeResponse()), "{}");
  etcdserverpb::HashKVResponse hash;
  hash.set_hash(UINT32_MAX);
  EXPECT_EQ(*PrintJson(hash), R"({"hash":4294967295})");
  etcdserverpb::StatusResponse status;
  status.mutable_downgradeinfo();
  status.set_dbsize(1);
  EXPECT_EQ(*PrintJson(status), R"({"dbSize":"1","downgradeInfo":{}})");
}

TEST(JsonPrinterTest, Errors) {
  EXPECT_EQ(ErrorJson(5, "a\"b\\\n\x01<\xc3\xa4\xff"),
            "{\"code\":5,\"message\":\"a\\\"b\\\\\\n\\u0001<\xc3\xa4\xef\xbf\xbd\"}");
  EXPECT_EQ(ErrorJson(2, ""), "{\"code\":2}");
}

// Bodies that are nearly right: whatever the bytes, there is a verdict, and what was taken means
// the same when printed and read again.
TEST(JsonFuzzTest, DamagedBodiesGetAVerdict) {
  const std::string seeds[] = {
      R"({"key":"YQ==","range_end":"Yg==","limit":"5","sort_order":"DESCEND","keys_only":true})",
      R"({"compare":[{"key":"YQ==","version":"1e2","target":"MOD","result":2}],"success":[)"
      R"({"request_txn":{"failure":[{"request_put":{"key":"\u005aQ==","lease":-7}}]}}]})",
      R"({"success":[{"request_delete_range":{"key":"YQ"}},{}],"x":[1.5e-7,null,)"
      R"({"y":"\ud83d\ude00"}]})"};
  std::mt19937 random(20261121);
  int taken = 0;
  for (int i = 0; i < 30000; ++i) {
    std::string body = seeds[i % 3];
    for (int edits = 1 + i % 4; edits > 0; --edits) {
      const size_t at = random() % body.size();
      const size_t from = random() % body.size();
      switch (random() % 4) {
        case 0:
          body[at] = static_cast<char>(random());
          break;
        case 1:
          body.erase(at, 1 + random() % 5);
          break;
        case 2:
          body.insert(at, body.substr(from, random() % 12));
          break;
        default:
          body[at] = "{}[]\",:\\0e"[random() % 10];
      }
      if (body.empty()) body = "{";
    }
    JsonCutter cutter(1 << 20);
    std::string_view bytes = body;
    if (cutter.Feed(&bytes) != JsonCutter::State::kValue) continue;
    const std::string value = cutter.TakeValue();
    TxnRequest txn;
    RangeRequest range;
    google::protobuf::Message* message = &txn;
    if (i % 3 == 0) message = &range;
    if (!ParseJson(value, message).ok()) continue;
    ++taken;
    std::unique_ptr<google::protobuf::Message> again(message->New());
    const StatusOr<std::string> printed = PrintJson(*message);
    ASSERT_TRUE(printed.ok()) << body;
    ASSERT_TRUE(ParseJson(*printed, again.get()).ok()) << *printed;
    EXPECT_TRUE(google::protobuf::util::MessageDifferencer::Equals(*message, *again)) << body;
  }
  EXPECT_GT(taken, 1000);
}

}  // namespace
}  // namespace kvorum::api
