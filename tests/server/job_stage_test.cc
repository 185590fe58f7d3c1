#include "server/job_stage.h"

#include <gtest/gtest.h>

#include "tests/testing/manual_clock.h"

namespace kvorum::server {
namespace {

TEST(JobStageTest, JobsRunWhenDueAndSayWhenNext) {
  ManualClock clock;
  JobStage stage(clock);
  int often = 0;
  int once = 0;
  stage.Add([&](TimePoint now) {
    ++often;
    return now + std::chrono::seconds(1);
  });
  stage.Add([&](TimePoint) {
    ++once;
    return TimePoint::max();
  });
  EXPECT_TRUE(stage.Step(Wait::kNo));
  EXPECT_FALSE(stage.Step(Wait::kNo));
  clock.Advance(std::chrono::seconds(1));
  EXPECT_TRUE(stage.Step(Wait::kNo));
  EXPECT_EQ(often, 2);
  EXPECT_EQ(once, 1);
}

TEST(JobStageTest, RunSoonMakesAJobDue) {
  ManualClock clock;
  JobStage stage(clock);
  int runs = 0;
  const size_t job = stage.Add([&](TimePoint) {
    ++runs;
    return TimePoint::max();
  });
  stage.Step(Wait::kNo);
  stage.RunSoon(job);
  stage.RunSoon(job);
  EXPECT_TRUE(stage.Step(Wait::kYes));
  EXPECT_EQ(runs, 2);
}

}  // namespace
}  // namespace kvorum::server
