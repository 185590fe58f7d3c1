#include "wal/snap/snapshotter.h"

#include <absl/strings/escaping.h>

#include "base/crc32c.h"
#include "proto/snap.pb.h"
#include "tests/wal/wal_fixture.h"

namespace kvorum::wal::snap {
namespace {

using ::testing::ElementsAre;
using ::testing::EndsWith;
using ::testing::IsEmpty;

raftpb::Snapshot Snapshot(uint64_t index, uint64_t term, std::string data = "members") {
  raftpb::Snapshot snapshot;
  snapshot.set_data(std::move(data));
  snapshot.mutable_metadata()->set_index(index);
  snapshot.mutable_metadata()->set_term(term);
  snapshot.mutable_metadata()->mutable_conf_state()->add_voters(0x1db8d0a63835fc76);
  snapshot.mutable_metadata()->mutable_conf_state()->set_auto_leave(false);
  return snapshot;
}

class SnapshotterTest : public WalTest {
 protected:
  SnapshotterTest() {
    EXPECT_OK(env_.CreateDirs(dir_));
    EXPECT_OK(env_.SyncDir(root_));
  }
  uint64_t LoadedIndex() {
    const auto snapshot = snapshotter_.Load();
    return snapshot.ok() ? snapshot->metadata().index() : 0;
  }
  Snapshotter snapshotter_{env_, dir_};
};

TEST_F(SnapshotterTest, FileIsNamedByTermThenIndex) {
  ASSERT_OK(snapshotter_.SaveSnap(Snapshot(0x15, 2)));
  EXPECT_THAT(FileNames(), ElementsAre("0000000000000002-0000000000000015.snap"));
}

TEST_F(SnapshotterTest, BytesAreEtcds) {
  const std::string bytes = EncodeSnapFile(Snapshot(21, 2, "D"));
  snappb::snapshot file;
  ASSERT_TRUE(file.ParseFromString(bytes));
  EXPECT_EQ(absl::BytesToHexString(file.data()),
            "0a0144"                                      // data
            "12120a0c08f6f8d7c1e394b4dc1d280010151802");  // metadata
  EXPECT_EQ(file.crc(), Crc32c(0, file.data()));
  EXPECT_EQ(bytes[0], 0x08);
}

TEST_F(SnapshotterTest, NewestIsLoadedByTermThenIndex) {
  for (const auto& [index, term] : {std::pair{30, 1}, {10, 2}, {20, 2}}) {
    ASSERT_OK(snapshotter_.SaveSnap(Snapshot(index, term)));
  }
  const auto loaded = snapshotter_.Load();
  ASSERT_OK(loaded.status());
  EXPECT_EQ(loaded->SerializeAsString(), Snapshot(20, 2).SerializeAsString());
}

TEST_F(SnapshotterTest, NewestWithARecordIsLoaded) {
  for (uint64_t index = 10; index <= 40; index += 10) {
    ASSERT_OK(snapshotter_.SaveSnap(Snapshot(index, 1)));
  }
  const std::vector<WalSnapshot> records = {At(10, 1), At(30, 1), At(40, 2)};
  EXPECT_EQ(snapshotter_.LoadNewestAvailable(records)->metadata().index(), 30u);
  EXPECT_TRUE(absl::IsNotFound(snapshotter_.LoadNewestAvailable({}).status()));
}

TEST_F(SnapshotterTest, EmptySnapshotIsNotWritten) {
  ASSERT_OK(snapshotter_.SaveSnap(raftpb::Snapshot()));
  EXPECT_THAT(FileNames(), IsEmpty());
  EXPECT_EQ(snapshotter_.Load().status(), absl::NotFoundError("snap: no available snapshot"));
}

TEST_F(SnapshotterTest, BrokenFilesAreSetAsideAndTheNextOneIsTaken) {
  ASSERT_OK(snapshotter_.SaveSnap(Snapshot(1, 1)));
  const std::string good = Bytes(SnapName(Term(1), Index(1)));
  std::string flipped = good;
  flipped.back() ^= 1;
  const std::vector<std::string> broken = {"", "\x08", good.substr(0, 5), flipped};
  for (size_t i = 0; i < broken.size(); ++i) SetBytes(SnapName(Term(2), Index(i + 1)), broken[i]);
  EXPECT_EQ(LoadedIndex(), 1u);
  const auto names = FileNames();
  ASSERT_EQ(names.size(), 5u);
  for (size_t i = 1; i < names.size(); ++i) EXPECT_THAT(names[i], EndsWith(".snap.broken"));
}

TEST_F(SnapshotterTest, EveryFlippedByteIsNoticed) {
  const std::string good = EncodeSnapFile(Snapshot(7, 3));
  for (size_t i = 0; i < good.size(); ++i) {
    for (const int mask : {0x01, 0x80, 0xff}) {
      std::string bytes = good;
      bytes[i] = static_cast<char>(bytes[i] ^ mask);
      const auto decoded = DecodeSnapFile(bytes);
      if (!decoded.ok()) continue;
      ADD_FAILURE() << "byte " << i << " mask " << mask;
    }
  }
  for (size_t n = 0; n < good.size(); ++n) {
    EXPECT_FALSE(DecodeSnapFile(std::string_view(good).substr(0, n)).ok()) << n;
  }
}

TEST_F(SnapshotterTest, ErrorTextsAreEtcds) {
  EXPECT_EQ(DecodeSnapFile("").status().message(), "snap: empty snapshot");
  snappb::snapshot file;
  file.set_crc(1);
  EXPECT_EQ(DecodeSnapFile(file.SerializeAsString()).status().message(), "snap: empty snapshot");
  file.set_data("x");
  EXPECT_EQ(DecodeSnapFile(file.SerializeAsString()).status().message(), "snap: crc mismatch");
}

TEST_F(SnapshotterTest, ListingSweepsDefragmentationFiles) {
  SetBytes("db.tmp.123", "x");
  SetBytes("db", "x");
  ASSERT_OK(snapshotter_.SaveSnap(Snapshot(1, 1)));
  EXPECT_EQ(LoadedIndex(), 1u);
  EXPECT_THAT(FileNames(), ElementsAre(SnapName(Term(1), Index(1)), "db"));
}

TEST_F(SnapshotterTest, OldDatabasesAreReleased) {
  for (const char* name : {"0000000000000009.snap.db", "000000000000000a.snap.db", "zz.snap.db"}) {
    SetBytes(name, "x");
  }
  ASSERT_OK(snapshotter_.ReleaseSnapDbs(Index(10)));
  EXPECT_THAT(FileNames(), ElementsAre("000000000000000a.snap.db", "zz.snap.db"));
}

// Either the old file or the new one is there, whole, whatever fails and whatever a crash then
// loses.
TEST_F(SnapshotterTest, FailureAtAnyCallLeavesTheOldOrTheNewFile) {
  for (int64_t n = 1;; ++n) {
    FaultEnv env;
    ASSERT_OK(env.CreateDirs(dir_));
    env.SyncEverything();
    Snapshotter snapshotter(env, dir_);
    ASSERT_OK(snapshotter.SaveSnap(Snapshot(5, 1, "old")));
    const int64_t before = env.Calls(FaultEnv::Op::kAny);
    env.FailNthCall(FaultEnv::Op::kAny, n, absl::InternalError("injected"));
    const Status saved = snapshotter.SaveSnap(Snapshot(5, 1, "new"));
    const bool reached = env.Calls(FaultEnv::Op::kAny) - before >= n;
    env.Crash({.files = Unsynced::kSectorsKept,
               .names = Unsynced::kSectorsKept,
               .seed = static_cast<uint64_t>(n)});
    const auto loaded = snapshotter.Load();
    ASSERT_OK(loaded.status());
    EXPECT_TRUE(loaded->data() == "new" || (!saved.ok() && loaded->data() == "old")) << n;
    if (!reached) break;
    EXPECT_FALSE(saved.ok());
  }
}

}  // namespace
}  // namespace kvorum::wal::snap
