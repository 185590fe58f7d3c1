// Both modes of automatic compaction on a clock that stands still, and their flag.

#include "server/compactor/auto_compactor.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "server/job_stage.h"
#include "tests/testing/manual_clock.h"

namespace kvorum::server {
namespace {

using std::chrono::hours;
using std::chrono::milliseconds;
using std::chrono::minutes;
using std::chrono::seconds;
using ::testing::ElementsAre;
using ::testing::IsEmpty;

// A stage with a compactor as its only job, and a store that is a number.
class AutoCompactorTest : public ::testing::Test {
 protected:
  void Start(const CompactionRetention& retention) {
    compactor_ = AutoCompactor::New(
        retention, {.revision = [this] { return Revision(revision_); },
                    .leads = [this] { return leads_; },
                    .compact =
                        [this](Revision revision, AutoCompactor::OnCompacted done) {
                          compacted_.push_back(revision.value());
                          if (hold_) {
                            held_ = std::move(done);
                          } else {
                            done(result_);
                          }
                        },
                    .run_soon = [this] { stage_.RunSoon(job_); }});
    ASSERT_NE(compactor_, nullptr);
    job_ = stage_.Add([this](TimePoint now) { return compactor_->Step(now); });
    Settle();
  }
  void StartPeriodic(Duration period) {
    Start({.mode = CompactionMode::kPeriodic, .period = period});
  }
  void Settle() {
    while (stage_.Step(Wait::kNo)) {
    }
  }
  // In pieces of `piece`, the revision growing by one in each.
  void Pass(Duration total, Duration piece) {
    for (Duration passed(0); passed < total; passed += piece) {
      ++revision_;
      clock_.Advance(piece);
      Settle();
    }
  }

