// Rounds of the check on a clock that stands still, with other members that are a table.

#include "server/corruption/compact_hash_checker.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>

#include "server/job_stage.h"
#include "tests/server/member_harness.h"
#include "tests/testing/manual_clock.h"

namespace kvorum::server {
namespace {

using mvcc::CompactionHash;
using std::chrono::seconds;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using ::testing::UnorderedElementsAre;

CompactionHash HashOf(uint32_t hash, int64_t revision, int64_t compacted) {
  return {.hash = hash, .revision = Revision(revision), .compacted = Revision(compacted)};
}

class FakePeers final : public PeerHashes {
 public:
  void Ask(Revision revision, OnAnswers done) override {
    asked.push_back(revision.value());
    if (hold) {
      held = std::move(done);
    } else {
      done(answers[revision.value()]);
    }
  }

  std::map<int64_t, std::vector<PeerHash>> answers;  // by revision
  std::vector<int64_t> asked;
  bool hold = false;
  OnAnswers held;
};

class CompactHashCheckerTest : public ::testing::Test {
 protected:
  static constexpr seconds kInterval{10};

  void Start(PeerHashes* peers) {
    checker_ = std::make_unique<CompactHashChecker>(CompactHashChecker::Parts{
        .self = MemberId(1),
        .interval = kInterval,
        .timeout = seconds(7),
        .leads = [this] { return leads_; },
        .hashes = [this] { return hashes_; },
        .peers = peers,
        .raise_corrupt = [this](MemberId id) { alarms_.push_back(id.value()); },
        .run_soon = [this] { stage_.RunSoon(job_); }});
    job_ = stage_.Add([this](TimePoint now) { return checker_->Step(now); });
    Settle();
  }
  void Settle() {
    while (stage_.Step(Wait::kNo)) {
    }
  }
  // What is logged in that time.
  std::string Round(Duration time = kInterval) {
    testing::internal::CaptureStderr();
    clock_.Advance(time);
    Settle();
    return testing::internal::GetCapturedStderr();
  }
  // All of members 2, 3, ... say that about revision 20, compacted at 10 before.
  void Answer(const std::vector<std::optional<uint32_t>>& hashes) {
    auto& answers = peers_.answers[20];
    for (size_t i = 0; i < hashes.size(); ++i) {
      PeerHash& peer = answers.emplace_back(PeerHash{.id = MemberId(i + 2), .hash = {}});
      if (hashes[i]) peer.hash = HashOf(*hashes[i], 20, 10);
    }
  }

