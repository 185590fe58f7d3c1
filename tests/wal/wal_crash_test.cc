// The log's promise, under a disk that fails and forgets: whatever call fails and whatever the
// crash then loses, the next start finds a log that was really there at some moment not before the
// last sync that returned OK, and goes on from it.
//
// A seeded workload appends, overwrites, syncs, snapshots, releases and purges over small segments.
// A history remembers the log after every single record; what is read back must be one of those.

#include <algorithm>

#include "base/random.h"
#include "tests/wal/wal_fixture.h"

namespace kvorum::wal {
namespace {

// The log as a server sees it, from its first entry on.
struct Model {
  std::vector<LogEntry> entries;
  HardState state;

  Index last() const { return Index(entries.size()); }
  void Put(const LogEntry& entry) {
    entries.resize(entry.index.value() - 1);
    entries.push_back(entry);
  }
  // Whether this is what was read, when reading began at `start`.
  bool Matches(const Replay& replay, Index start) const {
    if (replay.hard_state != state || start > last()) return false;
    return std::equal(entries.begin() + static_cast<ptrdiff_t>(start.value()), entries.end(),
                      replay.entries.begin(), replay.entries.end());
  }
};

class Workload {
 public:
  Workload(FaultEnv& env, std::string dir, uint64_t seed)
      : env_(env), dir_(std::move(dir)), random_(NewSeededRandom(seed)) {
    history_.push_back({});
  }

  // Opens or creates the log and checks what it says. An error is only acceptable while faults are
  // armed: the caller asks.
  Status Start() {
    if (!Exists(env_, dir_)) {
      EXPECT_FALSE(created_) << "the whole log is gone";
      auto wal = Wal::Create(env_, dir_, kMetadata, options_);
      if (!wal.ok()) return wal.status();
      wal_ = *std::move(wal);
      created_ = true;
      return absl::OkStatus();
    }
    auto snapshots = ValidSnapshotEntries(env_, dir_);
    if (!snapshots.ok()) return snapshots.status();
    if (snapshots->empty()) return absl::DataLossError("no snapshot record is left");
    const WalSnapshot start = snapshots->back();
    EXPECT_GE(start.index, promised_snapshot_) << "a synced snapshot record is gone";
    auto opened = OpenRepairing(env_, dir_, start, options_);
    if (!opened.ok()) return opened.status();
    wal_ = std::move(opened->wal);
    created_ = true;
    EXPECT_EQ(opened->replay.metadata, kMetadata);
    Recognize(opened->replay, start.index);
    return absl::OkStatus();
  }

  // Some random calls; stops at the first that fails.
  Status Run(int steps) {
    for (int i = 0; i < steps; ++i) {
      RETURN_IF_ERROR(Step());
    }
    return absl::OkStatus();
  }

  void Drop() { wal_.reset(); }

 private:
  Status Step() {
    switch (random_->Uniform(16)) {
      case 0:
        return Snapshot();
      case 1:
        return wal_->PrepareNext();
      case 2:
        return Append(0, 0);  // perhaps the commit index alone
      case 3: {
        const uint64_t uncommitted = now_.last() - now_.state.commit;
        return Append(uncommitted, 1 + random_->Uniform(3));
      }
      case 4:
      case 5:
      case 6:
        return Synced();
      default:
        return Append(0, random_->Uniform(4));
    }
  }

  // `overwritten` of the last entries are replaced, in a new term, and `count` entries follow.
  Status Append(uint64_t overwritten, uint64_t count) {
    std::vector<LogEntry> entries;
    HardState state = now_.state;
    if (overwritten > 0 || state.term == Term(0)) state.term = state.term + 1;
    const uint64_t first = now_.last().value() - overwritten + 1;
    for (uint64_t i = 0; i < count; ++i) {
      entries.push_back(Entry(state.term.value(), first + i,
                              std::string(random_->Uniform(random_->Uniform(8) == 0 ? 1500 : 40),
                                          static_cast<char>('a' + first % 26))));
    }
    for (const LogEntry& entry : entries) {
      now_.Put(entry);
      history_.push_back(now_);
    }
    if (random_->Uniform(2) == 0) {
      const uint64_t uncommitted = now_.last() - state.commit;
      state.commit = state.commit + random_->Uniform(uncommitted + 1);
    }
    now_.state = state;
    history_.push_back(now_);
    const Status status = wal_->Append(state, entries);
    if (!status.ok()) {
      EXPECT_EQ(wal_->Append(State(99, 99, 99), {}), status) << "a failed log was used on";
      EXPECT_EQ(wal_->Sync(), status);
    }
    return status;
  }

  Status Synced() {
    RETURN_IF_ERROR(wal_->Sync());
    promised_ = history_.size() - 1;
    return absl::OkStatus();
  }

  Status Snapshot() {
    const Index index = now_.state.commit;
    if (index == Index(0)) return absl::OkStatus();
    const Term term = now_.entries[index.value() - 1].term;
    RETURN_IF_ERROR(wal_->SaveSnapshot(At(index.value(), term.value())));
    promised_ = history_.size() - 1;
    promised_snapshot_ = std::max(promised_snapshot_, index);
    RETURN_IF_ERROR(wal_->ReleaseLockTo(index));
    return PurgeSegments(env_, dir_, 2).status();
  }

