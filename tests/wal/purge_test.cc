#include "wal/purge.h"

#include "tests/wal/wal_fixture.h"

namespace kvorum::wal {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

class PurgeTest : public WalTest {
 protected:
  PurgeTest() {
    for (const char* name : {"1.snap", "2.snap", "3.snap", "0.snap.db", "0.snap.broken", "db"}) {
      SetBytes(name, "x");
    }
  }
};

TEST_F(PurgeTest, DeletesTheOldestOfASuffix) {
  EXPECT_THAT(*PurgeFiles(env_, dir_, "snap", 2, PurgeGuard::kNone), ElementsAre("1.snap"));
  EXPECT_THAT(FileNames(), ElementsAre("0.snap.broken", "0.snap.db", "2.snap", "3.snap", "db"));
}

TEST_F(PurgeTest, ZeroKeepsEverything) {
  EXPECT_THAT(*PurgeFiles(env_, dir_, "snap", 0, PurgeGuard::kNone), IsEmpty());
}

TEST_F(PurgeTest, StopsAtTheFirstLockedFile) {
  const auto holder = env_.Open(PathOf("2.snap"), OpenMode::kReadWrite).value();
  ASSERT_OK(holder->TryLock());
  EXPECT_THAT(*PurgeFiles(env_, dir_, ".snap", 1, PurgeGuard::kStopAtLockedFile),
              ElementsAre("1.snap"));
  EXPECT_TRUE(env_.Exists(PathOf("2.snap")));
}

TEST_F(PurgeTest, FailureToDeleteIsReported) {
  env_.FailNthCall(FaultEnv::Op::kRemove, 1, absl::InternalError("read-only"));
  EXPECT_FALSE(PurgeFiles(env_, dir_, "snap", 1, PurgeGuard::kNone).ok());
}

}  // namespace
}  // namespace kvorum::wal