  ManualClock clock_;
  JobStage stage_{clock_};
  size_t job_ = 0;
  int64_t revision_ = 1;
  bool leads_ = true;
  bool hold_ = false;
  Error result_ = Error::kOk;
  AutoCompactor::OnCompacted held_;
  std::vector<int64_t> compacted_;
  std::unique_ptr<AutoCompactor> compactor_;
};

// ---- Periodic -----------------------------------------------------------------------------------

TEST_F(AutoCompactorTest, HourlyKeepsTheLastHour) {
  StartPeriodic(hours(1));
  Pass(minutes(54), minutes(6));
  EXPECT_THAT(compacted_, IsEmpty()) << "nothing before a whole period";
  Pass(minutes(6), minutes(6));
  EXPECT_THAT(compacted_, ElementsAre(1)) << "the revision of an hour ago";
  // From then on the window is full, and its oldest sample a step older than the hour.
  Pass(minutes(54), minutes(6));
  EXPECT_EQ(compacted_.size(), 1u);
  Pass(minutes(6), minutes(6));
  EXPECT_THAT(compacted_, ElementsAre(1, 10));
}

TEST_F(AutoCompactorTest, LongPeriodsAreCompactedEveryHour) {
  StartPeriodic(hours(2));
  Pass(hours(2) - minutes(6), minutes(6));
  EXPECT_THAT(compacted_, IsEmpty());
  Pass(minutes(6), minutes(6));
  EXPECT_THAT(compacted_, ElementsAre(1));
  Pass(hours(3), minutes(6));
  EXPECT_THAT(compacted_, ElementsAre(1, 10, 20, 30));
}

TEST_F(AutoCompactorTest, ShortPeriods) {
  StartPeriodic(seconds(5));
  Pass(seconds(5), milliseconds(500));
  EXPECT_THAT(compacted_, ElementsAre(1));
  Pass(seconds(10), milliseconds(500));
  EXPECT_THAT(compacted_, ElementsAre(1, 10, 20));
}

TEST_F(AutoCompactorTest, WithoutWritesThereIsNothingToCompactTwice) {
  StartPeriodic(minutes(1));
  for (int i = 0; i < 100; ++i) {
    clock_.Advance(seconds(6));
    Settle();
  }
  EXPECT_THAT(compacted_, ElementsAre(1));
}

TEST_F(AutoCompactorTest, FailureIsTriedAgainAfterAStep) {
  result_ = Error::kTimeout;
  StartPeriodic(minutes(10));
  Pass(minutes(10), minutes(1));
  EXPECT_THAT(compacted_, ElementsAre(1));
  Pass(minutes(2), minutes(1));
  EXPECT_THAT(compacted_, ElementsAre(1, 1, 2)) << "the window goes on meanwhile";
  result_ = Error::kOk;
  Pass(minutes(1), minutes(1));
  EXPECT_THAT(compacted_, ElementsAre(1, 1, 2, 3));
  Pass(minutes(9), minutes(1));
  EXPECT_EQ(compacted_.size(), 4u);
}

TEST_F(AutoCompactorTest, WhatSomebodyElseCompactedCountsAsDone) {
  result_ = Error::kCompacted;
  StartPeriodic(minutes(10));
  Pass(minutes(19), minutes(1));
  EXPECT_THAT(compacted_, ElementsAre(1));
  Pass(minutes(1), minutes(1));
  EXPECT_THAT(compacted_, ElementsAre(1, 10));
}

TEST_F(AutoCompactorTest, PausedItSamplesOn) {
  leads_ = false;
  StartPeriodic(minutes(10));
  Pass(minutes(30), minutes(1));
  EXPECT_THAT(compacted_, IsEmpty());
  leads_ = true;
  Pass(minutes(1), minutes(1));
  EXPECT_THAT(compacted_, ElementsAre(21)) << "of ten minutes ago, not of the start";
}

TEST_F(AutoCompactorTest, NoSampleAndNoSecondCompactionWhileOneIsUnderWay) {
  hold_ = true;
  StartPeriodic(minutes(10));
  Pass(minutes(10), minutes(1));
  EXPECT_THAT(compacted_, ElementsAre(1));
  Pass(minutes(50), minutes(1));
  EXPECT_EQ(compacted_.size(), 1u);
  hold_ = false;
  held_(Error::kOk);
  Settle();
  Pass(minutes(9), minutes(1));
  EXPECT_EQ(compacted_.size(), 1u) << "the interval counts from its end";
  Pass(minutes(1), minutes(1));
  EXPECT_THAT(compacted_, ElementsAre(1, 10));
}

TEST_F(AutoCompactorTest, EndOfTheServerEndsAWait) {
  hold_ = true;
  StartPeriodic(minutes(10));
  Pass(minutes(10), minutes(1));
  held_(Error::kStopped);
  Settle();  // and no line about a failure
  EXPECT_THAT(compacted_, ElementsAre(1));
}

TEST_F(AutoCompactorTest, TinyPeriodsDoNotKeepTheTimersBusy) {
  StartPeriodic(Duration(1));
  EXPECT_FALSE(stage_.Step(Wait::kNo));
  clock_.Advance(milliseconds(1));
  Settle();
  EXPECT_THAT(compacted_, ElementsAre(1));
}

// ---- Revision -----------------------------------------------------------------------------------

TEST_F(AutoCompactorTest, KeepsTheLastRevisions) {
  Start({.mode = CompactionMode::kRevision, .revisions = 10});
  Pass(minutes(5) - seconds(1), minutes(5) - seconds(1));
  revision_ = 99;
  EXPECT_THAT(compacted_, IsEmpty());
  Pass(seconds(1), seconds(1));
  EXPECT_THAT(compacted_, ElementsAre(90));
  clock_.Advance(minutes(5));
  Settle();
  EXPECT_THAT(compacted_, ElementsAre(90)) << "the same again is not asked for";
  Pass(minutes(5), minutes(5));
  EXPECT_THAT(compacted_, ElementsAre(90, 91));
}

TEST_F(AutoCompactorTest, FewRevisionsAreAllKept) {
  Start({.mode = CompactionMode::kRevision, .revisions = 10});
  revision_ = 9;
  Pass(minutes(5), minutes(5));
  EXPECT_THAT(compacted_, IsEmpty()) << "10 - 10";
  Pass(minutes(5), minutes(5));
  EXPECT_THAT(compacted_, ElementsAre(1));
}

TEST_F(AutoCompactorTest, FailedRevisionIsTriedAgainWithTheNextLook) {
  result_ = Error::kTooManyRequests;
  Start({.mode = CompactionMode::kRevision, .revisions = 10});
  revision_ = 100;
  clock_.Advance(minutes(5));
  Settle();
  clock_.Advance(minutes(5));
  Settle();
  EXPECT_THAT(compacted_, ElementsAre(90, 90));
  leads_ = false;
  clock_.Advance(minutes(5));
  Settle();
  EXPECT_EQ(compacted_.size(), 2u);
}

// ---- The flags ----------------------------------------------------------------------------------

CompactionRetention Parse(std::string_view mode, std::string_view text) {
  const auto retention = ParseCompactionRetention(mode, text);
  EXPECT_TRUE(retention.ok()) << retention.status();
  return retention.ok() ? *retention : CompactionRetention();
}

std::string ErrorOf(std::string_view mode, std::string_view text) {
  return std::string(ParseCompactionRetention(mode, text).status().message());
}

TEST(CompactionRetentionTest, NumbersAreHoursOrRevisions) {
  EXPECT_EQ(Parse("periodic", "2").period, hours(2));
  EXPECT_EQ(Parse("periodic", "+2").period, hours(2));
  EXPECT_EQ(Parse("revision", "1000").revisions, 1000);
  EXPECT_EQ(Parse("periodic", "1m30s").period, seconds(90));
  EXPECT_EQ(Parse("revision", "1us").revisions, 1000) << "the original's oddity";
}

TEST(CompactionRetentionTest, ZeroAndNothingAreOff) {
  for (const char* mode : {"periodic", "revision"}) {
    for (const char* text : {"", "0", "-0", "0s", "0h"}) {
      EXPECT_TRUE(Parse(mode, text).off()) << mode << " " << text;
    }
  }
  EXPECT_EQ(AutoCompactor::New({}, {}), nullptr);
}

TEST(CompactionRetentionTest, Errors) {
  EXPECT_EQ(ErrorOf("periodic", "xx"),
            "error parsing CompactionRetention: time: invalid duration \"xx\"");
  EXPECT_EQ(ErrorOf("revision", "-1"),
            "error parsing CompactionRetention: time: missing unit in duration \"-1\"");
  EXPECT_EQ(ErrorOf("periodic", "+-1"),
            "error parsing CompactionRetention: time: invalid duration \"+-1\"");
  EXPECT_EQ(ErrorOf("periodic", "99999999999999999999"),
            "error parsing CompactionRetention: time: invalid duration "
            "\"99999999999999999999\"");
  EXPECT_EQ(ErrorOf("periodic", "-5m"), "error parsing CompactionRetention: retention is negative");
  EXPECT_EQ(ErrorOf("periodic", "9000000000"),
            "error parsing CompactionRetention: retention is too long");
}

}  // namespace
}  // namespace kvorum::server
