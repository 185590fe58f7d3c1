#include "server/apply/txn.h"

#include <gtest/gtest.h>

#include "tests/server/apply/applier_fixture.h"

namespace kvorum::server {
namespace {

using etcdserverpb::TxnResponse;

class TxnTest : public ApplierTest {
 protected:
  // Whether a txn with these compares takes its success branch.
  bool Succeeds(const std::string& compares) { return Txn(compares).succeeded(); }
};

// ---- Compare ------------------------------------------------------------------------------------

class CompareTest : public TxnTest {
 protected:
  void SetUp() override {
    ApplierTest::SetUp();
    Get<etcdserverpb::LeaseGrantResponse>("lease_grant { ID: 7 TTL: 60 }");
    Put("a", "1");              // 2
    Put("a", "5", "lease: 7");  // 3: version 2, created 2
    Put("b", "6");              // 4
  }
};

TEST_F(CompareTest, TargetsAndResults) {
  const struct {
    const char* compare;
    bool holds;
  } kCases[] = {
      {"key: 'a' target: VERSION version: 2 result: EQUAL", true},
      {"key: 'a' target: VERSION version: 1 result: EQUAL", false},
      {"key: 'a' target: VERSION version: 1 result: GREATER", true},
      {"key: 'a' target: VERSION version: 2 result: GREATER", false},
      {"key: 'a' target: VERSION version: 3 result: LESS", true},
      {"key: 'a' target: VERSION version: 3 result: NOT_EQUAL", true},
      {"key: 'a' target: CREATE create_revision: 2 result: EQUAL", true},
      {"key: 'a' target: CREATE create_revision: 3 result: LESS", true},
      {"key: 'a' target: MOD mod_revision: 3 result: EQUAL", true},
      {"key: 'a' target: MOD mod_revision: 3 result: NOT_EQUAL", false},
      {"key: 'a' target: VALUE value: '5' result: EQUAL", true},
      {"key: 'a' target: VALUE value: '6' result: LESS", true},
      {"key: 'a' target: VALUE value: '1' result: GREATER", true},
      {"key: 'a' target: LEASE lease: 7 result: EQUAL", true},
      {"key: 'b' target: LEASE lease: 0 result: EQUAL", true},
      // A union of another kind, or none, compares with zero.
      {"key: 'a' target: VERSION result: GREATER", true},
      {"key: 'a' target: VERSION value: '2' result: EQUAL", false},
      // An operator we do not know holds.
      {"key: 'a' target: VERSION version: 9 result: 77", true},
  };
  for (const auto& c : kCases) {
    EXPECT_EQ(Succeeds(std::string("compare { ") + c.compare + " }"), c.holds) << c.compare;
  }
}

TEST_F(CompareTest, MissingKeyComparesAsZeroExceptItsValue) {
  const struct {
    const char* compare;
    bool holds;
  } kCases[] = {
      {"key: 'x' target: CREATE create_revision: 0 result: EQUAL", true},
      {"key: 'x' target: VERSION version: 0 result: EQUAL", true},
      {"key: 'x' target: MOD mod_revision: 1 result: LESS", true},
      {"key: 'x' target: LEASE lease: 0 result: NOT_EQUAL", false},
      {"key: 'x' target: VALUE value: '' result: EQUAL", false},
      {"key: 'x' target: VALUE value: 'y' result: NOT_EQUAL", false},
      {"key: 'x' range_end: 'y' target: VALUE result: NOT_EQUAL", false},
      {"key: 'x' range_end: 'y' target: CREATE create_revision: 0 result: EQUAL", true},
  };
  for (const auto& c : kCases) {
    EXPECT_EQ(Succeeds(std::string("compare { ") + c.compare + " }"), c.holds) << c.compare;
  }
}

TEST_F(CompareTest, IntervalHoldsIfEveryKeyDoes) {
  EXPECT_TRUE(
      Succeeds("compare { key: 'a' range_end: 'c' target: VALUE value: '4' result: GREATER }"));
  EXPECT_FALSE(
      Succeeds("compare { key: 'a' range_end: 'c' target: VALUE value: '5' result: GREATER }"));
  EXPECT_TRUE(
      Succeeds("compare { key: 'a' range_end: '\\0' target: MOD mod_revision: 2 "
               "result: GREATER }"));
  EXPECT_FALSE(
      Succeeds("compare { key: 'a' range_end: 'c' target: LEASE lease: 7 result: EQUAL }"));
}

TEST_F(CompareTest, AllMustHoldAndNoneIsTrue) {
  EXPECT_TRUE(Succeeds(""));
  EXPECT_FALSE(
      Succeeds("compare { key: 'a' target: VERSION version: 2 } "
               "compare { key: 'b' target: VERSION version: 2 }"));
}

// ---- Path, check, execution ---------------------------------------------------------------------

TEST_F(TxnTest, OperationsCarryOnlyTheirRevision) {
  Put("a", "1");
  const TxnResponse response =
      Txn("success { request_range { key: 'a' } } success { request_delete_range { key: 'x' } } "
          "success { request_put { key: 'a' value: '2' } } success { request_range { key: 'a' } } "
          "success { request_delete_range { key: 'x' } }");
  ASSERT_EQ(response.responses_size(), 5);
  EXPECT_EQ(response.header().revision(), 3);
  EXPECT_EQ(response.responses(0).response_range().header().revision(), 2);
  EXPECT_EQ(response.responses(1).response_delete_range().header().revision(), 2);
  EXPECT_EQ(response.responses(2).response_put().header().revision(), 3);
  EXPECT_EQ(response.responses(3).response_range().header().revision(), 3);
  EXPECT_EQ(response.responses(4).response_delete_range().header().revision(), 3);
  EXPECT_EQ(Rows(response.responses(0).response_range()), "a=1");
  EXPECT_EQ(Rows(response.responses(3).response_range()), "a=2");
}

TEST_F(TxnTest, AllChangesShareOneRevision) {
  Txn("success { request_put { key: 'a' value: '1' } } success { request_put { key: 'b' value: '2' "
      "} }");
  EXPECT_EQ(revision(), 2);
  EXPECT_EQ(Range("key: 'a'").kvs(0).mod_revision(), 2);
  EXPECT_EQ(Range("key: 'b'").kvs(0).mod_revision(), 2);
}

TEST_F(TxnTest, NothingChangedTakesNoRevision) {
  EXPECT_EQ(Txn("success { request_delete_range { key: 'x' } }").header().revision(), 1);
  EXPECT_EQ(revision(), 1);
}

TEST_F(TxnTest, NestedResponseHasAnEmptyHeader) {
  const TxnResponse response =
      Txn("success { request_txn { success { request_put { key: 'a' value: '1' } } } }");
  const TxnResponse& nested = response.responses(0).response_txn();
  EXPECT_TRUE(nested.has_header());
  EXPECT_EQ(nested.header().revision(), 0);
  EXPECT_TRUE(nested.succeeded());
  EXPECT_EQ(nested.responses(0).response_put().header().revision(), 2);
}

TEST_F(TxnTest, NestedCompareSeesTheStateBefore) {
  const TxnResponse response =
      Txn("success { request_put { key: 'a' value: '1' } } "
          "success { request_txn { compare { key: 'a' target: VERSION version: 0 } "
          "  success { request_put { key: 'b' value: 'before' } } "
          "  failure { request_put { key: 'b' value: 'after' } } } }");
  EXPECT_TRUE(response.responses(1).response_txn().succeeded());
  EXPECT_EQ(Value("b"), "b=before");
}

TEST_F(TxnTest, PathOfSiblingsAndDepthIsFollowed) {
  const std::string never = "compare { key: 'x' target: VERSION version: 1 } ";
  Txn("success { request_txn { " + never +
      "failure { request_txn { success { request_put { key: 'a' value: '1' } } } } } } "
      "success { request_txn { " +
      never +
      "success { request_put { key: 'b' value: 'no' } } failure { request_put { key: 'b' value: "
      "'yes' } } } }");
  EXPECT_EQ(Value("a"), "a=1");
  EXPECT_EQ(Value("b"), "b=yes");
}

TEST_F(TxnTest, FailedCheckRejectsTheWhole) {
  Put("a", "1");
  const struct {
    const char* op;
    Error error;
  } kCases[] = {
      {"request_range { key: 'a' revision: 3 }", Error::kFutureRevision},
      {"request_range { key: 'a' revision: -5 }", Error::kCompacted},
      {"request_put { key: 'c' lease: 9 }", Error::kLeaseNotFound},
      {"request_put { key: 'c' ignore_value: true }", Error::kKeyNotFound},
      {"request_txn { success { request_put { key: 'c' ignore_lease: true } } }",
       Error::kKeyNotFound},
  };
  for (const auto& c : kCases) {
    EXPECT_EQ(
        ErrorOf(std::string("txn { success { request_put { key: 'b' value: '1' } } success { ") +
                c.op + " } }"),
        c.error)
        << c.op;
  }
  EXPECT_EQ(revision(), 2);
  EXPECT_EQ(Value("b"), "");
}

TEST_F(TxnTest, OnlyTheTakenBranchIsChecked) {
  EXPECT_EQ(ErrorOf("txn { failure { request_put { key: 'c' lease: 9 } } }"), Error::kOk);
}

TEST_F(TxnTest, ChecksSeeTheStateBefore) {
  // The key is made by the same txn, and the revision is the one the txn will take.
  EXPECT_EQ(ErrorOf("txn { success { request_put { key: 'a' value: '1' } } "
                    "success { request_put { key: 'a' ignore_value: true } } }"),
            Error::kKeyNotFound);
  EXPECT_EQ(ErrorOf("txn { success { request_put { key: 'a' value: '1' } } "
                    "success { request_range { key: 'a' revision: 2 } } }"),
            Error::kFutureRevision);
}

TEST_F(TxnTest, RangeAtCompactedRevisionIsRefused) {
  for (int i = 0; i < 4; ++i) Put("a", "x");
  ASSERT_EQ(ErrorOf("compaction { revision: 4 }"), Error::kOk);
  EXPECT_EQ(ErrorOf("txn { success { request_range { key: 'a' revision: 3 } } }"),
            Error::kCompacted);
  EXPECT_EQ(ErrorOf("txn { success { request_range { key: 'a' revision: 4 } } }"), Error::kOk);
}

// The duplicate check lets these through: it takes range_end "\0" for the end of an empty interval.
TEST_F(TxnTest, PutThatKeepsWhatTheTxnDeletedIsRefused) {
  Put("b", "1");
  const std::string del = "request_delete_range { key: 'a' range_end: '\\0' } ";
  const std::string keep = "request_put { key: 'b' ignore_value: true } ";
  const auto op = [](const std::string& text) { return "success { " + text + "} "; };
  const auto txn = [](const std::string& text) { return "request_txn { " + text + "} "; };
  for (const std::string& refused :
       {op(del) + op(keep), op(del) + op("request_put { key: 'b' ignore_lease: true } "),
        op(txn(op(del))) + op(keep), op(del) + op(txn(op(keep))),
        op(txn(op(del))) + op(txn(op(txn(op(keep)))))}) {
    EXPECT_EQ(ErrorOf("txn { " + refused + "}"), Error::kDuplicateKey) << refused;
  }
  EXPECT_EQ(revision(), 2);
  EXPECT_EQ(Value("b"), "b=1");
}

TEST_F(TxnTest, PutThatKeepsIsDoneWhereNothingDeletedItsKeyBefore) {
  Put("b", "1");
  const std::string del = "success { request_delete_range { key: 'c' range_end: '\\0' } } ";
  const std::string keep = "success { request_put { key: 'b' ignore_value: true } } ";
  EXPECT_EQ(ErrorOf("txn { " + del + keep + "}"), Error::kOk);  // from a later key on
  EXPECT_EQ(Value("b"), "b=1");
  EXPECT_EQ(ErrorOf("txn { success { request_delete_range { key: 'a' range_end: '\\0' } } "
                    "success { request_put { key: 'b' value: '2' } } }"),
            Error::kOk);
  EXPECT_EQ(Value("b"), "b=2");
  EXPECT_EQ(
      ErrorOf("txn { " + keep + "success { request_delete_range { key: 'a' range_end: '\\0' } } }"),
      Error::kOk);
  EXPECT_EQ(Value("b"), "");
}

TEST_F(TxnTest, RangesAreNotReadForNobody) {
  Put("a", "1");
  const ApplyResult result =
      Apply("txn { success { request_range { key: 'a' } } success { request_put { key: 'b' } } }",
            /*want_response=*/false);
  ASSERT_EQ(result.error, Error::kOk);
  const auto& response = std::get<TxnResponse>(result.response);
  EXPECT_EQ(response.responses(0).response_range().kvs_size(), 0);
  EXPECT_EQ(response.responses(0).response_range().header().revision(), 2);
}

// ---- Read-only ----------------------------------------------------------------------------------

TEST_F(TxnTest, ReadOnlyMeansEveryOperationIsARange) {
  EXPECT_TRUE(IsReadOnly(Request("txn { }").txn()));
  EXPECT_TRUE(IsReadOnly(Request("txn { success { request_range { key: 'a' } } }").txn()));
  EXPECT_FALSE(IsReadOnly(Request("txn { failure { request_put { key: 'a' } } }").txn()));
  EXPECT_FALSE(IsReadOnly(Request("txn { success { request_txn { } } }").txn()));
}

TEST_F(TxnTest, SerializableMeansEveryRangeSaysSo) {
  EXPECT_TRUE(IsSerializable(Request("txn { }").txn()));
  EXPECT_TRUE(IsSerializable(
      Request("txn { success { request_range { key: 'a' serializable: true } } }").txn()));
  EXPECT_FALSE(
      IsSerializable(Request("txn { success { request_range { key: 'a' serializable: true } } "
                             "failure { request_range { key: 'a' } } }")
                         .txn()));
}

TEST_F(TxnTest, ReadOnlyTxnReadsTheStore) {
  Put("a", "1");
  Put("a", "2");
  TxnResponse response;
  const auto error = ReadTxn(Request("txn { compare { key: 'a' target: VALUE value: '2' } "
                                     "success { request_range { key: 'a' } } "
                                     "success { request_range { key: 'a' revision: 2 } } }")
                                 .txn(),
                             *store_, &response);
  ASSERT_OK(error);
  EXPECT_EQ(*error, Error::kOk);
  EXPECT_TRUE(response.succeeded());
  EXPECT_EQ(response.header().revision(), 3);
  EXPECT_EQ(Rows(response.responses(0).response_range()), "a=2");
  EXPECT_EQ(Rows(response.responses(1).response_range()), "a=1");
  EXPECT_EQ(response.responses(1).response_range().header().revision(), 3);
}

TEST_F(TxnTest, ReadOnlyTxnInMemoryAnswersTheSameOrNothing) {
  Put("a", "1");
  Put("a", "2");
  const char small[] =
      "txn { compare { key: 'a' target: VALUE value: '2' } success { request_range { key: 'a' } } "
      "}";
  TxnResponse expected;
  ASSERT_OK(ReadTxn(Request(small).txn(), *store_, &expected));
  TxnResponse response;
  ASSERT_EQ(ReadTxnInMemory(Request(small).txn(), *store_, &response), Error::kOk);
  EXPECT_EQ(response.SerializeAsString(), expected.SerializeAsString());
  const char future[] = "txn { success { request_range { key: 'a' revision: 9 } } }";
  EXPECT_EQ(ReadTxnInMemory(Request(future).txn(), *store_, &response), Error::kFutureRevision);

  // More bytes than it may read, in several ranges together.
  Put("large", std::string(MemoryView::kBytes * 2 / 3, 'x'));
  const char once[] = "txn { success { request_range { key: 'large' } } }";
  EXPECT_EQ(ReadTxnInMemory(Request(once).txn(), *store_, &response), Error::kOk);
  const char twice[] =
      "txn { success { request_range { key: 'large' } } success { request_range { key: 'large' } } "
      "}";
  EXPECT_EQ(ReadTxnInMemory(Request(twice).txn(), *store_, &response), std::nullopt);
  // More rows.
  for (int i = 0; i <= MemoryView::kRows; ++i) Put("r" + std::to_string(i), "v");
  const char rows[] = "txn { compare { key: 'r' range_end: 's' target: VERSION version: 1 } }";
  EXPECT_EQ(ReadTxnInMemory(Request(rows).txn(), *store_, &response), std::nullopt);
}

TEST_F(TxnTest, ReadOnlyTxnReportsAFutureRevision) {
  TxnResponse response;
  const auto error =
      ReadTxn(Request("txn { success { request_range { key: 'a' revision: 9 } } }").txn(), *store_,
              &response);
  ASSERT_OK(error);
  EXPECT_EQ(*error, Error::kFutureRevision);
}

}  // namespace
}  // namespace kvorum::server
