// A disk without room for the store: writes are told, reads go on, nothing is skipped.
#include <gtest/gtest.h>

#include <chrono>
#include <functional>

#include "base/strings.h"
#include "tests/server/member_harness.h"

namespace kvorum::server {
namespace {

class DiskFullTest : public ::testing::Test {
 protected:
  void SetUp() override {
    member_.OpenAndWaitReady();
    ASSERT_EQ(member_.Put("before", "1"), Error::kOk);
  }

  void FillDisk() {
    member_.env.SetFreeBytes(0);
    member_.env.Inject({.op = FaultEnv::Op::kWrite,
                        .and_all_after = true,
                        .path_part = "/member/store-",
                        .status = absl::ResourceExhaustedError("no space left on device")});
  }
  void MakeRoom() {
    member_.env.ClearFaults();
    member_.env.SetFreeBytes(uint64_t{1} << 40);
  }
  // The store finds out that there is room on a thread and a clock of its own, within seconds.
  bool StepUntilRoomIsFound(const std::function<bool()>& done) {
    const auto give_up = std::chrono::steady_clock::now() + std::chrono::seconds(60);
    while (std::chrono::steady_clock::now() < give_up) {
      if (member_.StepUntil(done)) return true;
    }
    return false;
  }
  // The store only notices when it writes out what it holds in memory. Puts until one is refused.
  int PutUntilRefused() {
    int puts = 0;
    EXPECT_TRUE(member_.StepUntil([&] {
      (void)member_.server->state().store()->backend().RequestFlush();
      return member_.Put(StrCat("k", puts++), "1") == Error::kNoSpace;
    }));
    return puts;
  }

  MemberHarness member_;
};

TEST_F(DiskFullTest, WritesAreToldAndAllOfThemAreAppliedOnceThereIsRoom) {
  FillDisk();
  const int puts = PutUntilRefused();
  const Index applied = member_.server->status().raft_applied_index;

  // Told at once, not at the end of their patience.
  const TimePoint asked = member_.clock.Now();
  EXPECT_EQ(member_.Put("late", "1"), Error::kNoSpace);
  EXPECT_LT(member_.clock.Now() - asked, std::chrono::seconds(1));
  EXPECT_EQ(member_.Value("before"), "1");
  EXPECT_EQ(member_.server->status().raft_applied_index, applied);

  MakeRoom();
  ASSERT_TRUE(StepUntilRoomIsFound([&] { return member_.Put("after", "1") == Error::kOk; }));
  for (int i = 0; i < puts; ++i) EXPECT_EQ(member_.Value(StrCat("k", i)), "1") << i;
  member_.Stop();
  member_.OpenAndWaitReady();
  EXPECT_EQ(member_.Value("after"), "1");
}

TEST_F(DiskFullTest, WritesUnderWayWhenItFillsUpAreTold) {
  FillDisk();
  std::vector<std::unique_ptr<TestCall>> calls;
  ASSERT_TRUE(member_.StepUntil([&] {
    (void)member_.server->state().store()->backend().RequestFlush();
    calls.push_back(member_.Start(MemberHarness::PutRequest("x", StrCat(calls.size()))));
    calls.push_back(member_.Start(MemberHarness::PutRequest("y", StrCat(calls.size()))));
    member_.StepUntilIdle();
    return calls.back()->done() && calls.back()->error == Error::kNoSpace;
  }));
  for (const auto& call : calls) {
    EXPECT_TRUE(call->done());
    EXPECT_TRUE(call->error == Error::kOk || call->error == Error::kNoSpace);
  }
}

TEST_F(DiskFullTest, CompactionWaitsForRoom) {
  for (int i = 0; i < 50; ++i) ASSERT_EQ(member_.Put("a", StrCat(i)), Error::kOk);
  FillDisk();
  ASSERT_EQ(member_.Compact(50), Error::kOk);
  TestWait done;
  member_.server->WaitCompacted(&done);
  for (int i = 0; i < 100; ++i) {
    member_.StepUntilIdle();
    member_.clock.Advance(std::chrono::milliseconds(50));
    std::this_thread::yield();
  }
  EXPECT_FALSE(done.done());
  MakeRoom();
  EXPECT_TRUE(StepUntilRoomIsFound([&] { return done.done(); }));
  EXPECT_EQ(member_.Value("a"), "49");
}

}  // namespace
}  // namespace kvorum::server
