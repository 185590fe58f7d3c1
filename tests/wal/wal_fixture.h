#pragma once
// What the tests of wal/ share: a fresh directory, short names for entries and states, and the raw
// bytes of segments, to be looked at or spoilt.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "base/env.h"
#include "base/log.h"
#include "tests/testing/fault_env.h"
#include "wal/segment.h"
#include "wal/wal.h"

namespace kvorum::wal {

#define ASSERT_OK(expr)                         \
  do {                                          \
    const Status assert_ok_ = (expr);           \
    ASSERT_TRUE(assert_ok_.ok()) << assert_ok_; \
  } while (false)
#define EXPECT_OK(expr)                         \
  do {                                          \
    const Status expect_ok_ = (expr);           \
    EXPECT_TRUE(expect_ok_.ok()) << expect_ok_; \
  } while (false)

inline LogEntry Entry(uint64_t term, uint64_t index, std::string data = "") {
  return {.term = Term(term), .index = Index(index), .data = SharedBytes(std::move(data))};
}
// Entries [first, last], each with a small payload that says which one it is.
inline std::vector<LogEntry> Entries(uint64_t term, uint64_t first, uint64_t last) {
  std::vector<LogEntry> entries;
  for (uint64_t i = first; i <= last; ++i) {
    entries.push_back(Entry(term, i, std::to_string(term) + "/" + std::to_string(i)));
  }
  return entries;
}
inline HardState State(uint64_t term, uint64_t vote, uint64_t commit) {
  return {.term = Term(term), .vote = MemberId(vote), .commit = Index(commit)};
}
inline WalSnapshot At(uint64_t index, uint64_t term) {
  raftpb::ConfState conf_state;
  conf_state.add_voters(1);
  conf_state.set_auto_leave(false);
  return {.index = Index(index), .term = Term(term), .conf_state = conf_state};
}
// For failure messages: "term/index".
inline std::vector<std::string> Names(const std::vector<LogEntry>& entries) {
  std::vector<std::string> names;
  for (const LogEntry& e : entries) {
    names.push_back(std::to_string(e.term.value()) + "/" + std::to_string(e.index.value()));
  }
  return names;
}

inline constexpr Metadata kMetadata{.node = MemberId(0x1db8d0a63835fc76),
                                    .cluster = ClusterId(0x23ec164c4c1694b2)};

class WalTest : public ::testing::Test {
 protected:
  WalTest() {
    EXPECT_OK(log::Configure({.level = log::Level::kError}));
    EXPECT_OK(env_.CreateDirs(root_));
    EXPECT_OK(env_.SyncDir("/"));
  }

  // Small segments unless the test says otherwise.
  static Options Small(uint64_t segment_bytes = 64 * 1024) {
    return {.segment_bytes = segment_bytes};
  }

  std::unique_ptr<Wal> Create(const Options& options = Small()) {
    auto wal = Wal::Create(env_, dir_, kMetadata, options);
    EXPECT_OK(wal.status());
    return wal.ok() ? *std::move(wal) : nullptr;
  }
  StatusOr<Wal::OpenResult> Open(const WalSnapshot& start = {}, const Options& options = Small()) {
    return Wal::Open(env_, dir_, start, options);
  }
  // Opens, expects that to work, closes.
  Replay Read(const WalSnapshot& start = {}) {
    auto opened = Open(start);
    EXPECT_OK(opened.status());
    if (!opened.ok()) return {};
    EXPECT_OK(opened->wal->Close());
    return std::move(opened->replay);
  }

  std::vector<std::string> FileNames() { return env_.List(dir_).value(); }
  std::string PathOf(const std::string& name) { return JoinPath(dir_, name); }
  std::string Bytes(const std::string& name) { return env_.ReadFile(PathOf(name)).value(); }
  void SetBytes(const std::string& name, std::string_view bytes) {
    EXPECT_OK(env_.CreateDirs(dir_));
    EXPECT_OK(env_.WriteFile(PathOf(name), bytes));
  }

  FaultEnv env_;
  const std::string root_ = "/member";
  std::string dir_ = "/member/wal";
};

inline const std::string kFirstSegment = "0000000000000000-0000000000000000.wal";

}  // namespace kvorum::wal