  ManualClock clock_;
  JobStage stage_{clock_};
  size_t job_ = 0;
  bool leads_ = true;
  std::vector<CompactionHash> hashes_ = {HashOf(100, 10, -1), HashOf(200, 20, 10)};
  FakePeers peers_;
  std::vector<uint64_t> alarms_;
  std::unique_ptr<CompactHashChecker> checker_;
};

TEST_F(CompactHashCheckerTest, MemberWithoutOthersLooksEveryInterval) {
  Start(nullptr);
  EXPECT_EQ(Round(kInterval - seconds(1)), "");
  EXPECT_THAT(Round(seconds(1)), HasSubstr("starting compact hash check"));
  for (int round = 0; round < 2; ++round) {
    const std::string lines = Round();
    EXPECT_THAT(lines, HasSubstr("\"msg\":\"starting compact hash check\",\"local-member-id\":"
                                 "\"1\",\"timeout\":\"7s\"}"));
    EXPECT_THAT(lines, HasSubstr("\"msg\":\"finished compaction hash check\","
                                 "\"number-of-hashes-checked\":2}"));
  }
  hashes_.clear();
  EXPECT_THAT(Round(), HasSubstr("\"number-of-hashes-checked\":0}"));
}

TEST_F(CompactHashCheckerTest, FollowersDoNotLook) {
  leads_ = false;
  Start(&peers_);
  EXPECT_EQ(Round(), "");
  EXPECT_THAT(peers_.asked, IsEmpty());
  leads_ = true;
  EXPECT_THAT(Round(), HasSubstr("starting compact hash check"));
}

TEST_F(CompactHashCheckerTest, NewestThatAllHaveEndsTheRoundAndIsNotAskedAgain) {
  Answer({200, 200});
  Start(&peers_);
  const std::string lines = Round();
  EXPECT_THAT(lines, HasSubstr("\"msg\":\"successfully checked hash on whole cluster\","
                               "\"number-of-peers-checked\":2,\"revision\":20,"
                               "\"compactRevision\":10}"));
  EXPECT_THAT(lines, HasSubstr("\"number-of-hashes-checked\":1}"));
  EXPECT_THAT(Round(), HasSubstr("\"number-of-hashes-checked\":0}"));
  EXPECT_THAT(peers_.asked, ElementsAre(20));
  hashes_.push_back(HashOf(300, 30, 20));
  peers_.answers[30] = {{.id = MemberId(2), .hash = HashOf(300, 30, 20)}};
  Round();
  EXPECT_THAT(peers_.asked, ElementsAre(20, 30));
  EXPECT_THAT(alarms_, IsEmpty());
}

TEST_F(CompactHashCheckerTest, OlderOneIsTriedWhenSomebodyCannotSay) {
  Answer({200, std::nullopt});
  peers_.answers[10] = {{.id = MemberId(2), .hash = HashOf(100, 10, -1)},
                        {.id = MemberId(3), .hash = HashOf(100, 10, -1)}};
  Start(&peers_);
  const std::string lines = Round();
  EXPECT_THAT(lines,
              HasSubstr("\"msg\":\"Skipped peer's hash\",\"number-of-peers\":2,"
                        "\"leader-id\":\"1\",\"peer-id\":\"3\",\"reason\":\"no response\"}"));
  EXPECT_THAT(lines, HasSubstr("\"msg\":\"skipped revision in compaction hash check; was not able "
                               "to check all peers\",\"number-of-peers-checked\":1,"
                               "\"number-of-peers\":2,\"revision\":20,\"compactRevision\":10}"));
  EXPECT_THAT(lines, HasSubstr("\"number-of-hashes-checked\":2}"));
  Round();
  EXPECT_THAT(peers_.asked, ElementsAre(20, 10, 20)) << "what was not compared is asked again";
}

TEST_F(CompactHashCheckerTest, HashSinceAnotherCompactionIsNotCompared) {
  peers_.answers[20] = {{.id = MemberId(2), .hash = HashOf(201, 20, 15)}};
  Start(&peers_);
  EXPECT_THAT(Round(),
              HasSubstr("\"reason\":\"the peer's CompactRevision 15 doesn't match leader's "
                        "CompactRevision 10\"}"));
  EXPECT_THAT(alarms_, IsEmpty());
}

TEST_F(CompactHashCheckerTest, MinorityIsAlarmed) {
  Answer({200, 201, 200, 202});
  Start(&peers_);
  const std::string lines = Round();
  EXPECT_THAT(lines, HasSubstr("\"msg\":\"Detected compaction hash mismatch\",\"leader-id\":\"1\","
                               "\"leader-revision\":20,\"leader-compact-revision\":10,"
                               "\"leader-hash\":200,\"peer-hash\":201,\"peer-ids\":\"3\","
                               "\"quorum-exist\":true,"));
  EXPECT_THAT(alarms_, UnorderedElementsAre(3, 5));
  EXPECT_THAT(peers_.asked, ElementsAre(20)) << "older ones would say no more";
}

TEST_F(CompactHashCheckerTest, LeaderCanBeTheMinority) {
  Answer({201, 201});
  Start(&peers_);
  Round();
  EXPECT_THAT(alarms_, ElementsAre(1));
}

TEST_F(CompactHashCheckerTest, WithoutMajorityTheClusterIsAlarmed) {
  Answer({201, std::nullopt});
  Start(&peers_);
  const std::string lines = Round();
  EXPECT_THAT(lines, HasSubstr("cannot identify the corrupted members"));
  EXPECT_THAT(lines, HasSubstr("\"peer-hash\":200,\"peer-ids\":\"1\",\"quorum-exist\":false,"));
  EXPECT_THAT(alarms_, ElementsAre(0));
}

TEST_F(CompactHashCheckerTest, NextRoundBeginsAfterTheAnswers) {
  Answer({200});
  peers_.hold = true;
  Start(&peers_);
  EXPECT_THAT(Round(), Not(HasSubstr("finished")));
  EXPECT_EQ(Round(), "") << "one question at a time";
  peers_.held(peers_.answers[20]);
  testing::internal::CaptureStderr();
  Settle();
  EXPECT_THAT(testing::internal::GetCapturedStderr(), HasSubstr("finished compaction hash check"));
  EXPECT_THAT(Round(), HasSubstr("starting compact hash check"));
}

TEST(CompactHashCheckTest, MemberLooksAtTheHashesOfItsCompactions) {
  MemberHarness member;
  member.config.compact_hash_check = true;
  member.config.compact_hash_check_time = seconds(5);
  member.OpenAndWaitReady();
  for (int i = 0; i < 12; ++i) {
    ASSERT_EQ(member.Put("a", "1"), Error::kOk);
    ASSERT_EQ(member.Compact(i + 2), Error::kOk);
    TestWait purged;
    member.server->WaitCompacted(&purged);
    ASSERT_TRUE(member.StepUntil([&] { return purged.done(); }));
  }
  testing::internal::CaptureStderr();
  member.clock.Advance(seconds(5));
  member.StepUntilIdle();
  EXPECT_THAT(testing::internal::GetCapturedStderr(),
              HasSubstr("\"msg\":\"finished compaction hash check\","
                        "\"number-of-hashes-checked\":10}"));
}

}  // namespace
}  // namespace kvorum::server
