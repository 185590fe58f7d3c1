// The rules of rules.h, each applied to the whole source tree.

#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <set>
#include <string>
#include <vector>

#include "tests/tidy/rules.h"

namespace kvorum::tidy {
namespace {

namespace fs = std::filesystem;

bool IsSource(const fs::path& path) {
  static const std::set<std::string> extensions = {".cc", ".h", ".proto", ".go"};
  return path.filename() == "CMakeLists.txt" || extensions.contains(path.extension().string());
}

// Below the root, only these hold source; build trees and data directories lie beside them.
std::vector<SourceFile> ReadTree() {
  const fs::path root = KVORUM_SOURCE_DIR;
  std::vector<SourceFile> files;
  const auto add = [&](const fs::path& path) {
    std::ifstream in(path, std::ios::binary);
    files.push_back(
        {path.lexically_relative(root).generic_string(), {std::istreambuf_iterator<char>(in), {}}});
  };
  add(root / "CMakeLists.txt");
  for (const char* folder : {"api", "base", "mvcc", "proto", "raft", "server", "tests", "wal"}) {
    if (!fs::exists(root / folder)) continue;
    for (const auto& entry : fs::recursive_directory_iterator(root / folder)) {
      if (entry.is_regular_file() && IsSource(entry.path())) add(entry.path());
    }
  }
  std::sort(files.begin(), files.end(),
            [](const SourceFile& a, const SourceFile& b) { return a.path < b.path; });
  return files;
}

const std::vector<SourceFile>& Tree() {
  static const std::vector<SourceFile> files = ReadTree();
  return files;
}

Findings CheckAll(Findings (*rule)(const SourceFile&)) {
  Findings all;
  for (const SourceFile& file : Tree()) {
    for (Finding& f : rule(file)) all.push_back(std::move(f));
  }
  return all;
}

#define EXPECT_CLEAN(findings)                             \
  do {                                                     \
    const Findings found = (findings);                     \
    EXPECT_TRUE(found.empty()) << "\n" << ToString(found); \
  } while (false)

TEST(TidyTest, TheTreeWasFound) {
  const auto has = [](const std::string& path) {
    return std::any_of(Tree().begin(), Tree().end(),
                       [&](const SourceFile& f) { return f.path == path && !f.text.empty(); });
  };
  EXPECT_TRUE(has("CMakeLists.txt"));
  EXPECT_TRUE(has("proto/rpc.proto"));
  EXPECT_TRUE(has("base/status.h"));
  EXPECT_TRUE(has("tests/tidy/tree_test.cc"));
}

TEST(TidyTest, FoldersIncludeOnlyWhatLiesBelowThem) { EXPECT_CLEAN(CheckAll(CheckLayers)); }

TEST(TidyTest, BigLibrariesAreNamedInTheirCornersOnly) {
  EXPECT_CLEAN(CheckAll(CheckLibraryCorners));
}

TEST(TidyTest, RaftHasNoThreadClockRandomSourceOrFile) { EXPECT_CLEAN(CheckAll(CheckRaftIsPure)); }

TEST(TidyTest, CoroutinesAvoidWhatTheCompilerGetsWrong) { EXPECT_CLEAN(CheckAll(CheckCoroutines)); }

TEST(TidyTest, MainHeadersOpenWithTheirContract) { EXPECT_CLEAN(CheckAll(CheckContract)); }

TEST(TidyTest, HeadersHavePragmaOnce) { EXPECT_CLEAN(CheckAll(CheckPragmaOnce)); }

TEST(TidyTest, LinesAreAtMostHundredColumnsWide) { EXPECT_CLEAN(CheckAll(CheckLineLength)); }

TEST(TidyTest, NoTabs) { EXPECT_CLEAN(CheckAll(CheckNoTabs)); }

TEST(TidyTest, WorkLeftOverNamesItsIssue) { EXPECT_CLEAN(CheckAll(CheckTodos)); }

TEST(TidyTest, TestsDoNotSleep) { EXPECT_CLEAN(CheckAll(CheckNoSleepInTests)); }

TEST(TidyTest, EverySourceIsNamedByCMake) { EXPECT_CLEAN(CheckNamedByCMake(Tree())); }

TEST(TidyTest, EveryHeaderIsIncluded) { EXPECT_CLEAN(CheckHeadersAreIncluded(Tree())); }

}  // namespace
}  // namespace kvorum::tidy
