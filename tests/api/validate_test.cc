#include "api/validate.h"

#include <google/protobuf/text_format.h>
#include <gtest/gtest.h>

namespace kvorum::api {
namespace {

using etcdserverpb::TxnRequest;
using server::Error;

template <typename Message>
Message Parse(const std::string& text) {
  Message message;
  EXPECT_TRUE(google::protobuf::TextFormat::ParseFromString(text, &message)) << text;
  return message;
}

TEST(ValidateTest, Range) {
  const auto check = [](const std::string& text) {
    return CheckRange(Parse<etcdserverpb::RangeRequest>(text));
  };
  EXPECT_EQ(check("key: 'a'"), Error::kOk);
  EXPECT_EQ(check("range_end: 'b'"), Error::kEmptyKey);
  EXPECT_EQ(check("key: 'a' sort_order: DESCEND sort_target: VALUE"), Error::kOk);
  EXPECT_EQ(check("key: 'a' limit: -1 revision: -5"), Error::kOk);
  etcdserverpb::RangeRequest request;
  request.set_key("a");
  request.set_sort_order(static_cast<etcdserverpb::RangeRequest::SortOrder>(3));
  EXPECT_EQ(CheckRange(request), Error::kInvalidSortOption);
  request.clear_sort_order();
  request.set_sort_target(static_cast<etcdserverpb::RangeRequest::SortTarget>(5));
  EXPECT_EQ(CheckRange(request), Error::kInvalidSortOption);
}

TEST(ValidateTest, Put) {
  const auto check = [](const std::string& text) {
    return CheckPut(Parse<etcdserverpb::PutRequest>(text));
  };
  EXPECT_EQ(check("key: 'a'"), Error::kOk);
  EXPECT_EQ(check("value: 'a'"), Error::kEmptyKey);
  EXPECT_EQ(check("key: 'a' value: 'v' ignore_value: true"), Error::kValueProvided);
  EXPECT_EQ(check("key: 'a' ignore_value: true"), Error::kOk);
  EXPECT_EQ(check("key: 'a' lease: 1 ignore_lease: true"), Error::kLeaseProvided);
  EXPECT_EQ(check("key: 'a' lease: 1 ignore_value: true"), Error::kOk);
}

TEST(ValidateTest, DeleteRange) {
  etcdserverpb::DeleteRangeRequest request;
  EXPECT_EQ(CheckDeleteRange(request), Error::kEmptyKey);
  request.set_key("a");
  EXPECT_EQ(CheckDeleteRange(request), Error::kOk);
}

Error Check(const std::string& text, int64_t max_ops = 128) {
  return CheckTxn(Parse<TxnRequest>(text), max_ops);
}

std::string Put(const std::string& key) { return "request_put { key: '" + key + "' }"; }
std::string Del(const std::string& key, const std::string& end = "") {
  return "request_delete_range { key: '" + key + "' range_end: '" + end + "' }";
}

TEST(ValidateTest, TxnShapes) {
  EXPECT_EQ(Check(""), Error::kOk);
  EXPECT_EQ(Check("compare { value: 'x' }"), Error::kEmptyKey);
  EXPECT_EQ(Check("success { request_range { } }"), Error::kEmptyKey);
  EXPECT_EQ(Check("failure { request_put { } }"), Error::kEmptyKey);
  EXPECT_EQ(Check("success { }"), Error::kKeyNotFound);
  EXPECT_EQ(Check("success { request_txn { failure { } } }"), Error::kKeyNotFound);
  EXPECT_EQ(Check("success { request_put { key: 'a' value: 'v' ignore_value: true } }"),
            Error::kValueProvided);
}

TEST(ValidateTest, LongestListOfATxnCounts) {
  const std::string put = "success { request_range { key: 'a' } } ";
  const std::string fail = "failure { request_range { key: 'a' } } ";
  const std::string compare = "compare { key: 'a' } ";
  EXPECT_EQ(Check(put + put + fail + fail + compare, 2), Error::kOk);
  EXPECT_EQ(Check(put + put + put, 2), Error::kTooManyOps);
  EXPECT_EQ(Check(fail + fail + fail, 2), Error::kTooManyOps);
  EXPECT_EQ(Check(compare + compare + compare, 2), Error::kTooManyOps);
  // The number comes before what the operations are.
  EXPECT_EQ(Check("success { } success { }", 1), Error::kTooManyOps);
}

TEST(ValidateTest, DepthTakesFromTheBudgetSiblingsDoNot) {
  const std::string leaf = "request_range { key: 'a' }";
  const std::string nested = "request_txn { success { " + leaf + " } }";
  EXPECT_EQ(Check("success { " + nested + " }", 2), Error::kOk);
  EXPECT_EQ(Check("success { " + nested + " }", 1), Error::kTooManyOps);
  EXPECT_EQ(Check("success { " + nested + " } success { " + nested + " }", 3), Error::kOk);
  EXPECT_EQ(Check("success { request_txn { success { " + nested + " } } }", 2), Error::kTooManyOps);
}

TEST(ValidateTest, DuplicateKeys) {
  struct Case {
    const char* what;
    std::string txn;
    Error expected;
  };
  const auto ok = [](const std::string& op) { return "success { " + op + " } "; };
  const auto no = [](const std::string& op) { return "failure { " + op + " } "; };
  const auto txn = [](const std::string& lists) { return "request_txn { " + lists + " } "; };
  const Error dup = Error::kDuplicateKey;
  const Case cases[] = {
      {"two puts", ok(Put("a")) + ok(Put("a")), dup},
      {"in the failure list", no(Put("a")) + no(Put("a")), dup},
      {"different keys", ok(Put("a")) + ok(Put("b")), Error::kOk},
      {"one in each list", ok(Put("a")) + no(Put("a")), Error::kOk},
      {"put and delete", ok(Put("a")) + ok(Del("a")), dup},
      {"delete then put", ok(Del("a")) + ok(Put("a")), dup},
      {"put inside an interval", ok(Del("a", "c")) + ok(Put("b")), dup},
      {"put at its end", ok(Del("a", "c")) + ok(Put("c")), Error::kOk},
      {"put before it", ok(Del("b", "c")) + ok(Put("a")), Error::kOk},
      {"deletes overlap", ok(Del("a", "c")) + ok(Del("b", "d")), Error::kOk},
      {"empty interval", ok(Del("b", "a")) + ok(Put("b")), Error::kOk},
      {"nested empty interval", ok(txn(ok(Del("b", "b")))) + ok(Put("b")), Error::kOk},
      {"merged intervals", ok(Del("a", "c")) + ok(Del("b", "e")) + ok(Put("d")), dup},
      {"from key: its key", ok(Del("b", "\\000")) + ok(Put("b")), Error::kOk},
      {"from key: a later key", ok(Del("b", "\\000")) + ok(Put("c")), Error::kOk},
      {"nested put and put", ok(txn(ok(Put("a")))) + ok(Put("a")), dup},
      {"both branches of a nested txn", ok(txn(ok(Put("a")) + no(Put("a")))), Error::kOk},
      {"then a put beside it", ok(txn(ok(Put("a")) + no(Put("a")))) + ok(Put("a")), dup},
      {"two nested txns", ok(txn(ok(Put("a")))) + ok(txn(no(Put("a")))), dup},
      {"nested delete, then put", ok(txn(ok(Del("a", "c")))) + ok(Put("b")), dup},
      {"delete here, nested put", ok(txn(ok(Put("b")))) + ok(Del("a", "c")), dup},
      {"nested put, later nested delete", ok(txn(ok(Put("b")))) + ok(txn(ok(Del("a", "c")))),
       Error::kOk},
      {"nested delete, later nested put", ok(txn(ok(Del("a", "c")))) + ok(txn(ok(Put("b")))), dup},
      {"nested from-key delete stays below", ok(txn(ok(Del("b", "\\000")))) + ok(Put("b")),
       Error::kOk},
      {"within a nested list", ok(txn(no(Put("a")) + no(Put("a")))), dup},
      {"ranges do not count", ok("request_range { key: 'a' }") + ok(Put("a")), Error::kOk},
  };
  for (const Case& c : cases) EXPECT_EQ(Check(c.txn), c.expected) << c.what;
}

TEST(ValidateTest, ReadOnlyAndSerializable) {
  const auto read_only = [](const char* text) { return IsReadOnly(Parse<TxnRequest>(text)); };
  EXPECT_TRUE(read_only(""));
  EXPECT_TRUE(read_only("success { request_range { key: 'a' } }"));
  EXPECT_FALSE(read_only("failure { request_put { key: 'a' } }"));
  EXPECT_FALSE(read_only("success { request_txn { } }"));
  const auto serializable = [](const char* text) {
    return IsSerializable(Parse<TxnRequest>(text));
  };
  EXPECT_TRUE(serializable("compare { key: 'a' }"));
  EXPECT_TRUE(serializable("success { request_range { key: 'a' serializable: true } }"));
  EXPECT_FALSE(
      serializable("success { request_range { key: 'a' serializable: true } } "
                   "failure { request_range { key: 'a' } }"));
}

}  // namespace
}  // namespace kvorum::api
