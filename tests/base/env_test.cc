// What env.h promises, checked on both implementations: the machine's file system and the fault
// double, so that code tested on the double meets no surprise on the real one.

#include "base/env.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <thread>

#include "base/strings.h"
#include "tests/testing/expect_ok.h"
#include "tests/testing/fault_env.h"
#include "tests/testing/temp_dir.h"

namespace kvorum {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

// An Env and a directory in it to work in.
class Disk {
 public:
  virtual ~Disk() = default;
  virtual Env& env() = 0;
  virtual std::string dir() const = 0;
};

class RealDisk : public Disk {
 public:
  Env& env() override { return PosixEnv(); }
  std::string dir() const override { return dir_.path(); }

 private:
  TempDir dir_;
};

class FaultDisk : public Disk {
 public:
  FaultDisk() { CHECK_OK(env_.CreateDirs(dir())); }
  Env& env() override { return env_; }
  std::string dir() const override { return "/tmp/work"; }

 private:
  FaultEnv env_;
};

class EnvTest : public ::testing::TestWithParam<std::string> {
 protected:
  EnvTest() {
    if (GetParam() == "posix") {
      disk_ = std::make_unique<RealDisk>();
    } else {
      disk_ = std::make_unique<FaultDisk>();
    }
  }

  Env& env() { return disk_->env(); }
  std::string Path(std::string_view name) const { return JoinPath(disk_->dir(), name); }
  std::unique_ptr<File> MustOpen(std::string_view name, OpenMode mode) {
    auto file = env().Open(Path(name), mode);
    CHECK_OK(file.status());
    return std::move(*file);
  }
  void Put(std::string_view name, std::string_view bytes) {
    ASSERT_OK(env().WriteFile(Path(name), bytes));
  }
  std::string Get(std::string_view name) {
    const auto bytes = env().ReadFile(Path(name));
    return bytes.ok() ? *bytes : bytes.status().ToString();
  }
  std::string ReadAt(File* file, uint64_t offset, size_t size) {
    std::string out(size, '?');
    const auto n = file->ReadAt(offset, std::span<char>(out.data(), out.size()));
    if (!n.ok()) return n.status().ToString();
    out.resize(*n);
    return out;
  }
  std::vector<std::string> Names(std::string_view dir = "") {
    const auto names = env().List(Path(dir));
    EXPECT_OK(names);
    return *names;
  }

