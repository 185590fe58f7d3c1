#include "wal/snap/snap_db.h"

#include "tests/wal/wal_fixture.h"

namespace kvorum::wal::snap {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

class SnapDbTest : public WalTest {
 protected:
  SnapDbTest() {
    EXPECT_OK(env_.CreateDirs(dir_));
    env_.SyncEverything();
  }
  std::unique_ptr<SnapDbReceiver> Receive(uint64_t index) {
    return SnapDbReceiver::Create(env_, dir_, Index(index)).value();
  }
};

TEST_F(SnapDbTest, ReceivedDatabaseIsFoundAndDurable) {
  auto receiver = Receive(0x1f);
  ASSERT_OK(receiver->Append("first "));
  ASSERT_OK(receiver->Append("second"));
  EXPECT_EQ(receiver->bytes(), 12u);
  EXPECT_EQ(FindSnapDb(env_, dir_, Index(0x1f)).status(),
            absl::NotFoundError("snap: snapshot file doesn't exist"));
  ASSERT_OK(receiver->Commit());
  receiver.reset();
  env_.Crash();
  EXPECT_THAT(FileNames(), ElementsAre("000000000000001f.snap.db"));
  EXPECT_EQ(*env_.ReadFile(*FindSnapDb(env_, dir_, Index(0x1f))), "first second");
}

TEST_F(SnapDbTest, AbandonedTransferLeavesNothing) {
  ASSERT_OK(Receive(1)->Append("half"));
  EXPECT_THAT(FileNames(), IsEmpty());
}

TEST_F(SnapDbTest, FirstOfTwoTransfersStays) {
  auto first = Receive(1), second = Receive(1);
  ASSERT_OK(first->Append("first"));
  ASSERT_OK(second->Append("second"));
  ASSERT_OK(first->Commit());
  ASSERT_OK(second->Commit());
  second.reset();
  EXPECT_THAT(FileNames(), ElementsAre("0000000000000001.snap.db"));
  EXPECT_EQ(Bytes("0000000000000001.snap.db"), "first");
}

TEST_F(SnapDbTest, BootSweepsWhatACrashLeft) {
  auto receiver = Receive(1);
  ASSERT_OK(receiver->Append("half"));
  env_.KillProcess();
  SetBytes("0000000000000001.snap.db", "x");
  ASSERT_OK(RemovePartialFiles(env_, dir_));
  EXPECT_THAT(FileNames(), ElementsAre("0000000000000001.snap.db"));
}

TEST_F(SnapDbTest, FailedSyncPublishesNothing) {
  auto receiver = Receive(1);
  ASSERT_OK(receiver->Append("data"));
  env_.FailNthCall(FaultEnv::Op::kSync, 1, absl::InternalError("bad disk"));
  EXPECT_FALSE(receiver->Commit().ok());
  receiver.reset();
  EXPECT_THAT(FileNames(), IsEmpty());
}

TEST_F(SnapDbTest, PurgeTellsTheTwoKindsApart) {
  for (const char* name : {"1.snap", "2.snap", "1.snap.db", "2.snap.db"}) SetBytes(name, "x");
  EXPECT_THAT(*PurgeSnapFiles(env_, dir_, "snap.db", 1), ElementsAre("1.snap.db"));
  EXPECT_THAT(*PurgeSnapFiles(env_, dir_, "snap", 1), ElementsAre("1.snap"));
}

}  // namespace
}  // namespace kvorum::wal::snap
