// A double that loses less than it should makes every crash test built on it worthless, so each
// promise at the head of fault_env.h has its cases here, in both directions: what must survive and
// what must not. That it otherwise behaves like a file system is checked in tests/base/env_test.cc.

#include "tests/testing/fault_env.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <set>
#include <thread>

#include "base/check.h"
#include "base/strings.h"
#include "tests/testing/expect_ok.h"
#include "tests/testing/manual_clock.h"

namespace kvorum {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::UnorderedElementsAre;
using Op = FaultEnv::Op;

const Status kBoom = absl::InternalError("boom");
const std::string kLostText = "NOT_FOUND";

class FaultEnvTest : public ::testing::Test {
 protected:
  // A durable file "f" with these bytes, open.
  std::unique_ptr<File> DurableFile(std::string_view bytes, const std::string& path = "f") {
    auto file = Open(path, OpenMode::kCreateNew);
    EXPECT_OK(file->WriteAt(0, bytes));
    env_.SyncEverything();
    return file;
  }
  std::unique_ptr<File> Open(const std::string& path, OpenMode mode = OpenMode::kReadWrite) {
    auto file = env_.Open(path, mode);
    CHECK_OK(file.status());
    return std::move(*file);
  }
  // The bytes, or kLostText.
  std::string Get(const std::string& path) {
    const auto bytes = env_.ReadFile(path);
    if (absl::IsNotFound(bytes.status())) return kLostText;
    EXPECT_OK(bytes);
    return *bytes;
  }
  std::vector<std::string> Names(const std::string& dir = "/") {
    const auto names = env_.List(dir);
    EXPECT_OK(names);
    return *names;
  }