  std::unique_ptr<Disk> disk_;
};

INSTANTIATE_TEST_SUITE_P(Both, EnvTest, ::testing::Values("posix", "fault"),
                         [](const auto& info) { return info.param; });

TEST_P(EnvTest, OpenModes) {
  EXPECT_CODE(kNotFound, env().Open(Path("f"), OpenMode::kRead));
  EXPECT_CODE(kNotFound, env().Open(Path("f"), OpenMode::kReadWrite));
  EXPECT_OK(env().Open(Path("f"), OpenMode::kCreate));
  EXPECT_CODE(kAlreadyExists, env().Open(Path("f"), OpenMode::kCreateNew));
  Put("f", "abc");
  EXPECT_OK(env().Open(Path("f"), OpenMode::kCreate));
  EXPECT_EQ(Get("f"), "abc");
  EXPECT_OK(env().Open(Path("f"), OpenMode::kReadWrite));
  EXPECT_EQ(Get("f"), "abc");
  EXPECT_OK(env().Open(Path("f"), OpenMode::kTruncate));
  EXPECT_EQ(Get("f"), "");
  EXPECT_OK(env().Open(Path("g"), OpenMode::kTruncate));
  EXPECT_OK(env().Open(Path("h"), OpenMode::kCreateNew));
  EXPECT_CODE(kInternal, env().Open(Path(""), OpenMode::kReadWrite));
  EXPECT_CODE(kNotFound, env().Open(Path("no/f"), OpenMode::kCreate));
  EXPECT_CODE(kInternal, env().Open(Path("f/x"), OpenMode::kCreate));
}

TEST_P(EnvTest, ErrorsNameThePathAndTheReason) {
  const Status status = env().Open(Path("missing"), OpenMode::kRead).status();
  EXPECT_EQ(ToStd(status.message()), "open " + Path("missing") + ": No such file or directory");
  EXPECT_EQ(ToStd(env().CreateDir(Path("")).message()), "mkdir " + Path("") + ": File exists");
}

TEST_P(EnvTest, WritesAnywhereAndReadsUpToTheEnd) {
  const auto file = MustOpen("f", OpenMode::kCreate);
  ASSERT_OK(file->WriteAt(0, "hello world"));
  ASSERT_OK(file->WriteAt(6, "there"));
  ASSERT_OK(file->WriteAt(15, "!"));
  EXPECT_EQ(ReadAt(file.get(), 0, 100), std::string("hello there\0\0\0\0!", 16));
  EXPECT_EQ(ReadAt(file.get(), 6, 5), "there");
  EXPECT_EQ(ReadAt(file.get(), 16, 5), "");
  EXPECT_EQ(ReadAt(file.get(), 1000, 5), "");
  EXPECT_EQ(ReadAt(file.get(), 0, 0), "");
  EXPECT_EQ(*file->Size(), 16u);
  ASSERT_OK(file->WriteAt(100, ""));
  EXPECT_EQ(*file->Size(), 16u);
}

TEST_P(EnvTest, WritesPiecesOneAfterTheOther) {
  const auto file = MustOpen("f", OpenMode::kCreate);
  const std::vector<std::string_view> pieces = {"ab", "", "cde", "f", ""};
  ASSERT_OK(file->WriteAt(1, pieces));
  EXPECT_EQ(ReadAt(file.get(), 0, 10), std::string("\0abcdef", 7));
  ASSERT_OK(file->WriteAt(1, std::vector<std::string_view>()));
  EXPECT_EQ(*file->Size(), 7u);
}

TEST_P(EnvTest, WritesMorePiecesThanOneCallTakes) {
  std::vector<std::string> owned;
  std::string expected;
  for (int i = 0; i < 3000; ++i) owned.push_back(StrCat(i, ","));
  for (const std::string& piece : owned) expected += piece;
  const std::vector<std::string_view> pieces(owned.begin(), owned.end());
  ASSERT_OK(MustOpen("f", OpenMode::kCreate)->WriteAt(0, pieces));
  EXPECT_EQ(Get("f"), expected);
}

TEST_P(EnvTest, TruncateCutsAndExtendsWithZeros) {
  const auto file = MustOpen("f", OpenMode::kCreate);
  ASSERT_OK(file->WriteAt(0, "abcdef"));
  ASSERT_OK(file->Truncate(2));
  EXPECT_EQ(ReadAt(file.get(), 0, 10), "ab");
  ASSERT_OK(file->Truncate(4));
  EXPECT_EQ(ReadAt(file.get(), 0, 10), std::string("ab\0\0", 4));
}

TEST_P(EnvTest, PreallocateExtendsAndNeverShortens) {
  const auto file = MustOpen("f", OpenMode::kCreate);
  ASSERT_OK(file->WriteAt(0, "abc"));
  ASSERT_OK(file->Preallocate(5));
  EXPECT_EQ(ReadAt(file.get(), 0, 10), std::string("abc\0\0", 5));
  ASSERT_OK(file->Preallocate(2));
  ASSERT_OK(file->Preallocate(0));
  EXPECT_EQ(*file->Size(), 5u);
}

TEST_P(EnvTest, ReadOnlyFileRefusesWrites) {
  Put("f", "abc");
  const auto file = MustOpen("f", OpenMode::kRead);
  EXPECT_CODE(kInternal, file->WriteAt(0, "x"));
  EXPECT_EQ(Get("f"), "abc");
}

TEST_P(EnvTest, ClosedFileRefusesEverything) {
  const auto file = MustOpen("f", OpenMode::kCreate);
  EXPECT_OK(file->Close());
  EXPECT_CODE(kInternal, file->WriteAt(0, "x"));
  EXPECT_CODE(kInternal, file->Size());
  EXPECT_CODE(kInternal, file->Sync());
  EXPECT_CODE(kInternal, file->Close());
}

TEST_P(EnvTest, SyncsReturnOk) {
  const auto file = MustOpen("f", OpenMode::kCreate);
  ASSERT_OK(file->WriteAt(0, "abc"));
  EXPECT_OK(file->SyncData());
  EXPECT_OK(file->Sync());
  EXPECT_OK(env().SyncDir(Path("")));
  EXPECT_CODE(kNotFound, env().SyncDir(Path("no")));
  EXPECT_CODE(kInternal, env().SyncDir(Path("f")));
}

TEST_P(EnvTest, LockExcludesOtherFilesUntilUnlockedOrClosed) {
  const auto first = MustOpen("f", OpenMode::kCreate);
  const auto second = MustOpen("f", OpenMode::kCreate);
  ASSERT_OK(first->TryLock());
  EXPECT_OK(first->TryLock());  // its own lock is no obstacle
  EXPECT_EQ(second->TryLock(), absl::FailedPreconditionError("fileutil: file already locked"));
  ASSERT_OK(first->Unlock());
  ASSERT_OK(second->TryLock());
  EXPECT_CODE(kFailedPrecondition, first->TryLock());
  ASSERT_OK(second->Close());
  ASSERT_OK(first->TryLock());
  {
    const auto third = MustOpen("f", OpenMode::kCreate);
    EXPECT_CODE(kFailedPrecondition, third->TryLock());
  }
  EXPECT_CODE(kFailedPrecondition, MustOpen("f", OpenMode::kCreate)->TryLock());
}

TEST_P(EnvTest, LockFollowsTheFileThroughARename) {
  const auto first = MustOpen("f.tmp", OpenMode::kCreate);
  ASSERT_OK(first->TryLock());
  ASSERT_OK(env().Rename(Path("f.tmp"), Path("f")));
  EXPECT_CODE(kFailedPrecondition, MustOpen("f", OpenMode::kReadWrite)->TryLock());
}

TEST_P(EnvTest, LockNeedsAWritableFile) {
  Put("f", "");
  EXPECT_CODE(kInternal, MustOpen("f", OpenMode::kRead)->TryLock());
}

TEST_P(EnvTest, ListIsSortedBytewise) {
  for (const char* name : {"b", "B", "a.tmp", "a", "0000000000000001-0000000000000000.wal"}) {
    Put(name, "");
  }
  ASSERT_OK(env().CreateDir(Path("sub")));
  EXPECT_THAT(Names(),
              ElementsAre("0000000000000001-0000000000000000.wal", "B", "a", "a.tmp", "b", "sub"));
  EXPECT_THAT(Names("sub"), IsEmpty());
  EXPECT_CODE(kNotFound, env().List(Path("no")));
  EXPECT_CODE(kInternal, env().List(Path("a")));
}

TEST_P(EnvTest, StatTellsSizeKindAndTime) {
  Put("f", "abc");
  ASSERT_OK_AND_ASSIGN(const FileInfo file, env().Stat(Path("f")));
  EXPECT_EQ(file.size, 3u);
  EXPECT_FALSE(file.is_directory);
  EXPECT_LT(std::chrono::abs(file.modified - SystemClock().WallNow()), std::chrono::minutes(1));
  ASSERT_OK_AND_ASSIGN(const FileInfo dir, env().Stat(Path("")));
  EXPECT_TRUE(dir.is_directory);
  EXPECT_CODE(kNotFound, env().Stat(Path("no")));
}

TEST_P(EnvTest, StatSeesAnOpenFileGrow) {
  const auto file = MustOpen("f", OpenMode::kCreate);
  ASSERT_OK(file->WriteAt(0, "abc"));
  EXPECT_EQ(env().Stat(Path("f"))->size, 3u);
  ASSERT_OK(file->WriteAt(3, "d"));
  EXPECT_EQ(env().Stat(Path("f"))->size, 4u);
}

TEST_P(EnvTest, CreateDirNeedsItsParentAndAFreeName) {
  EXPECT_CODE(kNotFound, env().CreateDir(Path("a/b")));
  ASSERT_OK(env().CreateDir(Path("a")));
  ASSERT_OK(env().CreateDir(Path("a/b")));
  EXPECT_CODE(kAlreadyExists, env().CreateDir(Path("a/b")));
}

TEST_P(EnvTest, RenameReplacesAFile) {
  Put("from", "new");
  Put("to", "old");
  ASSERT_OK(env().Rename(Path("from"), Path("to")));
  EXPECT_EQ(Get("to"), "new");
  EXPECT_FALSE(env().Exists(Path("from")));
  EXPECT_CODE(kNotFound, env().Rename(Path("from"), Path("to")));
}

TEST_P(EnvTest, RenameMovesADirectoryWithWhatIsInIt) {
  ASSERT_OK(env().CreateDirs(Path("wal.tmp/sub")));
  Put("wal.tmp/f", "abc");
  ASSERT_OK(env().Rename(Path("wal.tmp"), Path("wal")));
  EXPECT_EQ(Get("wal/f"), "abc");
  EXPECT_THAT(Names("wal"), ElementsAre("f", "sub"));
  EXPECT_FALSE(env().Exists(Path("wal.tmp")));
}

TEST_P(EnvTest, RenameRefusesWhatPosixRefuses) {
  ASSERT_OK(env().CreateDirs(Path("full/sub")));
  ASSERT_OK(env().CreateDir(Path("dir")));
  Put("f", "");
  EXPECT_FALSE(env().Rename(Path("dir"), Path("full")).ok());
  EXPECT_CODE(kInternal, env().Rename(Path("full"), Path("full/sub/x")));
  EXPECT_CODE(kInternal, env().Rename(Path("f"), Path("dir")));
  EXPECT_CODE(kInternal, env().Rename(Path("dir"), Path("f")));
  EXPECT_CODE(kNotFound, env().Rename(Path("f"), Path("no/f")));
  EXPECT_OK(env().Rename(Path("f"), Path("f")));
  EXPECT_TRUE(env().Exists(Path("f")));
}

TEST_P(EnvTest, LinkGivesAFileASecondName) {
  Put("a", "abc");
  ASSERT_OK(env().Link(Path("a"), Path("b")));
  ASSERT_OK(MustOpen("b", OpenMode::kReadWrite)->WriteAt(0, "X"));
  EXPECT_EQ(Get("a"), "Xbc");
  ASSERT_OK(env().RemoveFile(Path("a")));
  EXPECT_EQ(Get("b"), "Xbc");
  EXPECT_CODE(kAlreadyExists, env().Link(Path("b"), Path("b")));
  EXPECT_CODE(kNotFound, env().Link(Path("a"), Path("c")));
  EXPECT_CODE(kInternal, env().Link(Path(""), Path("c")));
  // Renaming one name of a file onto another does nothing.
  ASSERT_OK(env().Link(Path("b"), Path("c")));
  ASSERT_OK(env().Rename(Path("b"), Path("c")));
  EXPECT_TRUE(env().Exists(Path("b")));
}

TEST_P(EnvTest, RemovedFileStaysUsableWhileOpen) {
  const auto file = MustOpen("f", OpenMode::kCreate);
  ASSERT_OK(file->WriteAt(0, "abc"));
  ASSERT_OK(env().RemoveFile(Path("f")));
  EXPECT_FALSE(env().Exists(Path("f")));
  ASSERT_OK(file->WriteAt(3, "d"));
  EXPECT_OK(file->Sync());
  EXPECT_EQ(ReadAt(file.get(), 0, 10), "abcd");
  Put("f", "another");
  EXPECT_EQ(ReadAt(file.get(), 0, 10), "abcd");
}

TEST_P(EnvTest, RemoveKeepsFilesAndDirectoriesApart) {
  Put("f", "");
  ASSERT_OK(env().CreateDirs(Path("full/sub")));
  EXPECT_CODE(kInternal, env().RemoveDir(Path("f")));
  EXPECT_CODE(kInternal, env().RemoveFile(Path("full")));
  EXPECT_FALSE(env().RemoveDir(Path("full")).ok());
  EXPECT_OK(env().RemoveDir(Path("full/sub")));
  EXPECT_OK(env().RemoveDir(Path("full")));
  EXPECT_CODE(kNotFound, env().RemoveDir(Path("full")));
  EXPECT_OK(env().RemoveFile(Path("f")));
  EXPECT_CODE(kNotFound, env().RemoveFile(Path("f")));
}

TEST_P(EnvTest, CreateDirsMakesParentsAndAcceptsWhatIsThere) {
  ASSERT_OK(env().CreateDirs(Path("a/b/c")));
  EXPECT_TRUE(env().Stat(Path("a/b/c"))->is_directory);
  EXPECT_OK(env().CreateDirs(Path("a/b/c")));
  EXPECT_OK(env().CreateDirs(Path("a/b//c/")));
  Put("f", "");
  EXPECT_CODE(kAlreadyExists, env().CreateDirs(Path("f")));
  EXPECT_FALSE(env().CreateDirs(Path("f/x")).ok());
}

TEST_P(EnvTest, RemoveAllTakesTreesFilesAndNothing) {
  ASSERT_OK(env().CreateDirs(Path("a/b/c")));
  Put("a/f", "");
  Put("a/b/g", "");
  EXPECT_OK(env().RemoveAll(Path("a")));
  EXPECT_FALSE(env().Exists(Path("a")));
  EXPECT_OK(env().RemoveAll(Path("a")));
  Put("f", "");
  EXPECT_OK(env().RemoveAll(Path("f")));
  EXPECT_THAT(Names(), IsEmpty());
}

TEST_P(EnvTest, ReadFileAndWriteFileTakeWholeContents) {
  const std::string large(100000, 'x');
  Put("f", large);
  EXPECT_EQ(Get("f"), large);
  Put("f", std::string("\0short", 6));
  EXPECT_EQ(Get("f"), std::string("\0short", 6));
  EXPECT_CODE(kNotFound, env().ReadFile(Path("no")));
  EXPECT_CODE(kNotFound, env().WriteFile(Path("no/f"), ""));
}

TEST_P(EnvTest, SeveralThreadsReadOneFile) {
  Put("f", std::string(10000, 'a') + std::string(10000, 'b'));
  const auto file = MustOpen("f", OpenMode::kRead);
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([&] {
      for (int i = 0; i < 200; ++i) EXPECT_EQ(ReadAt(file.get(), 9998, 4), "aabb");
    });
  }
  for (std::thread& thread : threads) thread.join();
}

TEST(JoinPathTest, PutsExactlyOneSeparator) {
  EXPECT_EQ(JoinPath("a", "b"), "a/b");
  EXPECT_EQ(JoinPath("a/", "b"), "a/b");
  EXPECT_EQ(JoinPath("a//", "/b"), "a/b");
  EXPECT_EQ(JoinPath("/", "b"), "/b");
}

}  // namespace
}  // namespace kvorum
