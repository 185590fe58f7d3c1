#include "base/check.h"

#include <gtest/gtest.h>

#include "base/status.h"

namespace kvorum {
namespace {

// The style that starts the test binary anew: forking with threads around is a gamble.
class CheckDeathTest : public ::testing::Test {
 protected:
  CheckDeathTest() { GTEST_FLAG_SET(death_test_style, "threadsafe"); }
};

TEST(CheckTest, PassingChecksEvaluateTheirConditionOnceAndTheirMessageNever) {
  int evaluated = 0;
  int streamed = 0;
  CHECK(++evaluated == 1) << ++streamed;
  CHECK_EQ(1, 1);
  CHECK_NE(1, 2);
  CHECK_LE(1, 1);
  CHECK_LT(1, 2);
  CHECK_GE(2, 2);
  CHECK_GT(2, 1);
  CHECK_OK(absl::OkStatus());
  EXPECT_EQ(evaluated, 1);
  EXPECT_EQ(streamed, 0);
}

TEST(CheckTest, IsOneStatementBeforeAnElse) {
  if (false)
    CHECK(false);
  else
    SUCCEED();
}

TEST_F(CheckDeathTest, PrintsALogLineOfLevelFatal) {
  EXPECT_DEATH(CHECK(1 + 1 == 3) << "arithmetic " << 42,
               R"(^\{"level":"fatal","ts":"[^"]+","caller":"base/check_test.cc:[0-9]+",)"
               R"("msg":"CHECK failed: 1 \+ 1 == 3 arithmetic 42"\})");
}

TEST_F(CheckDeathTest, PrintsTheStack) {
  EXPECT_DEATH(CHECK(false), "\n    @ .*CheckDeathTest.* 0x[0-9a-f]+\n");
}

TEST_F(CheckDeathTest, ComparisonsPrintBothSides) {
  EXPECT_DEATH(CHECK_EQ(2, 3) << "more", R"(CHECK failed: \(2\) == \(3\) \[2 vs. 3\] more)");
}

TEST_F(CheckDeathTest, StatusPrintsItsText) {
  EXPECT_DEATH(CHECK_OK(absl::NotFoundError("no such thing")), "NOT_FOUND: no such thing");
}

}  // namespace
}  // namespace kvorum