  ManualClock clock_;
  FaultEnv env_{clock_};
};

// --- Contents ---

TEST_F(FaultEnvTest, UnsyncedBytesAreLost) {
  const auto file = DurableFile("old bytes");
  ASSERT_OK(file->WriteAt(0, "NEW"));
  ASSERT_OK(file->WriteAt(9, " and more"));
  EXPECT_EQ(Get("f"), "NEW bytes and more");
  env_.Crash();
  EXPECT_EQ(Get("f"), "old bytes");
}

TEST_F(FaultEnvTest, SyncedBytesSurvive) {
  for (const bool data_only : {false, true}) {
    const std::string path = data_only ? "data" : "all";
    const auto file = DurableFile("old", path);
    ASSERT_OK(file->WriteAt(0, "new contents"));
    ASSERT_OK(data_only ? file->SyncData() : file->Sync());
    env_.Crash();
    EXPECT_EQ(Get(path), "new contents");
  }
}

TEST_F(FaultEnvTest, OnlyWhatCameAfterTheSyncIsLost) {
  const auto file = DurableFile("");
  ASSERT_OK(file->WriteAt(0, "aaaa"));
  ASSERT_OK(file->Sync());
  ASSERT_OK(file->WriteAt(2, "bbbb"));
  env_.Crash();
  EXPECT_EQ(Get("f"), "aaaa");
}

TEST_F(FaultEnvTest, SyncCoversWritesThroughOtherFilesOfTheSameInode) {
  const auto a = DurableFile("____");
  const auto b = Open("f");
  ASSERT_OK(a->WriteAt(0, "a"));
  ASSERT_OK(b->WriteAt(1, "b"));
  ASSERT_OK(b->Sync());
  ASSERT_OK(b->WriteAt(2, "c"));
  env_.Crash();
  EXPECT_EQ(Get("f"), "ab__");
}

TEST_F(FaultEnvTest, CloseSyncsNothing) {
  const auto file = DurableFile("old");
  ASSERT_OK(file->WriteAt(0, "new"));
  ASSERT_OK(file->Close());
  env_.Crash();
  EXPECT_EQ(Get("f"), "old");
}

TEST_F(FaultEnvTest, ReopenedForAppendAndLostAgain) {
  DurableFile("one")->Close().IgnoreError();
  const auto file = Open("f", OpenMode::kCreate);
  ASSERT_OK(file->WriteAt(*file->Size(), " two"));
  ASSERT_OK(file->Sync());
  ASSERT_OK(file->WriteAt(*file->Size(), " three"));
  env_.Crash();
  EXPECT_EQ(Get("f"), "one two");
}

TEST_F(FaultEnvTest, UnsyncedCutComesBackAndSyncedOneDoesNot) {
  const auto file = DurableFile(std::string(10000, 'x'));
  ASSERT_OK(file->Truncate(5));
  env_.Crash();
  EXPECT_EQ(Get("f"), std::string(10000, 'x'));
  const auto again = Open("f");
  ASSERT_OK(again->Truncate(5));
  ASSERT_OK(again->Sync());
  env_.Crash();
  EXPECT_EQ(Get("f"), "xxxxx");
}

TEST_F(FaultEnvTest, CutAndRegrownFileIsSyncedAsItIs) {
  const auto file = DurableFile(std::string(20000, 'x'));
  ASSERT_OK(file->Truncate(5));
  ASSERT_OK(file->Truncate(20000));
  ASSERT_OK(file->WriteAt(10000, "y"));
  ASSERT_OK(file->Sync());
  env_.Crash();
  std::string expected(20000, '\0');
  expected.replace(0, 5, "xxxxx");
  expected[10000] = 'y';
  EXPECT_EQ(Get("f"), expected);
}

TEST_F(FaultEnvTest, OpeningWithTruncateIsACutLikeAnyOther) {
  DurableFile("old")->Close().IgnoreError();
  { const auto file = Open("f", OpenMode::kTruncate); }
  EXPECT_EQ(Get("f"), "");
  env_.Crash();
  EXPECT_EQ(Get("f"), "old");
}

TEST_F(FaultEnvTest, PreallocationIsLostUnlessSynced) {
  const auto file = DurableFile("abc");
  ASSERT_OK(file->Preallocate(10));
  env_.Crash();
  EXPECT_EQ(Get("f"), "abc");
  const auto again = Open("f");
  ASSERT_OK(again->Preallocate(10));
  ASSERT_OK(again->Sync());
  ASSERT_OK(again->WriteAt(3, "def"));
  env_.Crash();
  EXPECT_EQ(Get("f"), std::string("abc\0\0\0\0\0\0\0", 10));
}

TEST_F(FaultEnvTest, SecondCrashLosesNothingMore) {
  const auto file = DurableFile("abc");
  ASSERT_OK(file->WriteAt(0, "X"));
  env_.Crash();
  env_.Crash({.files = Unsynced::kSectorsKept, .names = Unsynced::kPrefixKept, .seed = 1});
  EXPECT_EQ(Get("f"), "abc");
}

// --- Names ---

TEST_F(FaultEnvTest, SyncedFileWithoutADurableNameIsLost) {
  const auto file = Open("f", OpenMode::kCreateNew);
  ASSERT_OK(file->WriteAt(0, "abc"));
  ASSERT_OK(file->Sync());
  env_.Crash();
  EXPECT_EQ(Get("f"), kLostText);
}

TEST_F(FaultEnvTest, DurableNameOfAnUnsyncedFileLeadsToAnEmptyOne) {
  const auto file = Open("f", OpenMode::kCreateNew);
  ASSERT_OK(file->WriteAt(0, "abc"));
  ASSERT_OK(env_.SyncDir("/"));
  env_.Crash();
  EXPECT_EQ(Get("f"), "");
}

TEST_F(FaultEnvTest, ContentsSyncedBeforeTheNameAreThereOnceTheNameIs) {
  const auto file = Open("f", OpenMode::kCreateNew);
  ASSERT_OK(file->WriteAt(0, "abc"));
  ASSERT_OK(file->Sync());
  ASSERT_OK(env_.SyncDir("/"));
  env_.Crash();
  EXPECT_EQ(Get("f"), "abc");
}

TEST_F(FaultEnvTest, EveryDirectoryOnThePathMustBeSynced) {
  ASSERT_OK(env_.CreateDirs("a/b"));
  ASSERT_OK(env_.WriteFile("a/b/f", "abc"));
  ASSERT_OK(env_.SyncDir("a/b"));
  ASSERT_OK(env_.SyncDir("a"));
  env_.Crash();
  EXPECT_THAT(Names(), IsEmpty());

  ASSERT_OK(env_.CreateDirs("a/b"));
  ASSERT_OK(env_.WriteFile("a/b/f", "abc"));
  ASSERT_OK(env_.SyncDir("a/b"));
  ASSERT_OK(env_.SyncDir("/"));
  env_.Crash();
  EXPECT_THAT(Names(), ElementsAre("a"));
  EXPECT_THAT(Names("a"), IsEmpty());

  ASSERT_OK(env_.CreateDirs("a/b"));
  ASSERT_OK(env_.WriteFile("a/b/f", "abc"));
  ASSERT_OK(env_.SyncDir("a/b"));
  ASSERT_OK(env_.SyncDir("a"));
  env_.Crash();
  EXPECT_EQ(Get("a/b/f"), "abc");
}

TEST_F(FaultEnvTest, UnsyncedRenameIsUndone) {
  DurableFile("abc")->Close().IgnoreError();
  ASSERT_OK(env_.Rename("f", "g"));
  env_.Crash();
  EXPECT_THAT(Names(), ElementsAre("f"));
  EXPECT_EQ(Get("f"), "abc");
}

TEST_F(FaultEnvTest, UnsyncedReplacementIsUndoneForBothFiles) {
  { const auto file = DurableFile("old", "target"); }
  { const auto file = DurableFile("new", "temporary"); }
  ASSERT_OK(env_.Rename("temporary", "target"));
  EXPECT_EQ(Get("target"), "new");
  env_.Crash();
  EXPECT_EQ(Get("target"), "old");
  EXPECT_EQ(Get("temporary"), "new");
}

TEST_F(FaultEnvTest, RenameSurvivesOnceItsDirectoryIsSynced) {
  { const auto file = DurableFile("old", "target"); }
  { const auto file = DurableFile("new", "temporary"); }
  ASSERT_OK(env_.Rename("temporary", "target"));
  ASSERT_OK(env_.SyncDir("/"));
  env_.Crash();
  EXPECT_THAT(Names(), ElementsAre("target"));
  EXPECT_EQ(Get("target"), "new");
}

TEST_F(FaultEnvTest, RenameSyncedButNotTheContentsGivesAnEmptyFile) {
  { const auto file = DurableFile("old", "target"); }
  const auto file = Open("temporary", OpenMode::kCreateNew);
  ASSERT_OK(file->WriteAt(0, "new"));
  ASSERT_OK(env_.Rename("temporary", "target"));
  ASSERT_OK(env_.SyncDir("/"));
  env_.Crash();
  EXPECT_EQ(Get("target"), "");
}

TEST_F(FaultEnvTest, RenameAcrossDirectoriesNeedsBothSynced) {
  const auto prepare = [&] {
    ASSERT_OK(env_.RemoveAll("from"));
    ASSERT_OK(env_.RemoveAll("to"));
    ASSERT_OK(env_.CreateDir("from"));
    ASSERT_OK(env_.CreateDir("to"));
    ASSERT_OK(env_.WriteFile("from/f", "abc"));
    env_.SyncEverything();
    ASSERT_OK(env_.Rename("from/f", "to/f"));
  };
  prepare();
  env_.Crash();
  EXPECT_EQ(Get("from/f"), "abc");
  EXPECT_EQ(Get("to/f"), kLostText);

  prepare();
  ASSERT_OK(env_.SyncDir("to"));
  env_.Crash();
  EXPECT_EQ(Get("from/f"), "abc");
  EXPECT_EQ(Get("to/f"), "abc");

  prepare();
  ASSERT_OK(env_.SyncDir("from"));
  env_.Crash();
  EXPECT_EQ(Get("from/f"), kLostText);
  EXPECT_EQ(Get("to/f"), kLostText);

  prepare();
  ASSERT_OK(env_.SyncDir("to"));
  ASSERT_OK(env_.SyncDir("from"));
  env_.Crash();
  EXPECT_EQ(Get("from/f"), kLostText);
  EXPECT_EQ(Get("to/f"), "abc");
}

TEST_F(FaultEnvTest, RenamedDirectoryFollowsTheSameRules) {
  ASSERT_OK(env_.CreateDir("wal.tmp"));
  ASSERT_OK(env_.WriteFile("wal.tmp/f", "abc"));
  ASSERT_OK(env_.SyncDir("wal.tmp"));
  ASSERT_OK(env_.SyncDir("/"));
  ASSERT_OK(env_.Rename("wal.tmp", "wal"));
  env_.Crash();
  EXPECT_THAT(Names(), ElementsAre("wal.tmp"));
  ASSERT_OK(env_.Rename("wal.tmp", "wal"));
  ASSERT_OK(env_.SyncDir("/"));
  env_.Crash();
  EXPECT_THAT(Names(), ElementsAre("wal"));
  EXPECT_EQ(Get("wal/f"), "abc");
}

TEST_F(FaultEnvTest, UnsyncedRemovalIsUndone) {
  const auto file = DurableFile("abc");
  ASSERT_OK(file->WriteAt(0, "XYZ"));
  ASSERT_OK(env_.RemoveFile("f"));
  env_.Crash();
  EXPECT_EQ(Get("f"), "abc");
}

TEST_F(FaultEnvTest, SyncedRemovalOfAnOpenFileStays) {
  const auto file = DurableFile("abc");
  ASSERT_OK(env_.RemoveFile("f"));
  ASSERT_OK(env_.SyncDir("/"));
  ASSERT_OK(file->Sync());
  env_.Crash();
  EXPECT_THAT(Names(), IsEmpty());
}

TEST_F(FaultEnvTest, NewFileUnderARemovedNameIsAnotherFile) {
  DurableFile("old")->Close().IgnoreError();
  ASSERT_OK(env_.RemoveFile("f"));
  ASSERT_OK(env_.WriteFile("f", "new"));
  env_.Crash();
  EXPECT_EQ(Get("f"), "old");
}

TEST_F(FaultEnvTest, RemovedDirectoryTreeComesBackUnlessEachLevelWasSynced) {
  ASSERT_OK(env_.CreateDir("d"));
  ASSERT_OK(env_.WriteFile("d/f", "abc"));
  env_.SyncEverything();
  ASSERT_OK(env_.RemoveAll("d"));
  env_.Crash();
  EXPECT_EQ(Get("d/f"), "abc");
  ASSERT_OK(env_.RemoveAll("d"));
  ASSERT_OK(env_.SyncDir("/"));
  env_.Crash();
  EXPECT_THAT(Names(), IsEmpty());
}

TEST_F(FaultEnvTest, HardLinksShareContentsAndLoseTheirNamesOneByOne) {
  ASSERT_OK(env_.CreateDir("d"));
  const auto file = DurableFile("abc");
  ASSERT_OK(env_.Link("f", "d/g"));
  ASSERT_OK(file->WriteAt(0, "X"));
  ASSERT_OK(Open("d/g")->Sync());
  env_.Crash();
  EXPECT_EQ(Get("f"), "Xbc");
  EXPECT_EQ(Get("d/g"), kLostText);
  ASSERT_OK(env_.Link("f", "d/g"));
  ASSERT_OK(env_.SyncDir("d"));
  ASSERT_OK(env_.RemoveFile("f"));
  ASSERT_OK(env_.SyncDir("/"));
  env_.Crash();
  EXPECT_EQ(Get("f"), kLostText);
  EXPECT_EQ(Get("d/g"), "Xbc");
}

// --- Torn writes ---

TEST_F(FaultEnvTest, PrefixKeptIsAlwaysAPrefixAndReachesEveryOne) {
  std::set<std::string> seen;
  for (uint64_t seed = 0; seed < 300; ++seed) {
    FaultEnv env;
    ASSERT_OK(env.WriteFile("f", "...."));
    env.SyncEverything();
    auto file = *env.Open("f", OpenMode::kReadWrite);
    ASSERT_OK(file->WriteAt(0, "ab"));
    ASSERT_OK(file->WriteAt(1, "cd"));
    ASSERT_OK(file->WriteAt(4, "ef"));
    env.Crash({.files = Unsynced::kPrefixKept, .seed = seed});
    seen.insert(*env.ReadFile("f"));
  }
  EXPECT_THAT(seen,
              UnorderedElementsAre("....", "a...", "ab..", "ac..", "acd.", "acd.e", "acd.ef"));
}

TEST_F(FaultEnvTest, PrefixKeptDoesNotGoPastACut) {
  for (uint64_t seed = 0; seed < 100; ++seed) {
    FaultEnv env;
    ASSERT_OK(env.WriteFile("f", "abcd"));
    env.SyncEverything();
    auto file = *env.Open("f", OpenMode::kReadWrite);
    ASSERT_OK(file->Truncate(2));
    ASSERT_OK(file->WriteAt(2, "XY"));
    env.Crash({.files = Unsynced::kPrefixKept, .seed = seed});
    EXPECT_THAT(*env.ReadFile("f"), ::testing::AnyOf("abcd", "ab", "abX", "abXY"));
  }
}

TEST_F(FaultEnvTest, SectorsKeptAreWholeAndIndependent) {
  constexpr size_t kSector = UnsyncedFile::kSectorBytes;
  const std::string old_bytes(4 * kSector, 'o');
  std::set<std::string> seen;
  for (uint64_t seed = 0; seed < 300; ++seed) {
    FaultEnv env;
    ASSERT_OK(env.WriteFile("f", old_bytes));
    env.SyncEverything();
    auto file = *env.Open("f", OpenMode::kReadWrite);
    // From the middle of sector 0 to the middle of sector 2.
    ASSERT_OK(file->WriteAt(kSector / 2, std::string(2 * kSector, 'n')));
    env.Crash({.files = Unsynced::kSectorsKept, .seed = seed});
    const std::string bytes = *env.ReadFile("f");
    ASSERT_EQ(bytes.size(), old_bytes.size());
    std::string summary;
    const std::pair<size_t, size_t> parts[] = {{0, kSector / 2},
                                               {kSector / 2, kSector / 2},
                                               {kSector, kSector},
                                               {2 * kSector, kSector / 2},
                                               {2 * kSector + kSector / 2, 3 * kSector / 2}};
    for (const auto& [begin, length] : parts) {
      const std::string part = bytes.substr(begin, length);
      ASSERT_EQ(part, std::string(length, part[0])) << "a sector is torn";
      summary += part[0];
    }
    seen.insert(summary);
  }
  EXPECT_THAT(seen, UnorderedElementsAre("ooooo", "onooo", "oonoo", "ooono", "onnoo", "onono",
                                         "oonno", "onnno"));
}

TEST_F(FaultEnvTest, SectorKeptBeyondTheOldEndLeavesZerosBeforeIt) {
  std::set<std::string> seen;
  for (uint64_t seed = 0; seed < 100; ++seed) {
    FaultEnv env;
    auto file = *env.Open("f", OpenMode::kCreate);
    env.SyncEverything();
    ASSERT_OK(file->WriteAt(0, std::string(512, 'a') + std::string(512, 'b')));
    env.Crash({.files = Unsynced::kSectorsKept, .seed = seed});
    seen.insert(*env.ReadFile("f"));
  }
  EXPECT_THAT(seen, UnorderedElementsAre("", std::string(512, 'a'),
                                         std::string(512, '\0') + std::string(512, 'b'),
                                         std::string(512, 'a') + std::string(512, 'b')));
}

TEST_F(FaultEnvTest, TornBytesThatSurvivedOnceSurviveTheNextCrash) {
  for (uint64_t seed = 0; seed < 20; ++seed) {
    FaultEnv env;
    auto file = *env.Open("f", OpenMode::kCreate);
    env.SyncEverything();
    ASSERT_OK(file->WriteAt(0, "abcdefgh"));
    env.Crash({.files = Unsynced::kPrefixKept, .seed = seed});
    const std::string left = *env.ReadFile("f");
    env.Crash();
    EXPECT_EQ(*env.ReadFile("f"), left);
  }
}

TEST_F(FaultEnvTest, TearingNeverTouchesSyncedBytes) {
  for (const Unsynced files : {Unsynced::kPrefixKept, Unsynced::kSectorsKept}) {
    for (uint64_t seed = 0; seed < 50; ++seed) {
      FaultEnv env;
      ASSERT_OK(env.WriteFile("f", std::string(3000, 's')));
      env.SyncEverything();
      auto file = *env.Open("f", OpenMode::kReadWrite);
      ASSERT_OK(file->WriteAt(3000, std::string(3000, 'u')));
      env.Crash({.files = files, .seed = seed});
      EXPECT_EQ(env.ReadFile("f")->substr(0, 3000), std::string(3000, 's'));
    }
  }
}

TEST_F(FaultEnvTest, KeptNamesAreAPrefixAndRenamesAreWhole) {
  std::set<std::vector<std::string>> seen;
  for (uint64_t seed = 0; seed < 100; ++seed) {
    FaultEnv env;
    ASSERT_OK(env.WriteFile("a", "1"));
    env.SyncEverything();
    ASSERT_OK(env.Rename("a", "b"));
    ASSERT_OK(env.WriteFile("c", "2"));
    env.Crash({.names = Unsynced::kPrefixKept, .seed = seed});
    seen.insert(*env.List("/"));
  }
  EXPECT_THAT(seen,
              UnorderedElementsAre(ElementsAre("a"), ElementsAre("b"), ElementsAre("b", "c")));
}

TEST_F(FaultEnvTest, SameSeedTearsTheSame) {
  const auto run = [](uint64_t seed) {
    FaultEnv env;
    std::string all;
    for (int i = 0; i < 5; ++i) {
      const auto file = *env.Open(StrCat("f", i), OpenMode::kCreate);
      for (int k = 0; k < 10; ++k) EXPECT_OK(file->WriteAt(k * 400, std::string(600, 'a' + k)));
    }
    EXPECT_OK(env.SyncDir("/"));
    env.Crash({.files = Unsynced::kSectorsKept, .seed = seed});
    for (int i = 0; i < 5; ++i) all += *env.ReadFile(StrCat("f", i)) + "|";
    return all;
  };
  EXPECT_EQ(run(1), run(1));
  EXPECT_NE(run(1), run(2));
}

// --- What a crash does to the program ---

TEST_F(FaultEnvTest, FilesOpenedBeforeTheCrashAreDead) {
  const auto file = DurableFile("abc");
  env_.Crash();
  char byte;
  EXPECT_EQ(file->ReadAt(0, std::span<char>(&byte, 1)).status(), absl::InternalError("crashed"));
  EXPECT_EQ(file->WriteAt(0, "x"), absl::InternalError("crashed"));
  EXPECT_EQ(file->Truncate(0), absl::InternalError("crashed"));
  EXPECT_EQ(file->Preallocate(100), absl::InternalError("crashed"));
  EXPECT_EQ(file->Sync(), absl::InternalError("crashed"));
  EXPECT_EQ(file->SyncData(), absl::InternalError("crashed"));
  EXPECT_EQ(file->Size().status(), absl::InternalError("crashed"));
  EXPECT_EQ(file->TryLock(), absl::InternalError("crashed"));
  EXPECT_EQ(file->Unlock(), absl::InternalError("crashed"));
  EXPECT_OK(file->Close());
  EXPECT_EQ(Get("f"), "abc");
}

TEST_F(FaultEnvTest, LocksDieWithTheCrashAndDeadFilesDoNotTakeNewOnes) {
  auto old_file = DurableFile("");
  ASSERT_OK(old_file->TryLock());
  env_.Crash();
  const auto file = Open("f");
  ASSERT_OK(file->TryLock());
  old_file.reset();  // must not unlock what is no longer its own
  EXPECT_CODE(kFailedPrecondition, Open("f")->TryLock());
}

TEST_F(FaultEnvTest, LockOfAFileThatLostItsNameDiesToo) {
  const auto file = Open("f", OpenMode::kCreate);
  ASSERT_OK(file->TryLock());
  env_.Crash();
  EXPECT_OK(Open("f", OpenMode::kCreate)->TryLock());
}

TEST_F(FaultEnvTest, NothingWorksAndNothingChangesWhileThePowerIsOff) {
  const auto file = DurableFile("abc");
  env_.PowerOff();
  EXPECT_EQ(file->WriteAt(0, "x"), absl::InternalError("crashed"));
  EXPECT_EQ(file->Sync(), absl::InternalError("crashed"));
  EXPECT_EQ(env_.Open("g", OpenMode::kCreate).status(), absl::InternalError("crashed"));
  EXPECT_EQ(env_.RemoveFile("f"), absl::InternalError("crashed"));
  EXPECT_EQ(env_.Rename("f", "g"), absl::InternalError("crashed"));
  EXPECT_EQ(env_.Link("f", "g"), absl::InternalError("crashed"));
  EXPECT_EQ(env_.CreateDir("d"), absl::InternalError("crashed"));
  EXPECT_EQ(env_.RemoveDir("d"), absl::InternalError("crashed"));
  EXPECT_EQ(env_.SyncDir("/"), absl::InternalError("crashed"));
  EXPECT_EQ(env_.List("/").status(), absl::InternalError("crashed"));
  EXPECT_EQ(env_.Stat("f").status(), absl::InternalError("crashed"));
  env_.PowerOn();
  EXPECT_THAT(Names(), ElementsAre("f"));
  EXPECT_EQ(Get("f"), "abc");
}

TEST_F(FaultEnvTest, SyncDuringPowerOffDoesNotSaveWhatWasWritten) {
  const auto file = DurableFile("abc");
  ASSERT_OK(file->WriteAt(0, "x"));
  env_.PowerOff();
  EXPECT_FALSE(file->Sync().ok());
  env_.PowerOn({.files = Unsynced::kLost});
  EXPECT_EQ(Get("f"), "abc");
}

TEST_F(FaultEnvTest, KilledProcessLosesItsFilesButNoBytes) {
  const auto file = DurableFile("abc");
  ASSERT_OK(file->TryLock());
  ASSERT_OK(file->WriteAt(0, "X"));
  env_.KillProcess();
  EXPECT_EQ(file->WriteAt(0, "Y"), absl::InternalError("crashed"));
  EXPECT_EQ(Get("f"), "Xbc");
  EXPECT_OK(Open("f")->TryLock());
  env_.Crash();
  EXPECT_EQ(Get("f"), "abc");
}

// --- Faults ---

TEST_F(FaultEnvTest, NthCallOfAKindFailsOnceAndHasNoEffect) {
  const auto file = DurableFile("....");
  env_.FailNthCall(Op::kWrite, 2, kBoom);
  EXPECT_OK(file->WriteAt(0, "a"));
  EXPECT_OK(file->SyncData());
  EXPECT_EQ(file->WriteAt(1, "b"), kBoom);
  EXPECT_OK(file->WriteAt(2, "c"));
  EXPECT_EQ(Get("f"), "a.c.");
}

TEST_F(FaultEnvTest, AllCallsFromTheNthOnFailUntilCleared) {
  const auto file = DurableFile("....");
  env_.FailFromNthCall(Op::kWrite, 2, kBoom);
  EXPECT_OK(file->WriteAt(0, "a"));
  for (int i = 0; i < 5; ++i) EXPECT_EQ(file->WriteAt(1, "b"), kBoom);
  EXPECT_EQ(file->Truncate(0), kBoom);
  EXPECT_EQ(file->Preallocate(100), kBoom);
  env_.ClearFaults();
  EXPECT_OK(file->WriteAt(1, "b"));
  EXPECT_EQ(Get("f"), "ab..");
}

TEST_F(FaultEnvTest, EachKindHasItsCalls) {
  const auto file = DurableFile("abc");
  ASSERT_OK(env_.CreateDir("d"));
  const auto fail_next = [&](Op op) { env_.FailNthCall(op, 1, kBoom); };
  char byte;
  fail_next(Op::kOpen);
  EXPECT_EQ(env_.Open("f", OpenMode::kRead).status(), kBoom);
  fail_next(Op::kRead);
  EXPECT_EQ(file->ReadAt(0, std::span<char>(&byte, 1)).status(), kBoom);
  fail_next(Op::kSync);
  EXPECT_EQ(file->Sync(), kBoom);
  fail_next(Op::kSync);
  EXPECT_EQ(file->SyncData(), kBoom);
  fail_next(Op::kSyncDir);
  EXPECT_EQ(env_.SyncDir("/"), kBoom);
  fail_next(Op::kRename);
  EXPECT_EQ(env_.Rename("f", "g"), kBoom);
  fail_next(Op::kRename);
  EXPECT_EQ(env_.Link("f", "g"), kBoom);
  fail_next(Op::kRemove);
  EXPECT_EQ(env_.RemoveFile("f"), kBoom);
  fail_next(Op::kRemove);
  EXPECT_EQ(env_.RemoveDir("d"), kBoom);
  fail_next(Op::kCreateDir);
  EXPECT_EQ(env_.CreateDir("e"), kBoom);
  fail_next(Op::kInspect);
  EXPECT_EQ(file->Size().status(), kBoom);
  fail_next(Op::kInspect);
  EXPECT_EQ(env_.Stat("f").status(), kBoom);
  fail_next(Op::kInspect);
  EXPECT_EQ(env_.List("/").status(), kBoom);
  fail_next(Op::kInspect);
  EXPECT_EQ(file->TryLock(), kBoom);
  EXPECT_THAT(Names(), ElementsAre("d", "f"));
}

TEST_F(FaultEnvTest, AnyMeansWhateverChangesTheDisk) {
  const auto file = DurableFile("abc");
  env_.FailFromNthCall(Op::kAny, 3, kBoom);
  EXPECT_OK(file->Size());
  EXPECT_OK(env_.Stat("f"));
  EXPECT_OK(file->WriteAt(0, "x"));     // 1
  EXPECT_OK(env_.CreateDir("d"));       // 2
  EXPECT_EQ(file->Sync(), kBoom);       // 3
  EXPECT_EQ(env_.SyncDir("/"), kBoom);  // 4
  EXPECT_EQ(env_.Rename("f", "g"), kBoom);
  EXPECT_EQ(env_.Open("f", OpenMode::kRead).status(), kBoom);
  EXPECT_OK(env_.Stat("f"));
}

TEST_F(FaultEnvTest, FaultMayConcernSomePathsOnly) {
  const auto wal = DurableFile("", "0.wal");
  const auto snap = DurableFile("", "0.snap");
  env_.Inject({.op = Op::kWrite, .and_all_after = true, .path_part = ".snap", .status = kBoom});
  EXPECT_OK(wal->WriteAt(0, "x"));
  EXPECT_EQ(snap->WriteAt(0, "x"), kBoom);
  EXPECT_OK(wal->WriteAt(1, "x"));
}

TEST_F(FaultEnvTest, FailedWriteMayLeaveHalfOfItsBytes) {
  const auto file = DurableFile("........");
  env_.Inject({.op = Op::kWrite,
               .half_written = true,
               .status = absl::ResourceExhaustedError("No space left on device")});
  EXPECT_CODE(kResourceExhausted, file->WriteAt(2, "abcd"));
  EXPECT_EQ(Get("f"), "..ab....");
}

TEST_F(FaultEnvTest, FailedSyncLosesItsBytesEvenIfALaterOneSucceeds) {
  const auto file = DurableFile("....");
  ASSERT_OK(file->WriteAt(0, "a"));
  env_.FailNthCall(Op::kSync, 1, kBoom);
  EXPECT_EQ(file->Sync(), kBoom);
  EXPECT_EQ(Get("f"), "a...");
  EXPECT_OK(file->Sync());
  env_.Crash({.files = Unsynced::kPrefixKept, .seed = 3});
  EXPECT_EQ(Get("f"), "....");
}

TEST_F(FaultEnvTest, FailedDirectorySyncLosesItsNamesEvenIfALaterOneSucceeds) {
  ASSERT_OK(env_.WriteFile("f", "abc"));
  env_.FailNthCall(Op::kSyncDir, 1, kBoom);
  EXPECT_EQ(env_.SyncDir("/"), kBoom);
  EXPECT_OK(env_.SyncDir("/"));
  env_.Crash();
  EXPECT_THAT(Names(), IsEmpty());
}

TEST_F(FaultEnvTest, CrashForgetsFaults) {
  DurableFile("abc")->Close().IgnoreError();
  env_.FailFromNthCall(Op::kAny, 1, kBoom);
  env_.Crash();
  EXPECT_OK(Open("f")->WriteAt(0, "x"));
}

TEST_F(FaultEnvTest, LyingSyncsKeepNothing) {
  env_.SetSyncIsNoop(true);
  ASSERT_OK(env_.WriteFile("f", "abc"));
  EXPECT_OK(env_.SyncDir("/"));
  EXPECT_EQ(Get("f"), "abc");
  env_.Crash();
  EXPECT_THAT(Names(), IsEmpty());
  // The setting outlives the crash.
  ASSERT_OK(env_.WriteFile("f", "abc"));
  EXPECT_OK(env_.SyncDir("/"));
  env_.Crash();
  EXPECT_THAT(Names(), IsEmpty());
  env_.SetSyncIsNoop(false);
  ASSERT_OK(env_.WriteFile("f", "abc"));
  EXPECT_OK(env_.SyncDir("/"));
  env_.Crash();
  EXPECT_EQ(Get("f"), "abc");
}

// --- Observation ---

TEST_F(FaultEnvTest, CountsCalls) {
  const auto file = Open("f", OpenMode::kCreate);
  ASSERT_OK(file->WriteAt(0, "abc"));
  ASSERT_OK(file->WriteAt(3, "d"));
  ASSERT_OK(file->Sync());
  ASSERT_OK(env_.SyncDir("/"));
  ASSERT_OK(file->Size());
  env_.FailNthCall(Op::kSync, 1, kBoom);
  EXPECT_FALSE(file->SyncData().ok());
  EXPECT_EQ(env_.Calls(Op::kOpen), 1);
  EXPECT_EQ(env_.Calls(Op::kWrite), 2);
  EXPECT_EQ(env_.Calls(Op::kSync), 2);
  EXPECT_EQ(env_.Calls(Op::kSyncDir), 1);
  EXPECT_EQ(env_.Calls(Op::kInspect), 1);
  EXPECT_EQ(env_.Calls(Op::kAny), 6);
}

TEST_F(FaultEnvTest, DurableContentsAreWhatACrashWouldLeave) {
  const auto file = DurableFile("abc");
  ASSERT_OK(file->WriteAt(0, "X"));
  EXPECT_EQ(*env_.DurableContents("f"), "abc");
  ASSERT_OK(file->Sync());
  EXPECT_EQ(*env_.DurableContents("f"), "Xbc");
  ASSERT_OK(env_.WriteFile("g", "x"));
  EXPECT_CODE(kNotFound, env_.DurableContents("g"));
  ASSERT_OK(env_.RemoveFile("f"));
  EXPECT_EQ(*env_.DurableContents("f"), "Xbc");
}

TEST_F(FaultEnvTest, TimesComeFromTheClock) {
  const WallTime start = clock_.WallNow();
  const auto file = DurableFile("abc");
  EXPECT_EQ(env_.Stat("f")->modified, start);
  clock_.Advance(std::chrono::seconds(5));
  char byte;
  ASSERT_OK(file->ReadAt(0, std::span<char>(&byte, 1)));
  EXPECT_EQ(env_.Stat("f")->modified, start);
  ASSERT_OK(file->WriteAt(0, "x"));
  EXPECT_EQ(env_.Stat("f")->modified, start + std::chrono::seconds(5));
  env_.Crash();
  EXPECT_EQ(env_.Stat("f")->modified, start);
}

TEST_F(FaultEnvTest, PreallocatedSegmentCostsWhatIsInIt) {
  const auto file = Open("f", OpenMode::kCreate);
  ASSERT_OK(file->Preallocate(64 << 20));
  ASSERT_OK(file->Sync());
  for (int i = 0; i < 100; ++i) {
    ASSERT_OK(file->WriteAt(i * 100, std::string(100, 'x')));
    ASSERT_OK(file->SyncData());
  }
  EXPECT_EQ(*file->Size(), 64u << 20);
  EXPECT_LT(env_.AllocatedBytes(), 100u << 10);
}

TEST_F(FaultEnvTest, PathsAreNormalised) {
  ASSERT_OK(env_.CreateDirs("/a/b"));
  ASSERT_OK(env_.WriteFile("a/b/../b/./f", "abc"));
  EXPECT_EQ(Get("//a//b/f"), "abc");
  EXPECT_TRUE(env_.Stat("/")->is_directory);
  EXPECT_TRUE(env_.Stat(".")->is_directory);
  EXPECT_CODE(kAlreadyExists, env_.CreateDir("/"));
}

// --- Threads, and everything at once ---

TEST_F(FaultEnvTest, ThreadsMayUseItWhileThePowerGoes) {
  std::vector<std::thread> threads;
  for (int t = 0; t < 3; ++t) {
    threads.emplace_back([this, t] {
      for (int i = 0;; ++i) {
        const std::string path = StrCat("f", t, "-", i % 5);
        const auto file = env_.Open(path, OpenMode::kCreate);
        if (!file.ok()) return;
        if (!(*file)->WriteAt(0, path).ok() || !(*file)->Sync().ok()) return;
        if (!env_.SyncDir("/").ok() || !env_.RemoveFile(path).ok()) return;
      }
    });
  }
  while (env_.Calls(Op::kRemove) < 100) std::this_thread::yield();
  env_.PowerOff();
  for (std::thread& thread : threads) thread.join();
  env_.PowerOn();
  for (const std::string& name : Names()) EXPECT_THAT(Get(name), ::testing::AnyOf(name, ""));
}

// Random operations on few files against a model that keeps two plain strings a file.
TEST_F(FaultEnvTest, AgreesWithANaiveModelOfCurrentAndDurableContents) {
  struct Model {
    std::string current;
    std::string durable;
  };
  const auto random = NewSeededRandom(11);
  std::map<std::string, Model> model;
  std::map<std::string, std::unique_ptr<File>> files;
  for (const char* name : {"a", "b", "c"}) {
    files[name] = Open(name, OpenMode::kCreate);
    model[name] = {};
  }
  env_.SyncEverything();
  for (int step = 0; step < 4000; ++step) {
    const std::string name(1, static_cast<char>('a' + random->Uniform(3)));
    Model& m = model[name];
    File* const file = files[name].get();
    const uint64_t what = random->Uniform(100);
    if (what < 70) {
      const uint64_t offset = random->Uniform(m.current.size() + 2000);
      const std::string bytes(1 + random->Uniform(5000), static_cast<char>('A' + step % 26));
      if (m.current.size() < offset + bytes.size()) m.current.resize(offset + bytes.size());
      m.current.replace(offset, bytes.size(), bytes);
      ASSERT_OK(file->WriteAt(offset, bytes));
    } else if (what < 80) {
      m.current.resize(random->Uniform(30000));
      ASSERT_OK(file->Truncate(m.current.size()));
    } else if (what < 97) {
      m.durable = m.current;
      ASSERT_OK(file->Sync());
    } else {
      env_.Crash();
      for (auto& [other, contents] : model) {
        contents.current = contents.durable;
        files[other] = Open(other);
      }
    }
    ASSERT_EQ(Get(name), m.current) << "step " << step;
    ASSERT_EQ(*env_.DurableContents(name), m.durable) << "step " << step;
  }
}

}  // namespace
}  // namespace kvorum
