// What only the machine's file system has: modes, blocks, links of the kernel, its errors.

#include <gtest/gtest.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "base/env.h"
#include "base/strings.h"
#include "tests/testing/expect_ok.h"
#include "tests/testing/temp_dir.h"

namespace kvorum {
namespace {

struct stat StatOf(const std::string& path) {
  struct stat info = {};
  EXPECT_EQ(stat(path.c_str(), &info), 0) << path;
  return info;
}

TEST(PosixEnvTest, FilesAndDirectoriesAreTheOwnersAloneUnlessSaidOtherwise) {
  const TempDir dir;
  Env& env = PosixEnv();
  ASSERT_OK(env.WriteFile(dir / "f", ""));
  ASSERT_OK(env.WriteFile(dir / "readable", "", 0640));
  ASSERT_OK(env.CreateDirs(dir / "a/b"));
  const mode_t mask = umask(0);
  umask(mask);
  EXPECT_EQ(StatOf(dir / "f").st_mode & 0777, 0600u);
  EXPECT_EQ(StatOf(dir / "readable").st_mode & 0777, 0640u & ~mask);
  EXPECT_EQ(StatOf(dir / "a").st_mode & 0777, 0700u);
  EXPECT_EQ(StatOf(dir / "a/b").st_mode & 0777, 0700u);
}

TEST(PosixEnvTest, PreallocateReservesBlocks) {
  const TempDir dir;
  ASSERT_OK_AND_ASSIGN(const auto file, PosixEnv().Open(dir / "f", OpenMode::kCreate));
  ASSERT_OK(file->Preallocate(1 << 20));
  const struct stat info = StatOf(dir / "f");
  EXPECT_EQ(info.st_size, 1 << 20);
  // 512-byte blocks. A file system that cannot reserve falls back to a hole, which is fine too.
  if (info.st_blocks != 0) {
    EXPECT_GE(info.st_blocks, (1 << 20) / 512);
  }
}

TEST(PosixEnvTest, FullDiskIsResourceExhausted) {
  if (access("/dev/full", W_OK) != 0) GTEST_SKIP() << "no /dev/full here";
  ASSERT_OK_AND_ASSIGN(const auto file, PosixEnv().Open("/dev/full", OpenMode::kReadWrite));
  const std::vector<std::string_view> pieces = {"x", "y"};
  EXPECT_EQ(file->WriteAt(0, "x"),
            absl::ResourceExhaustedError("write /dev/full: No space left on device"));
  EXPECT_CODE(kResourceExhausted, file->WriteAt(0, pieces));
}

TEST(PosixEnvTest, StatFollowsSymbolicLinks) {
  const TempDir dir;
  ASSERT_OK(PosixEnv().WriteFile(dir / "f", "abc"));
  ASSERT_EQ(symlink("f", (dir / "link").c_str()), 0);
  EXPECT_EQ(PosixEnv().Stat(dir / "link")->size, 3u);
}

TEST(PosixEnvTest, DescriptorsDoNotLeakIntoChildren) {
  const TempDir dir;
  ASSERT_OK_AND_ASSIGN(const auto file, PosixEnv().Open(dir / "f", OpenMode::kCreate));
  // The child sees in /proc what it inherited.
  const std::string command = StrCat("ls -l /proc/self/fd | grep -q ", dir / "f");
  EXPECT_NE(std::system(command.c_str()), 0);
}

TEST(TempDirTest, GoesAwayWithEverythingInIt) {
  std::string path;
  {
    const TempDir dir;
    path = dir.path();
    ASSERT_OK(PosixEnv().CreateDirs(dir / "a/b"));
    ASSERT_OK(PosixEnv().WriteFile(dir / "a/b/f", "x"));
  }
  EXPECT_FALSE(PosixEnv().Exists(path));
}

}  // namespace
}  // namespace kvorum
