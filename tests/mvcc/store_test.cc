#include "mvcc/store.h"

#include <gtest/gtest.h>

#include "tests/mvcc/store_fixture.h"

namespace kvorum::mvcc {
namespace {

TEST_F(StoreTest, FreshStoreIsAtRevisionOneAndEmpty) {
  EXPECT_EQ(store_->current_revision(), Revision(1));
  EXPECT_EQ(store_->compacted_revision(), kNeverCompacted);
  EXPECT_EQ(ListAll(), "");
  EXPECT_GT(store_->size_bytes(), 0);
}

TEST_F(StoreTest, FirstPutTakesRevisionTwo) {
  EXPECT_EQ(Put("a", "1"), Revision(2));
  const RangeResult result = Range("a");
  EXPECT_EQ(result.current, Revision(2));
  EXPECT_EQ(result.count, 1);
  const auto kv = KeyValueView::Parse(result.rows.at(0).bytes.view());
  EXPECT_EQ(kv->create_revision, Revision(2));
  EXPECT_EQ(kv->mod_revision, Revision(2));
  EXPECT_EQ(kv->version, 1);
}

TEST_F(StoreTest, RewritingKeepsCreationAndCountsVersions) {
  Put("a", "1");
  Put("b", "1");
  Put("a", "2");
  const auto kv = KeyValueView::Parse(Range("a").rows.at(0).bytes.view());
  EXPECT_EQ(kv->create_revision, Revision(2));
  EXPECT_EQ(kv->mod_revision, Revision(4));
  EXPECT_EQ(kv->version, 2);
}

TEST_F(StoreTest, OldRevisionsStayReadable) {
  Put("a", "1");
  Put("a", "2");
  Delete("a");
  Put("b", "1");
  EXPECT_EQ(ListAll(1), "");
  EXPECT_EQ(ListAll(2), "a=1");
  EXPECT_EQ(ListAll(3), "a=2");
  EXPECT_EQ(ListAll(4), "");
  EXPECT_EQ(ListAll(5), "b=1");
  EXPECT_EQ(ListAll(6), "future");
}

TEST_F(StoreTest, IntervalsAreHalfOpenAndInverseOnesEmpty) {
  for (const char* key : {"a", "b", "c", "d"}) Put(key, "1");
  EXPECT_EQ(List("b", "d"), "b=1 c=1");
  EXPECT_EQ(List("c", kToTheEnd), "c=1 d=1");
  EXPECT_EQ(List("d", "b"), "");
  EXPECT_EQ(List("bb"), "");
}

TEST_F(StoreTest, LimitCutsRowsButNotTheCount) {
  for (const char* key : {"a", "b", "c"}) Put(key, "1");
  Delete("a");
  for (const int64_t revision : {0, 4}) {
    const RangeResult result =
        Range(kFirstKey, kToTheEnd, {.limit = 1, .revision = Revision(revision)});
    EXPECT_EQ(result.rows.size(), 1u);
    EXPECT_EQ(result.count, revision == 0 ? 2 : 3);
  }
}

TEST_F(StoreTest, AnUncountedRangeHasTheSameRows) {
  for (const char* key : {"a", "b", "c"}) Put(key, "1");
  Put("a", "2");
  for (const int64_t revision : {0, 4}) {
    for (const int64_t limit : {0, 2}) {
      RangeOptions options{.limit = limit, .revision = Revision(revision)};
      const RangeResult counted = Range(kFirstKey, kToTheEnd, options);
      options.uncounted = true;
      const RangeResult uncounted = Range(kFirstKey, kToTheEnd, options);
      EXPECT_EQ(uncounted.count, 0);
      ASSERT_EQ(uncounted.rows.size(), counted.rows.size());
      for (size_t i = 0; i < counted.rows.size(); ++i) {
        EXPECT_EQ(uncounted.rows[i].bytes, counted.rows[i].bytes);
      }
    }
  }
}

TEST_F(StoreTest, CountOnlyGivesNoRows) {
  for (const char* key : {"a", "b", "c"}) Put(key, "1");
  const RangeResult result = Range("b", kToTheEnd, {.count_only = true});
  EXPECT_TRUE(result.rows.empty());
  EXPECT_EQ(result.count, 2);
}

TEST_F(StoreTest, KeysOnlyHasNeitherValueNorLease) {
  Put("a", "1", LeaseId(7));
  Put("a", "2", LeaseId(7));
  const RangeResult result = Range("a", {}, {.keys_only = true});
  const auto kv = KeyValueView::Parse(result.rows.at(0).bytes.view());
  EXPECT_EQ(kv->key, "a");
  EXPECT_EQ(kv->value, "");
  EXPECT_EQ(kv->lease, LeaseId(0));
  EXPECT_EQ(kv->create_revision, Revision(2));
  EXPECT_EQ(kv->mod_revision, Revision(3));
  EXPECT_EQ(kv->version, 2);
}

TEST_F(StoreTest, TxnSharesOneRevision) {
  WriteTxn txn = store_->Begin();
  txn.Put("a", "1", LeaseId(0));
  txn.Put("b", "2", LeaseId(0));
  EXPECT_EQ(ListAll(), "");  // not yet visible
  EXPECT_EQ(txn.End(), Revision(2));
  EXPECT_EQ(ListAll(), "a=1 b=2");
  EXPECT_EQ(Range("b").rows.at(0).revision, (RowRevision{Revision(2), 1}));
}

TEST_F(StoreTest, TxnWithoutChangesTakesNoRevision) {
  WriteTxn txn = store_->Begin();
  ASSERT_OK_AND_ASSIGN(const int64_t deleted, txn.DeleteRange({"a", "z"}));
  EXPECT_EQ(deleted, 0);
  EXPECT_EQ(txn.End(), Revision(1));
}

TEST_F(StoreTest, TxnReadsItsOwnChanges) {
  Put("a", "1");
  Put("b", "1");
  Put("c", "1");
  WriteTxn txn = store_->Begin();
  txn.Put("d", "2", LeaseId(0));
  ASSERT_OK(txn.DeleteRange({"a"}));
  txn.Put("b", "2", LeaseId(0));
  ASSERT_OK_AND_ASSIGN(RangeResult result, txn.Range({kFirstKey, kToTheEnd}, {.limit = 2}));
  EXPECT_EQ(Text(result), "b=2 c=1");
  EXPECT_EQ(result.count, 3);
  EXPECT_EQ(result.current, Revision(5));
  EXPECT_FALSE(txn.Find("a").has_value());
  EXPECT_EQ(txn.Find("b")->version, 2);
  ASSERT_OK_AND_ASSIGN(result, txn.Range({kFirstKey, kToTheEnd}, {.revision = Revision(4)}));
  EXPECT_EQ(Text(result), "a=1 b=1 c=1");
}

TEST_F(StoreTest, DeleteRangeHandsOutWhatItDeleted) {
  Put("a", "1");
  Put("b", "2");
  WriteTxn txn = store_->Begin();
  std::vector<Row> previous;
  ASSERT_OK(txn.DeleteRange({"a", "z"}, &previous));
  ASSERT_EQ(previous.size(), 2u);
  EXPECT_EQ(KeyValueView::Parse(previous[1].bytes.view())->value, "2");
}

TEST_F(StoreTest, CommittedAndFlushedStateSurvives) {
  Put("a", "1");
  Put("a", "2");
  Put("b", "1");
  Delete("b");
  const int64_t in_use = store_->size_in_use_bytes();
  CommitAndReopen();
  EXPECT_EQ(store_->opened_at().index, Index(1));
  EXPECT_EQ(store_->opened_at().term, Term(1));
  EXPECT_EQ(store_->current_revision(), Revision(5));
  EXPECT_EQ(store_->size_in_use_bytes(), in_use);
  EXPECT_EQ(ListAll(), "a=2");
  EXPECT_EQ(ListAll(2), "a=1");
  EXPECT_EQ(ListAll(4), "a=2 b=1");
  Put("b", "2");
  const auto kv = KeyValueView::Parse(Range("b").rows.at(0).bytes.view());
  EXPECT_EQ(kv->version, 1);
  EXPECT_EQ(kv->create_revision, Revision(6));
}

TEST_F(StoreTest, SizesKeptFromBirthOnAreThoseARestartCounts) {
  Put("a", "1");
  Commit();
  const int64_t size = store_->size_in_use_bytes();
  CommitAndReopen();
  EXPECT_EQ(store_->size_in_use_bytes(), size);
  EXPECT_EQ(store_->size_bytes(), size);
}

TEST_F(StoreTest, UnflushedCommitIsLostInACrashAsAWhole) {
  Put("a", "1");
  Commit();
  ASSERT_OK(store_->backend().Flush());
  Put("b", "1");
  Commit();
  ASSERT_OK_AND_ASSIGN(const Index flushed, store_->backend().FlushedIndex());
  EXPECT_EQ(flushed, Index(1));
  env_.PowerOff();
  store_.reset();
  env_.PowerOn();
  Reopen();
  EXPECT_EQ(ListAll(), "a=1");
  EXPECT_EQ(store_->opened_at().index, Index(1));
}

TEST_F(StoreTest, AnotherMembersStoreIsRefused) {
  store_.reset();
  StoreDirOptions options = DirOptions();
  options.identity.member = MemberId(9);
  EXPECT_CODE(kFailedPrecondition, OpenStoreDir(options));
}

TEST_F(StoreTest, MissingDatabaseIsNotTakenForANewOne) {
  store_.reset();
  ASSERT_OK(env_.RemoveAll("/member/store-0"));
  EXPECT_FALSE(OpenStoreDir(DirOptions()).ok());
}

}  // namespace
}  // namespace kvorum::mvcc
