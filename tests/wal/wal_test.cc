#include "wal/wal.h"

#include "tests/testing/manual_clock.h"
#include "tests/wal/wal_fixture.h"

namespace kvorum::wal {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::MatchesRegex;
using ::testing::SizeIs;

// --- create ---

TEST_F(WalTest, NewLogHasMetadataAndNothingElse) {
  ASSERT_OK(Create()->Close());
  EXPECT_THAT(FileNames(), ElementsAre(kFirstSegment));
  const Replay replay = Read();
  EXPECT_EQ(replay.metadata, kMetadata);
  EXPECT_TRUE(replay.hard_state.empty());
  EXPECT_THAT(replay.entries, IsEmpty());
  EXPECT_TRUE(replay.snapshot_found);
}

TEST_F(WalTest, NewSegmentIsPreallocatedAndZero) {
  auto wal = Create(Small(4096));
  const std::string bytes = Bytes(kFirstSegment);
  EXPECT_EQ(bytes.size(), 4096u);
  EXPECT_EQ(bytes.find_first_not_of('\0', wal->tail_bytes()), std::string::npos);
}

TEST_F(WalTest, CreateRefusesAnExistingLog) {
  ASSERT_OK(Create()->Close());
  EXPECT_TRUE(absl::IsAlreadyExists(Wal::Create(env_, dir_, kMetadata).status()));
}

TEST_F(WalTest, CreateReplacesLeftoversOfAnInterruptedOne) {
  ASSERT_OK(env_.CreateDirs(dir_ + ".tmp"));
  ASSERT_OK(env_.WriteFile(dir_ + ".tmp/" + kFirstSegment, "half a log"));
  ASSERT_OK(env_.CreateDirs(dir_));
  ASSERT_OK(Create()->Close());
  EXPECT_FALSE(env_.Exists(dir_ + ".tmp"));
  EXPECT_EQ(Read().metadata, kMetadata);
}

TEST_F(WalTest, TrailingSlashOfTheDirectoryDoesNoHarm) {
  dir_ += "/";
  ASSERT_OK(Create()->Close());
  EXPECT_EQ(Read().metadata, kMetadata);
  EXPECT_TRUE(env_.Exists(root_ + "/wal/" + kFirstSegment));
}

TEST_F(WalTest, ExistsMeansSomethingEndsInDotWal) {
  EXPECT_FALSE(Exists(env_, dir_));
  ASSERT_OK(env_.CreateDirs(dir_));
  SetBytes("0.tmp", "");
  EXPECT_FALSE(Exists(env_, dir_));
  ASSERT_OK(env_.RemoveAll(dir_));
  ASSERT_OK(Create()->Close());
  EXPECT_TRUE(Exists(env_, dir_));
}

// --- append and read back ---

TEST_F(WalTest, EntriesAndStateComeBack) {
  auto wal = Create();
  std::vector<LogEntry> entries = Entries(1, 1, 3);
  entries[1].type = EntryType::kConfChange;
  entries[2].data = {};
  ASSERT_OK(wal->Save(State(1, 7, 2), entries));
  ASSERT_OK(wal->Close());
  const Replay replay = Read();
  EXPECT_EQ(replay.entries, entries);
  EXPECT_EQ(replay.hard_state, State(1, 7, 2));
}

TEST_F(WalTest, LargestNumbersSurvive) {
  constexpr uint64_t kMax = ~uint64_t{0};
  auto wal = Create();
  ASSERT_OK(wal->SaveSnapshot(At(kMax - 1, kMax)));
  ASSERT_OK(wal->Save(State(kMax, kMax, kMax), std::vector{Entry(kMax, kMax, "x")}));
  ASSERT_OK(wal->Close());
  const Replay replay = Read(At(kMax - 1, kMax));
  EXPECT_EQ(replay.hard_state, State(kMax, kMax, kMax));
  EXPECT_EQ(replay.entries, std::vector{Entry(kMax, kMax, "x")});
}

TEST_F(WalTest, PayloadsOfEverySizeAroundTheCopyLimitComeBack) {
  auto wal = Create();
  std::vector<LogEntry> entries;
  for (uint64_t i = 1; i <= 40; ++i)
    entries.push_back(Entry(1, i, std::string(1003 + i, 'a' + i % 26)));
  entries.push_back(Entry(1, 41, std::string(300'000, 'z')));
  ASSERT_OK(wal->Save({}, entries));
  ASSERT_OK(wal->Close());
  EXPECT_EQ(Read().entries, entries);
}

TEST_F(WalTest, LaterEntriesReplaceUncommittedOnes) {
  auto wal = Create();
  ASSERT_OK(wal->Save(State(1, 1, 2), Entries(1, 1, 6)));
  ASSERT_OK(wal->Save(State(2, 2, 2), Entries(2, 4, 5)));
  EXPECT_EQ(wal->last_index(), Index(5));
  ASSERT_OK(wal->Save({}, Entries(3, 5, 5)));
  ASSERT_OK(wal->Close());
  EXPECT_THAT(Names(Read().entries), ElementsAre("1/1", "1/2", "1/3", "2/4", "3/5"));
}

// The entry behind the snapshot was overwritten by entries that the snapshot covers; etcd v3.7.1
// brings it back here.
TEST_F(WalTest, EntriesReplacedByOnesBelowTheSnapshotStayReplaced) {
  auto wal = Create();
  ASSERT_OK(wal->Save(State(3, 1, 0), Entries(3, 1, 5)));
  ASSERT_OK(wal->Save(State(4, 2, 4), Entries(4, 3, 4)));
  ASSERT_OK(wal->SaveSnapshot(At(4, 4)));
  ASSERT_OK(wal->Close());
  EXPECT_THAT(Read(At(4, 4)).entries, IsEmpty());
}

TEST_F(WalTest, NothingToSaveWritesNothing) {
  auto wal = Create();
  const uint64_t before = wal->tail_bytes();
  ASSERT_OK(wal->Save({}, {}));
  EXPECT_EQ(wal->tail_bytes(), before);
  EXPECT_FALSE(wal->must_sync());
}

TEST_F(WalTest, AppendingAfterReopenContinues) {
  ASSERT_OK(Create()->Close());
  for (uint64_t i = 1; i <= 20; ++i) {
    auto opened = Open();
    ASSERT_OK(opened.status());
    ASSERT_THAT(opened->replay.entries, SizeIs(i - 1));
    EXPECT_EQ(opened->wal->last_index(), Index(i - 1));
    ASSERT_OK(opened->wal->Save(State(1, 1, i), Entries(1, i, i)));
  }
  EXPECT_EQ(Read().entries, Entries(1, 1, 20));
}

TEST_F(WalTest, KilledProcessLosesNothingAppended) {
  auto wal = Create();
  ASSERT_OK(wal->Append(State(1, 1, 0), Entries(1, 1, 2)));
  wal.reset();  // no Sync, no Close
  EXPECT_EQ(Read().entries, Entries(1, 1, 2));
}

TEST_F(WalTest, GapInEntriesIsRefusedOnOpen) {
  // Written by hand: our own Append would not.
  auto wal = Create();
  ASSERT_OK(wal->Save({}, Entries(1, 1, 2)));
  ASSERT_OK(wal->SaveSnapshot(At(9, 1)));
  ASSERT_OK(wal->Save({}, Entries(1, 10, 10)));
  ASSERT_OK(wal->Close());
  const Status status = Open().status();
  EXPECT_TRUE(absl::IsDataLoss(status));
  EXPECT_FALSE(IsRepairable(status));
  EXPECT_EQ(status.message(),
            "wal: slice bounds out of range, snapshot[Index: 0, Term: 0], current entry[Index: 10, "
            "Term: 1], len(ents): 2");
  EXPECT_THAT(Names(Read(At(9, 1)).entries), ElementsAre("1/10"));
}

TEST_F(WalTest, AppendWithAGapIsABrokenInvariant) {
  auto wal = Create();
  EXPECT_DEATH(wal->Append({}, Entries(1, 2, 2)).IgnoreError(), "last_index_");
}

// --- what needs a sync ---

TEST_F(WalTest, CommitAloneNeedsNoSync) {
  auto wal = Create();
  ASSERT_OK(wal->Append(State(1, 1, 0), {}));
  EXPECT_TRUE(wal->must_sync());
  ASSERT_OK(wal->Sync());
  EXPECT_FALSE(wal->must_sync());
  ASSERT_OK(wal->Append(State(1, 1, 5), {}));
  EXPECT_FALSE(wal->must_sync());
  ASSERT_OK(wal->Append(State(1, 2, 5), {}));
  EXPECT_TRUE(wal->must_sync());
  ASSERT_OK(wal->Sync());
  ASSERT_OK(wal->Append({}, Entries(1, 1, 1)));
  EXPECT_TRUE(wal->must_sync());
}

TEST_F(WalTest, ManyAppendsShareOneSync) {
  int syncs = 0, writes = 0;
  Options options = Small();
  options.on_fsync = [&](Duration) { ++syncs; };
  options.on_write = [&](Duration, uint64_t bytes) { writes += bytes > 0; };
  auto wal = Create(options);
  syncs = writes = 0;
  for (uint64_t i = 1; i <= 10; ++i) ASSERT_OK(wal->Append(State(1, 1, i), Entries(1, i, i)));
  EXPECT_EQ(writes, 10);
  EXPECT_EQ(syncs, 0);
  ASSERT_OK(wal->Sync());
  ASSERT_OK(wal->Sync());
  EXPECT_EQ(syncs, 1);
}

TEST_F(WalTest, UnsafeNoFsyncNeverSyncsASegment) {
  int syncs = 0;
  Options options = Small(2048);
  options.unsafe_no_fsync = true;
  options.on_fsync = [&](Duration) { ++syncs; };
  auto wal = Create(options);
  for (uint64_t i = 1; i <= 100; ++i) ASSERT_OK(wal->Save(State(1, 1, i), Entries(1, i, i)));
  ASSERT_OK(wal->Close());
  EXPECT_EQ(syncs, 0);
  EXPECT_EQ(Read().entries, Entries(1, 1, 100));
}

// --- segments ---

TEST_F(WalTest, FullSegmentIsCutToItsLengthAndTheNextOneContinues) {
  auto wal = Create(Small(1000));
  uint64_t index = 0;
  while (wal->locked_segments().size() < 4) {
    ++index;
    ASSERT_OK(wal->Save(State(1, 1, index), Entries(1, index, index)));
  }
  ASSERT_OK(wal->Close());
  const auto names = FileNames();
  ASSERT_THAT(names, SizeIs(4));
  EXPECT_EQ(names[0], kFirstSegment);
  EXPECT_EQ(names[3], SegmentName(3, Index(index + 1)).ToString());
  for (size_t i = 0; i < 3; ++i) {
    const uint64_t size = Bytes(names[i]).size();
    EXPECT_GE(size, 1000u);
    EXPECT_LT(size, 1100u);
    EXPECT_EQ(size % 8, 0u);
  }
  EXPECT_EQ(Bytes(names[3]).size(), 1000u);
  const Replay replay = Read();
  EXPECT_EQ(replay.entries, Entries(1, 1, index));
  EXPECT_EQ(replay.hard_state, State(1, 1, index));
}

TEST_F(WalTest, LongPreallocatedSegmentIsCutToItsLengthToo) {
  ASSERT_OK(Create(Small(8192))->Close());
  auto opened = Open({}, Small(1000));
  ASSERT_OK(opened.status());
  ASSERT_OK(opened->wal->Save({}, std::vector{Entry(1, 1, std::string(1000, 'x'))}));
  EXPECT_THAT(opened->wal->locked_segments(), SizeIs(2));
  EXPECT_LT(Bytes(kFirstSegment).size(), 1200u);
}

// What a process killed between a rename and the sync of the directory leaves.
void RenameUnsynced(FaultEnv& env, const std::string& path) {
  ASSERT_OK(env.Rename(path, path + ".tmp"));
  env.SyncEverything();
  ASSERT_OK(env.Rename(path + ".tmp", path));
  env.KillProcess();
}

TEST_F(WalTest, SegmentWhoseNameWasNotSyncedIsMadeDurableByOpen) {
  auto wal = Create(Small(1000));
  ASSERT_OK(wal->Save({}, std::vector{Entry(1, 1, std::string(1000, 'x'))}));
  RenameUnsynced(env_, PathOf(wal->locked_segments().back()));
  auto opened = Open();
  ASSERT_OK(opened.status());
  ASSERT_THAT(opened->wal->locked_segments(), SizeIs(2));
  ASSERT_OK(opened->wal->Save({}, Entries(1, 2, 3)));
  env_.Crash();
  EXPECT_THAT(Names(Read().entries), ElementsAre("1/1", "1/2", "1/3"));
}

TEST_F(WalTest, LogWhoseNameWasNotSyncedIsMadeDurableByOpen) {
  auto wal = Create();
  RenameUnsynced(env_, dir_);
  auto opened = Open();
  ASSERT_OK(opened.status());
  ASSERT_OK(opened->wal->Save({}, Entries(1, 1, 1)));
  env_.Crash();
  EXPECT_EQ(Read().entries, Entries(1, 1, 1));
}

// Nobody may find a log of which it is unknown whether it will be there after the next crash.
TEST_F(WalTest, NewLogThatCannotBeMadeDurableIsSetAside) {
  env_.Inject({.op = FaultEnv::Op::kSyncDir, .nth = 2, .status = absl::InternalError("injected")});
  ManualClock clock;
  Options options = Small();
  options.clock = &clock;
  EXPECT_FALSE(Wal::Create(env_, dir_, kMetadata, options).ok());
  const auto names = env_.List(root_).value();
  ASSERT_THAT(names, SizeIs(1));
  EXPECT_THAT(names[0], MatchesRegex("wal\\.broken\\.[0-9]{8}\\.[0-9]{6}(\\.[0-9]{1,6})?"));
}

TEST_F(WalTest, StateReadAtOpenIsRepeatedInTheNextSegment) {
  {
    auto wal = Create(Small(1000));
    ASSERT_OK(wal->Save(State(3, 2, 1), Entries(3, 1, 1)));
    ASSERT_OK(wal->SaveSnapshot(At(1, 3)));
  }
  auto opened = Open({}, Small(1000));
  ASSERT_OK(opened.status());
  uint64_t index = 1;
  while (opened->wal->locked_segments().size() < 3) {
    ++index;
    ASSERT_OK(opened->wal->Save({}, Entries(3, index, index)));
  }
  ASSERT_OK(opened->wal->ReleaseLockTo(Index(index)));
  ASSERT_THAT(PurgeSegments(env_, dir_, 1).value(), SizeIs(1));
  opened->wal.reset();
  // Only from the head of the second segment can it still be known.
  const auto names = FileNames();
  const WalSnapshot start = At(SegmentName::Parse(names[0])->first_index.value() - 1, 3);
  auto reopened = Open(start);
  ASSERT_FALSE(reopened.ok());  // the index before the oldest segment is out of reach
  reopened = Open(At(start.index.value() + 1, 3));
  ASSERT_OK(reopened.status());
  EXPECT_EQ(reopened->replay.hard_state, State(3, 2, 1));
}

TEST_F(WalTest, PreparedSegmentIsUsedByTheNextCutAndRemovedByClose) {
  auto wal = Create(Small(1000));
  ASSERT_OK(wal->PrepareNext());
  ASSERT_OK(wal->PrepareNext());
  EXPECT_THAT(FileNames(), ElementsAre("0.tmp", kFirstSegment));
  ASSERT_OK(wal->Save({}, std::vector{Entry(1, 1, std::string(1200, 'x'))}));
  EXPECT_THAT(FileNames(), ElementsAre(kFirstSegment, SegmentName(1, Index(2)).ToString()));
  ASSERT_OK(wal->PrepareNext());
  EXPECT_THAT(FileNames(), SizeIs(3));
  ASSERT_OK(wal->Close());
  EXPECT_THAT(FileNames(), SizeIs(2));
}

TEST_F(WalTest, OpenAtASnapshotStartsWithTheSegmentThatMayHoldIt) {
  auto wal = Create(Small(1000));
  for (uint64_t i = 1; i <= 100; ++i) ASSERT_OK(wal->Save(State(1, 1, i), Entries(1, i, i)));
  ASSERT_OK(wal->SaveSnapshot(At(60, 1)));
  const size_t segments = wal->locked_segments().size();
  ASSERT_OK(wal->Close());
  auto opened = Open(At(60, 1));
  ASSERT_OK(opened.status());
  EXPECT_TRUE(opened->replay.snapshot_found);
  EXPECT_EQ(opened->replay.entries, Entries(1, 61, 100));
  EXPECT_LT(opened->wal->locked_segments().size(), segments);
}

TEST_F(WalTest, OpenDoesNotInsistOnTheSnapshotRecordButReadLogDoes) {
  auto wal = Create();
  ASSERT_OK(wal->Save(State(1, 1, 5), Entries(1, 1, 9)));
  ASSERT_OK(wal->Close());
  auto opened = Open(At(5, 1));
  ASSERT_OK(opened.status());
  EXPECT_FALSE(opened->replay.snapshot_found);
  EXPECT_EQ(opened->replay.entries, Entries(1, 6, 9));
  EXPECT_EQ(ReadLog(env_, dir_, At(5, 1)).status().message(), "wal: snapshot not found");
  EXPECT_EQ(ReadLog(env_, dir_, {}).value().entries, Entries(1, 1, 9));
}

TEST_F(WalTest, SnapshotOfAnotherTermIsRefused) {
  auto wal = Create();
  ASSERT_OK(wal->Save(State(1, 1, 5), Entries(1, 1, 9)));
  ASSERT_OK(wal->SaveSnapshot(At(5, 1)));
  ASSERT_OK(wal->Close());
  EXPECT_EQ(Open(At(5, 2)).status(), absl::DataLossError("wal: snapshot mismatch"));
}

TEST_F(WalTest, SnapshotWithoutConfStateIsRefusedAndDoesNoHarm) {
  auto wal = Create();
  EXPECT_TRUE(absl::IsInvalidArgument(wal->SaveSnapshot({.index = Index(5), .term = Term(1)})));
  ASSERT_OK(wal->Save({}, Entries(1, 1, 1)));
}

TEST_F(WalTest, ReceivedSnapshotMovesTheLogForward) {
  auto wal = Create(Small(1000));
  ASSERT_OK(wal->Save(State(1, 1, 2), Entries(1, 1, 2)));
  ASSERT_OK(wal->SaveSnapshot(At(100, 4)));
  EXPECT_EQ(wal->last_index(), Index(100));
  ASSERT_OK(wal->Save(State(4, 0, 100), Entries(4, 101, 103)));
  ASSERT_OK(wal->Close());
  EXPECT_EQ(Read(At(100, 4)).entries, Entries(4, 101, 103));
}

// --- errors of the directory ---

TEST_F(WalTest, OpenWithoutALogIsNotFound) {
  EXPECT_TRUE(absl::IsNotFound(Open().status()));
  ASSERT_OK(env_.CreateDirs(dir_));
  const Status status = Open().status();
  EXPECT_TRUE(absl::IsNotFound(status));
  EXPECT_EQ(
      status.message(),
      "openAtIndex failed: [openAtIndex] selectWALFiles failed: readWALNames failed: wal: file "
      "not found");
}

TEST_F(WalTest, ForeignNamesAreIgnored) {
  auto wal = Create();
  ASSERT_OK(wal->Save({}, Entries(1, 1, 1)));
  ASSERT_OK(wal->Close());
  for (const char* name :
       {"readme.txt", "0.tmp", "junk.wal", "0000000000000007.wal",
        "zzzzzzzzzzzzzzzz-0000000000000000.wal", "0000000000000001-0000000000000002.wal.broken"}) {
    SetBytes(name, "not a log");
  }
  EXPECT_EQ(Read().entries, Entries(1, 1, 1));
}

TEST_F(WalTest, MissingSegmentIsRefused) {
  auto wal = Create(Small(600));
  for (uint64_t i = 1; i <= 100; ++i) ASSERT_OK(wal->Save(State(1, 1, i), Entries(1, i, i)));
  ASSERT_OK(wal->Close());
  const auto names = FileNames();
  ASSERT_GT(names.size(), 4u);
  ASSERT_OK(env_.RemoveFile(PathOf(names[2])));
  EXPECT_THAT(
      std::string(Open().status().message()),
      HasSubstr("wal: file sequence numbers (starting from 0) do not increase continuously"));
  ASSERT_OK(env_.RemoveFile(PathOf(names[0])));
  EXPECT_THAT(std::string(Open().status().message()),
              HasSubstr("wal: file not found which matches the snapshot index '0'"));
  const Index later = SegmentName::Parse(names[3])->first_index;
  EXPECT_OK(Open(At(later.value(), 1)).status());
}

TEST_F(WalTest, SegmentsOfDifferentLogsAreRefused) {
  auto wal = Create(Small(600));
  for (uint64_t i = 1; i <= 30; ++i) ASSERT_OK(wal->Save(State(1, 1, i), Entries(1, i, i)));
  ASSERT_OK(wal->Close());
  const auto names = FileNames();
  const std::string own = Bytes(names[1]);
  ASSERT_OK(env_.RemoveAll(dir_));
  wal = Create(Small(600));
  for (uint64_t i = 1; i <= 30; ++i) ASSERT_OK(wal->Save(State(2, 2, i), Entries(2, i, i)));
  ASSERT_OK(wal->Close());
  SetBytes(names[1], own);
  EXPECT_EQ(Open().status(), absl::DataLossError("walpb: crc mismatch"));
}

// --- locks, release, purge ---

TEST_F(WalTest, SecondOpenerIsRefusedButMayRead) {
  auto wal = Create();
  ASSERT_OK(wal->Save(State(1, 1, 1), Entries(1, 1, 1)));
  const Status status = Open().status();
  EXPECT_TRUE(absl::IsFailedPrecondition(status)) << status;
  EXPECT_THAT(std::string(status.message()), HasSubstr("fileutil: file already locked"));
  EXPECT_EQ(ReadLog(env_, dir_, {}).value().entries, Entries(1, 1, 1));
  EXPECT_THAT(ValidSnapshotEntries(env_, dir_).value(), SizeIs(1));
  wal.reset();
  EXPECT_OK(Open().status());
}

TEST_F(WalTest, ReleaseKeepsTheSegmentThatMayHoldTheIndex) {
  auto wal = Create(Small(600));
  for (uint64_t i = 1; wal->locked_segments().size() < 5; ++i) {
    ASSERT_OK(wal->Save(State(1, 1, i), Entries(1, i, i)));
  }
  const auto names = wal->locked_segments();
  const auto first_index = [&](size_t i) { return SegmentName::Parse(names[i])->first_index; };

  ASSERT_OK(wal->ReleaseLockTo(Index(0)));
  ASSERT_OK(wal->ReleaseLockTo(first_index(1)));
  EXPECT_THAT(wal->locked_segments(), SizeIs(5));
  // One further than where a segment starts: the entry is in that one, the older ones may go.
  ASSERT_OK(wal->ReleaseLockTo(first_index(1) + 1));
  EXPECT_EQ(wal->locked_segments().front(), names[1]);
  ASSERT_OK(wal->ReleaseLockTo(first_index(3)));
  EXPECT_EQ(wal->locked_segments().front(), names[2]);
  ASSERT_OK(wal->ReleaseLockTo(Index(1'000'000)));
  EXPECT_THAT(wal->locked_segments(), ElementsAre(names[4]));
}

TEST_F(WalTest, PurgeDeletesOnlyReleasedSegments) {
  auto wal = Create(Small(600));
  for (uint64_t i = 1; wal->locked_segments().size() < 8; ++i) {
    ASSERT_OK(wal->Save(State(1, 1, i), Entries(1, i, i)));
  }
  const auto names = wal->locked_segments();
  EXPECT_THAT(PurgeSegments(env_, dir_, 5).value(), IsEmpty());
  const Index third = SegmentName::Parse(names[2])->first_index;
  ASSERT_OK(wal->SaveSnapshot(At(third.value(), 1)));
  ASSERT_OK(wal->ReleaseLockTo(third + 1));
  EXPECT_THAT(PurgeSegments(env_, dir_, 0).value(), IsEmpty());
  EXPECT_THAT(PurgeSegments(env_, dir_, 7).value(), ElementsAre(names[0]));
  EXPECT_THAT(PurgeSegments(env_, dir_, 5).value(), ElementsAre(names[1]));
  EXPECT_THAT(PurgeSegments(env_, dir_, 5).value(), IsEmpty());
  wal.reset();
  EXPECT_OK(Open(At(third.value(), 1)).status());
  EXPECT_FALSE(Open().ok());
}

// --- snapshot records ---

TEST_F(WalTest, ValidSnapshotsAreThoseNotAboveTheLastCommit) {
  auto wal = Create(Small(600));
  for (uint64_t i = 1; i <= 40; ++i) {
    ASSERT_OK(wal->Save(State(1, 1, i), Entries(1, i, i)));
    if (i % 10 == 0) ASSERT_OK(wal->SaveSnapshot(At(i, 1)));
  }
  ASSERT_OK(wal->SaveSnapshot(At(90, 2)));  // a leader's, whose hard state never arrived
  wal.reset();
  const auto snapshots = ValidSnapshotEntries(env_, dir_).value();
  ASSERT_THAT(snapshots, SizeIs(5));
  EXPECT_EQ(snapshots[0].index, Index(0));
  EXPECT_FALSE(snapshots[0].conf_state.has_value());
  EXPECT_EQ(snapshots[4].index, Index(40));
  EXPECT_EQ(snapshots[4].term, Term(1));
  EXPECT_EQ(snapshots[4].conf_state->voters(0), 1u);
}

TEST_F(WalTest, ValidSnapshotsTolerateATornEnd) {
  auto wal = Create();
  ASSERT_OK(wal->Save(State(1, 1, 10), Entries(1, 1, 10)));
  ASSERT_OK(wal->SaveSnapshot(At(7, 1)));
  const uint64_t end = wal->tail_bytes();
  ASSERT_OK(wal->Save({}, Entries(1, 11, 11)));
  wal.reset();
  SetBytes(kFirstSegment, Bytes(kFirstSegment).substr(0, end + 12));
  EXPECT_TRUE(IsRepairable(Open().status()));
  EXPECT_THAT(ValidSnapshotEntries(env_, dir_).value(), SizeIs(2));
  EXPECT_EQ(ReadLog(env_, dir_, {}).value().entries, Entries(1, 1, 10));
}

}  // namespace
}  // namespace kvorum::wal
