#pragma once
// A store on a disk of the test's choice, with verbs short enough for one-line cases.

#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "base/check.h"
#include "base/log.h"
#include "mvcc/backend/store_dir.h"
#include "mvcc/store.h"
#include "tests/testing/expect_ok.h"
#include "tests/testing/fault_env.h"

namespace kvorum::mvcc {

inline constexpr char kMemberDir[] = "/member";

class StoreTest : public ::testing::Test {
 protected:
  StoreTest() {
    CHECK_OK(log::Configure({.level = log::Level::kError}));
    CHECK_OK(env_.CreateDirs(kMemberDir));
    CHECK_OK(env_.SyncDir("/"));
    Create();
  }

  StoreDirOptions DirOptions() {
    return {.env = &env_,
            .member_dir = kMemberDir,
            .identity = {ClusterId(0xc1), MemberId(0x3e)},
            .backend = {.memtable_bytes = 1 << 20, .block_cache_bytes = 1 << 20}};
  }
  void Create() {
    auto backend = CreateStoreDir(DirOptions(), 0);
    CHECK_OK(backend.status());
    CHECK_OK(PublishStoreDir(env_, kMemberDir, 0));
    OpenWith(*std::move(backend));
  }
  // Opens what is on the disk.
  Status Open() {
    store_.reset();
    ASSIGN_OR_RETURN(auto backend, OpenStoreDir(DirOptions()));
    ASSIGN_OR_RETURN(store_, Store::Open(std::move(backend), options_));
    return absl::OkStatus();
  }
  void Reopen() { ASSERT_OK(Open()); }
  // Flushes first: nothing is lost.
  void CommitAndReopen() {
    Commit();
    ASSERT_OK(store_->backend().Flush());
    Reopen();
  }
  void OpenWith(std::unique_ptr<Backend> backend) {
    auto opened = Store::Open(std::move(backend), options_);
    CHECK_OK(opened.status());
    store_ = *std::move(opened);
  }

  Revision Put(std::string_view key, std::string_view value, LeaseId lease = LeaseId(0)) {
    WriteTxn txn = store_->Begin();
    txn.Put(key, value, lease);
    return txn.End();
  }
  int64_t Delete(std::string_view key, std::string_view end = {}) {
    WriteTxn txn = store_->Begin();
    auto deleted = txn.DeleteRange({key, end});
    CHECK_OK(deleted.status());
    txn.End();
    return *deleted;
  }
  void Commit() { ASSERT_OK(store_->Commit({.index = ++index_, .term = Term(1)})); }

  RangeResult Range(std::string_view key, std::string_view end = {}, RangeOptions options = {}) {
    auto result = store_->Range({key, end}, options);
    CHECK_OK(result.status());
    return *std::move(result);
  }
  // "a=1 b=2", in order; "compacted" or "future" for errors.
  std::string List(std::string_view key, std::string_view end = {}, RangeOptions options = {}) {
    return Text(Range(key, end, options));
  }
  std::string ListAll(int64_t revision = 0) {
    return List(kFirstKey, kToTheEnd, {.revision = Revision(revision)});
  }
  static std::string Text(const RangeResult& result) {
    if (result.error == Error::kCompacted) return "compacted";
    if (result.error == Error::kFutureRevision) return "future";
    std::string text;
    for (const Row& row : result.rows) {
      const auto kv = KeyValueView::Parse(row.bytes.view());
      CHECK(kv);
      if (!text.empty()) text += " ";
      text += std::string(kv->key) + "=" + std::string(kv->value);
    }
    return text;
  }

  static constexpr std::string_view kFirstKey{"\0", 1};
  static constexpr std::string_view kToTheEnd{"\0", 1};

  FaultEnv env_;
  StoreOptions options_;
  Index index_{0};
  std::unique_ptr<Store> store_;
};

}  // namespace kvorum::mvcc
