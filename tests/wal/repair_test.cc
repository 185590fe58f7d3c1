// What becomes of a damaged log. testdata/verdicts.txt holds etcd's own answer for damage of
// several kinds at every offset of a log written by etcd (testdata/verdicts.go wrote both); ours
// must be the same, and a log that was accepted or repaired must take new entries.

#include <fstream>
#include <map>
#include <sstream>

#include "tests/wal/wal_fixture.h"

namespace kvorum::wal {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::SizeIs;

void Damage(const std::string& kind, size_t at, std::string* bytes) {
  char& byte = (*bytes)[at];
  if (kind == "cut") {
    bytes->resize(at);
  } else if (kind == "zero-byte") {
    byte = 0;
  } else if (kind == "invert-byte") {
    byte = static_cast<char>(byte ^ 0xff);
  } else if (kind == "flip-lowest-bit") {
    byte = static_cast<char>(byte ^ 1);
  } else if (kind == "flip-highest-bit") {
    byte = static_cast<char>(byte ^ 0x80);
  } else if (kind == "zero-from") {
    std::fill(bytes->begin() + at, bytes->end(), '\0');
  } else if (kind == "zero-sector") {
    std::fill(bytes->begin() + at, bytes->begin() + std::min(at + 512, bytes->size()), '\0');
  } else {
    FAIL() << kind;
  }
}

// One line of verdicts.txt.
struct Verdict {
  std::string log;
  std::string kind;
  size_t first = 0;
  size_t last = 0;
  std::string answer;
};

std::vector<Verdict> ReadVerdicts(const std::string& log) {
  std::ifstream file(WAL_TESTDATA "/verdicts.txt");
  std::vector<Verdict> verdicts;
  for (std::string line; std::getline(file, line);) {
    std::istringstream in(line);
    Verdict v;
    if (line.starts_with('#') || !(in >> v.log >> v.kind >> v.first >> v.last)) continue;
    std::getline(in >> std::ws, v.answer);
    if (v.log == log) verdicts.push_back(v);
  }
  EXPECT_FALSE(verdicts.empty());
  return verdicts;
}

class RepairTest : public WalTest {
 protected:
  void LoadLog(const std::string& log) {
    const std::vector<std::string> names = PosixEnv().List(WAL_TESTDATA).value();
    for (const std::string& name : names) {
      if (!name.ends_with(".wal") || !name.starts_with(log + ".")) continue;
      segments_[name.substr(log.size() + 1)] =
          PosixEnv().ReadFile(JoinPath(WAL_TESTDATA, name)).value();
    }
    ASSERT_FALSE(segments_.empty());
  }
  // The loaded log with one segment damaged.
  void Lay(const std::string& segment, const std::string& kind, size_t at) {
    ASSERT_OK(env_.RemoveAll(dir_));
    for (auto [name, bytes] : segments_) {
      if (name == segment) Damage(kind, at, &bytes);
      SetBytes(name, bytes);
    }
  }
  // Our verdict, in the words of verdicts.txt.
  std::string Judge() {
    auto opened = Open();
    std::string prefix = "ok: ";
    if (IsRepairable(opened.status())) {
      if (!Repair(env_, dir_).ok()) return "torn: not repaired";
      prefix = "torn: ";
      opened = Open();
      if (IsRepairable(opened.status())) return "torn: fatal after repair";
    }
    if (!opened.ok()) {
      // The one case where we refuse and etcd goes on as member 0.
      const bool headless = opened.status().message() == "wal: no metadata record";
      if (headless) return prefix + "0 entries, commit 0";
      return prefix == "ok: " ? "fatal" : "torn: fatal after repair";
    }
    const Replay& replay = opened->replay;
    return prefix + std::to_string(replay.entries.size()) + " entries, commit " +
           std::to_string(replay.hard_state.commit.value());
  }
  // A log that opens keeps what it had and takes more.
  void ExpectAppendWorks() {
    auto opened = Open();
    if (!opened.ok()) return;
    std::vector<LogEntry> expected = opened->replay.entries;
    const LogEntry next = Entry(3, expected.size() + 1, std::string(600, 'n'));
    expected.push_back(next);
    ASSERT_OK(opened->wal->Save(State(3, 1, 0), std::vector{next}));
    opened->wal.reset();
    EXPECT_EQ(Read().entries, expected);
  }
  void ExpectVerdicts(const std::string& log, size_t damaged) {
    LoadLog(log);
    const std::string segment = std::next(segments_.begin(), damaged)->first;
    for (const Verdict& v : ReadVerdicts(log)) {
      const size_t step = v.kind == "zero-sector" ? 512 : 1;
      for (size_t at = v.first; at <= v.last; at += step) {
        Lay(segment, v.kind, at);
        ASSERT_EQ(Judge(), v.answer) << log << " " << v.kind << " at " << at;
        if (at == v.first) ExpectAppendWorks();
      }
    }
  }

