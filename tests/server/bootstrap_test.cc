#include "server/bootstrap.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "mvcc/backend/schema.h"
#include "mvcc/backend/store_dir.h"
#include "tests/server/member_harness.h"
#include "wal/snap/snapshotter.h"

namespace kvorum::server {
namespace {

class BootstrapTest : public ::testing::Test {
 protected:
  StatusOr<Recovered> Boot() { return Bootstrap(member_.config, member_.env, member_.clock); }
  std::string ErrorText() { return std::string(Boot().status().message()); }
  Config& config() { return member_.config; }

  MemberHarness member_;
};

TEST_F(BootstrapTest, NewMemberIsItsLogAlone) {
  const auto recovered = Boot();
  ASSERT_OK(recovered);
  EXPECT_EQ(HexId(recovered->identity.member), "8e9e05c52164694d");
  EXPECT_EQ(recovered->written, (HardState{.term = Term(1), .commit = Index(1)}));
  EXPECT_EQ(recovered->applied, Index(0));
  EXPECT_EQ(recovered->storage->LastIndex(), Index(1));
  const auto entries = recovered->storage->Entries(Index(1), Index(2), 1 << 20);
  ASSERT_TRUE(entries.has_value());
  EXPECT_EQ((*entries)[0].type, EntryType::kConfChange);
  raftpb::ConfChange change;
  ASSERT_TRUE(change.ParseFromString(std::string((*entries)[0].data.view())));
  EXPECT_FALSE(change.has_id());
  EXPECT_EQ(change.context(), R"({"id":10276657743932975437,"peerURLs":["http://localhost:2380"],)"
                              R"("name":"default"})");
}

TEST_F(BootstrapTest, JoiningNeedsSomebodyToAsk) {
  config().initial_cluster_state = "existing";
  EXPECT_EQ(ErrorText(),
            "cannot fetch cluster info from peer urls: could not retrieve cluster information from "
            "the given URLs");
  EXPECT_FALSE(member_.env.Exists("/data/member/wal"));
}

TEST_F(BootstrapTest, ContradictingSettingsAreRefused) {
  config().name = "other";
  EXPECT_THAT(ErrorText(), ::testing::HasSubstr("couldn't find local name \"other\""));
  config().name = "default";
  config().initial_advertise_peer_urls = {"http://10.0.0.9:2380"};
  EXPECT_THAT(ErrorText(), ::testing::StartsWith(
                               "--initial-cluster has default=http://localhost:2380 but "
                               "missing from --initial-advertise-peer-urls=http://10.0.0.9:2380"));
}

TEST_F(BootstrapTest, CreationCutShortAnywhereIsCompletedByTheNextStart) {
  int completed = 0;
  for (int64_t calls = 1; completed < 3; ++calls) {
    MemberHarness member;
    member.env.FailFromNthCall(FaultEnv::Op::kAny, calls, absl::InternalError("power cut"));
    const bool done = Bootstrap(member.config, member.env, member.clock).ok();
    if (done) ++completed;
    member.env.Crash({.names = calls % 2 == 0 ? Unsynced::kLost : Unsynced::kPrefixKept,
                      .seed = static_cast<uint64_t>(calls)});
    const auto again = Bootstrap(member.config, member.env, member.clock);
    ASSERT_OK(again) << "after " << calls << " calls";
    EXPECT_EQ(again->storage->LastIndex(), Index(1));
    ASSERT_LT(calls, 1000);
  }
}

TEST_F(BootstrapTest, InitialClusterIsIgnoredFromTheSecondStartOn) {
  ASSERT_OK(Boot());
  config().initial_cluster = "x=http://x:1";
  config().initial_cluster_state = "existing";
  ASSERT_OK(Boot());
}

TEST_F(BootstrapTest, DatabaseWithoutLogIsRefused) {
  member_.OpenAndWaitReady();
  member_.Stop();
  ASSERT_OK(member_.env.RemoveAll("/data/member/wal"));
  EXPECT_THAT(ErrorText(), ::testing::HasSubstr("no raft log"));
}

TEST_F(BootstrapTest, StoreOfAnotherMemberIsRefused) {
  member_.OpenAndWaitReady();
  member_.Stop();
  ASSERT_OK(member_.env.RemoveAll("/data/member/wal"));
  ASSERT_OK(wal::Wal::Create(member_.env, "/data/member/wal",
                             {.node = MemberId(7), .cluster = ClusterId(8)}));
  config().initial_cluster = "default=http://localhost:2380";
  EXPECT_FALSE(Boot().ok());
}

TEST_F(BootstrapTest, LostStoreIsMadeAgainFromAWholeLog) {
  member_.OpenAndWaitReady();
  EXPECT_EQ(member_.Put("a", "1"), Error::kOk);
  member_.Stop();
  ASSERT_OK(member_.env.RemoveAll("/data/member/store-0"));
  ASSERT_OK(member_.env.RemoveFile("/data/member/STORE"));
  member_.OpenAndWaitReady();
  EXPECT_EQ(member_.Value("a"), "1");
}

class ReleasedLogTest : public BootstrapTest {
 protected:
  // Works until a snapshot of its own is recorded.
  void SetUp() override {
    config().snapshot_count = 10;
    member_.OpenAndWaitReady();
    for (int i = 0; i < 30; ++i) ASSERT_EQ(member_.Put("k", std::to_string(i)), Error::kOk);
    ASSERT_TRUE(member_.StepUntil([this] { return Records() > 1; }));
  }
  size_t Records() {
    const auto records = wal::ValidSnapshotEntries(member_.env, "/data/member/wal");
    EXPECT_OK(records);
    return records->size();
  }
};

TEST_F(ReleasedLogTest, SnapshotHasItsFileWithTheMembersInIt) {
  wal::snap::Snapshotter snapshotter(member_.env, "/data/member/snap");
  const auto records = wal::ValidSnapshotEntries(member_.env, "/data/member/wal");
  ASSERT_OK(records);
  const auto snapshot = snapshotter.LoadNewestAvailable(*records);
  ASSERT_OK(snapshot);
  EXPECT_EQ(snapshot->metadata().index(), records->back().index.value());
  EXPECT_EQ(snapshot->metadata().conf_state().voters_size(), 1);
  EXPECT_THAT(snapshot->data(), ::testing::HasSubstr("/0/members/8e9e05c52164694d"));
}

TEST_F(ReleasedLogTest, RestartBeginsAtTheSnapshot) {
  member_.Stop();
  const auto recovered = Boot();
  ASSERT_OK(recovered);
  EXPECT_GT(recovered->snapshot_index, Index(0));
  EXPECT_GE(recovered->applied, recovered->snapshot_index);
  EXPECT_EQ(recovered->storage->FirstIndex(), recovered->snapshot_index + 1);
}

TEST_F(ReleasedLogTest, CrashAfterTheSnapshotLosesNothing) {
  member_.Crash();
  member_.OpenAndWaitReady();
  EXPECT_EQ(member_.Value("k"), "29");
  EXPECT_EQ(member_.server->Members().size(), 1u);
}

TEST_F(ReleasedLogTest, MissingStoreIsRefused) {
  member_.Stop();
  ASSERT_OK(member_.env.RemoveAll("/data/member/store-0"));
  ASSERT_OK(member_.env.RemoveFile("/data/member/STORE"));
  EXPECT_THAT(ErrorText(), ::testing::HasSubstr("database of the backend is missing"));
}

TEST_F(ReleasedLogTest, StoreThatLagsBehindTheLogIsRefused) {
  member_.Stop();
  const auto identity = Boot()->identity;
  ASSERT_OK(member_.env.RemoveAll("/data/member/store-0"));
  mvcc::StoreDirOptions options{
      .env = &member_.env, .member_dir = "/data/member", .identity = identity};
  ASSERT_OK(mvcc::CreateStoreDir(options, 0));
  EXPECT_THAT(ErrorText(), ::testing::HasSubstr("the raft log begins only after index"));
}

// What members compare covers it, also where there are no users yet.
TEST_F(ReleasedLogTest, NewStoreIsAtTheFirstRevisionOfUsers) {
  member_.Stop();
  const mvcc::StoreDirOptions options{
      .env = &member_.env, .member_dir = "/data/member", .identity = Boot()->identity};
  const auto store = mvcc::CreateStoreDir(options, 1);
  ASSERT_OK(store);
  const auto revision = (*store)->Get(mvcc::Bucket::kAuth, mvcc::kAuthRevisionKey);
  ASSERT_OK(revision);
  EXPECT_EQ(*revision, std::string("\0\0\0\0\0\0\0\1", 8));
}

// ---- Where raft begins --------------------------------------------------------------------------

TEST(ChooseAppliedTest, Table) {
  const struct {
    uint64_t store_index;
    uint64_t store_term;
    uint64_t commit;
    uint64_t applied;
    uint64_t raised_commit;
    const char* what;
  } kCases[] = {
      {6, 2, 7, 6, 7, "the normal case"},
      {6, 2, 4, 6, 6, "the commit index was not synced"},
      {8, 2, 7, 8, 8, "the store is at the log's end"},
      {9, 2, 7, 7, 7, "taken over: the store is ahead of the log"},
      {6, 1, 5, 5, 5, "taken over: the log has another entry there"},
      {3, 1, 4, 3, 4, "at the snapshot"},
  };
  for (const auto& c : kCases) {
    raft::MemoryStorage storage;
    auto snapshot = std::make_shared<raft::Snapshot>();
    snapshot->metadata = {.index = Index(3), .term = Term(1)};
    ASSERT_OK(storage.ApplySnapshot(std::move(snapshot)));
    std::vector<LogEntry> entries;
    for (uint64_t i = 4; i <= 8; ++i) entries.push_back({.term = Term(2), .index = Index(i)});
    storage.Append(std::move(entries));
    HardState state{.term = Term(2), .commit = Index(c.commit)};
    EXPECT_EQ(
        ChooseApplied(storage, {.term = Term(c.store_term), .index = Index(c.store_index)}, &state),
        Index(c.applied))
        << c.what;
    EXPECT_EQ(state.commit, Index(c.raised_commit)) << c.what;
  }
}

}  // namespace
}  // namespace kvorum::server
