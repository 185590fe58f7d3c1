#include "base/log_sampler.h"

#include <gtest/gtest.h>

#include <memory>

namespace kvorum::log {
namespace {

using std::chrono::milliseconds;

class LogSamplerTest : public ::testing::Test {
 protected:
  // How many of `n` equal lines at this time get through.
  int AdmittedOf(int n, int level, std::string_view msg) {
    int admitted = 0;
    for (int i = 0; i < n; ++i) admitted += sampler_->Admit(level, msg, now_) ? 1 : 0;
    return admitted;
  }

  const std::unique_ptr<Sampler> sampler_ = std::make_unique<Sampler>();
  WallTime now_{std::chrono::seconds(1700000000)};
};

TEST_F(LogSamplerTest, FirstHundredPassThenEveryHundredth) {
  EXPECT_EQ(AdmittedOf(100, 1, "m"), 100);
  EXPECT_EQ(AdmittedOf(99, 1, "m"), 0);
  EXPECT_EQ(AdmittedOf(1, 1, "m"), 1);
  EXPECT_EQ(AdmittedOf(1000, 1, "m"), 10);
}

TEST_F(LogSamplerTest, StartsAnewAfterASecond) {
  EXPECT_EQ(AdmittedOf(200, 1, "m"), 101);
  now_ += milliseconds(999);
  EXPECT_EQ(AdmittedOf(99, 1, "m"), 0);
  now_ += milliseconds(2);
  EXPECT_EQ(AdmittedOf(100, 1, "m"), 100);
}

TEST_F(LogSamplerTest, MessagesAndLevelsCountOnTheirOwn) {
  EXPECT_EQ(AdmittedOf(150, 1, "a"), 100);
  EXPECT_EQ(AdmittedOf(100, 1, "b"), 100);
  EXPECT_EQ(AdmittedOf(100, 2, "a"), 100);
}

}  // namespace
}  // namespace kvorum::log