  std::map<std::string, std::string> segments_;
};

TEST_F(RepairTest, SingleSegmentIsJudgedAsByEtcd) { ExpectVerdicts("single", 0); }
TEST_F(RepairTest, EarlierSegmentIsJudgedAsByEtcd) { ExpectVerdicts("earlier", 0); }
TEST_F(RepairTest, LastOfTwoSegmentsIsJudgedAsByEtcd) { ExpectVerdicts("later", 1); }

TEST_F(RepairTest, DamagedBytesAreKeptInABrokenCopy) {
  LoadLog("single");
  Lay(kFirstSegment, "cut", 1000);
  const std::string torn = Bytes(kFirstSegment);
  env_.SyncEverything();
  ASSERT_OK(Repair(env_, dir_));
  env_.Crash();
  EXPECT_THAT(FileNames(), ElementsAre(kFirstSegment, kFirstSegment + ".broken"));
  EXPECT_EQ(Bytes(kFirstSegment + ".broken"), torn);
  EXPECT_EQ(Bytes(kFirstSegment), torn.substr(0, 352));
}

TEST_F(RepairTest, WholeLogIsLeftAlone) {
  LoadLog("later");
  Lay("", "", 0);
  ASSERT_OK(Repair(env_, dir_));
  EXPECT_THAT(FileNames(), SizeIs(2));
}

TEST_F(RepairTest, DamagedLogIsNotRepaired) {
  LoadLog("single");
  Lay(kFirstSegment, "invert-byte", 220);
  EXPECT_TRUE(absl::IsDataLoss(Repair(env_, dir_)));
  EXPECT_THAT(FileNames(), ElementsAre(kFirstSegment));
}

TEST_F(RepairTest, RepairNeedsALogAndItsLock) {
  EXPECT_TRUE(absl::IsNotFound(Repair(env_, dir_)));
  auto wal = Create();
  EXPECT_TRUE(absl::IsFailedPrecondition(Repair(env_, dir_)));
}

TEST_F(RepairTest, OpenRepairingSaysWhatEtcdLogs) {
  const auto message = [&] {
    return std::string(OpenRepairing(env_, dir_, {}, Small()).status().message());
  };
  EXPECT_THAT(message(), HasSubstr("failed to open WAL: openAtIndex failed: "));
  LoadLog("later");
  Lay("", "", 0);
  EXPECT_OK(OpenRepairing(env_, dir_, {}, Small()).status());
  const auto last = segments_.rbegin()->first;
  Lay(last, "cut", 300);
  EXPECT_OK(OpenRepairing(env_, dir_, {}, Small()).status());
  Lay(segments_.begin()->first, "invert-byte", 220);
  EXPECT_THAT(message(), HasSubstr("failed to read WAL, cannot be repaired: walpb: crc mismatch"));
  Lay(segments_.begin()->first, "cut", 300);
  EXPECT_THAT(message(), HasSubstr("failed to read WAL, cannot be repaired: unexpected EOF"));
}

// Bytes behind the end of the log, left by a write that never finished, must not come back to life
// when new records grow over them.
TEST_F(RepairTest, RemainsBehindTheEndAreZeroed) {
  auto wal = Create(Small(8192));
  ASSERT_OK(wal->Save({}, Entries(1, 1, 1)));
  const uint64_t end = wal->tail_bytes();
  ASSERT_OK(wal->Close());
  std::string bytes = Bytes(kFirstSegment);
  std::fill(bytes.begin() + end + 512, bytes.begin() + end + 2048, '\x5a');
  SetBytes(kFirstSegment, bytes);
  EXPECT_EQ(Read().entries, Entries(1, 1, 1));
  EXPECT_EQ(Bytes(kFirstSegment).find('\x5a'), std::string::npos);
  EXPECT_EQ(Bytes(kFirstSegment).size(), 8192u);
}

}  // namespace
}  // namespace kvorum::wal