  // Finds what was read in the history, and goes on from there.
  void Recognize(const Replay& replay, Index start) {
    for (size_t i = history_.size(); i-- > promised_;) {
      if (!history_[i].Matches(replay, start)) continue;
      now_ = history_[i];
      history_ = {now_};
      promised_ = 0;
      return;
    }
    ADD_FAILURE() << "what was read never was, or is older than the last sync; entries after "
                  << start.value() << ": " << ::testing::PrintToString(Names(replay.entries))
                  << ", commit " << replay.hard_state.commit << " where the last sync had "
                  << ::testing::PrintToString(Names(history_[promised_].entries)) << ", commit "
                  << history_[promised_].state.commit;
  }

  FaultEnv& env_;
  const std::string dir_;
  const std::unique_ptr<Random> random_;
  const Options options_{.segment_bytes = 2048};
  std::unique_ptr<Wal> wal_;
  bool created_ = false;

  Model now_;
  std::vector<Model> history_;
  size_t promised_ = 0;  // the position in the history that the last sync covered
  Index promised_snapshot_;
};

enum class End {
  kKill,
  kCrash,
  kCrashKeepingSectors,
  kAnyOfThem,  // a kill leaves behind unsynced what a later crash then loses
};

class WalCrashTest : public WalTest, public ::testing::WithParamInterface<End> {
 protected:
  // A sync that failed loses what it covered, but the kernel goes on showing it to the next
  // process, which cannot know (wal.h, "Left out"): not what is tested where that one's syncs
  // count.
  static FaultEnv::Op FaultyOp(Random& random) {
    using Op = FaultEnv::Op;
    if (GetParam() != End::kAnyOfThem) return Op::kAny;
    constexpr Op kOps[] = {Op::kOpen, Op::kWrite, Op::kRename, Op::kRemove};
    return kOps[random.Uniform(std::size(kOps))];
  }
  static void Stop(FaultEnv& env, End end, uint64_t seed) {
    if (end == End::kAnyOfThem) end = static_cast<End>(seed % 3);
    if (end == End::kKill) {
      env.ClearFaults();
      env.KillProcess();
    } else {
      const Unsynced kept = end == End::kCrash ? Unsynced::kLost : Unsynced::kSectorsKept;
      env.Crash({.files = kept, .names = kept, .seed = seed});
    }
  }
  static void Prepare(FaultEnv& env) {
    ASSERT_OK(env.CreateDirs("/member"));
    env.SyncEverything();
  }
};

TEST_P(WalCrashTest, EveryCallThatFailsIsSurvived) {
  for (uint64_t seed = 1; seed <= 4; ++seed) {
    bool reached = true;
    int64_t n = 1;
    for (; reached; ++n) {
      SCOPED_TRACE("seed " + std::to_string(seed) + ", call " + std::to_string(n));
      FaultEnv env;
      Prepare(env);
      Workload workload(env, dir_, seed);
      const auto random = NewSeededRandom(seed + n);
      const int64_t calls_before = env.Calls(FaultEnv::Op::kAny);
      env.FailNthCall(FaultyOp(*random), n, absl::InternalError("injected"));
      Status status = workload.Start();
      if (status.ok()) status = workload.Run(120);
      reached = env.Calls(FaultEnv::Op::kAny) - calls_before >= n;
      workload.Drop();
      Stop(env, GetParam(), seed + n);
      ASSERT_OK(workload.Start());
      ASSERT_OK(workload.Run(30));
      workload.Drop();
      Stop(env, GetParam(), seed + n + 1);
      ASSERT_OK(workload.Start());
      if (HasFailure()) return;
    }
    EXPECT_GT(n, 100) << "the workload hardly touched the disk";
  }
}

TEST_P(WalCrashTest, CrashesDuringRecoveryAreSurvived) {
  for (uint64_t seed = 1; seed <= 200; ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    const auto random = NewSeededRandom(seed * 1000);
    FaultEnv env;
    Prepare(env);
    Workload workload(env, dir_, seed);
    for (int round = 0; round < 12; ++round) {
      env.FailFromNthCall(FaultyOp(*random), 1 + static_cast<int64_t>(random->Uniform(40)),
                          absl::InternalError("injected"));
      Status status = workload.Start();
      if (status.ok()) status = workload.Run(40);
      workload.Drop();
      Stop(env, GetParam(), random->Next());
    }
    ASSERT_OK(workload.Start());
    ASSERT_OK(workload.Run(40));
    if (HasFailure()) return;
  }
}

INSTANTIATE_TEST_SUITE_P(Ends, WalCrashTest,
                         ::testing::Values(End::kKill, End::kCrash, End::kCrashKeepingSectors,
                                           End::kAnyOfThem),
                         [](const auto& info) -> std::string {
                           switch (info.param) {
                             case End::kKill:
                               return "Kill";
                             case End::kCrash:
                               return "Crash";
                             case End::kCrashKeepingSectors:
                               return "CrashKeepingSectors";
                             case End::kAnyOfThem:
                               return "AnyOfThem";
                           }
                           return "";
                         });

// The control run: were syncs not needed, the tests above would prove nothing.
TEST_F(WalTest, LostSyncsWouldBeNoticed) {
  FaultEnv env;
  ASSERT_OK(env.CreateDirs(root_));
  auto wal = Wal::Create(env, dir_, kMetadata, Small());
  ASSERT_OK(wal.status());
  env.SetSyncIsNoop(true);
  ASSERT_OK((*wal)->Save(State(1, 1, 1), Entries(1, 1, 1)));
  wal->reset();
  env.Crash();
  const auto replay = ReadLog(env, dir_, {});
  EXPECT_TRUE(!replay.ok() || replay->entries.empty());
}

}  // namespace
}  // namespace kvorum::wal
