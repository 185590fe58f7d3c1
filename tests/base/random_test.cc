#include "base/random.h"

#include <gtest/gtest.h>

#include <array>
#include <set>

namespace kvorum {
namespace {

TEST(RandomTest, SeededSequenceIsFixed) {
  const auto random = NewSeededRandom(5489);
  for (int i = 1; i < 10000; ++i) random->Next();
  EXPECT_EQ(random->Next(), 9981545732273789042u);  // the value the C++ standard states
}

TEST(RandomTest, SeedsGiveDifferentSequences) {
  EXPECT_NE(NewSeededRandom(1)->Next(), NewSeededRandom(2)->Next());
  EXPECT_NE(NewSystemRandom()->Next(), NewSystemRandom()->Next());
}

TEST(RandomTest, UniformStaysBelowItsBoundAndReachesEverything) {
  const auto random = NewSeededRandom(1);
  std::array<int, 7> seen = {};
  for (int i = 0; i < 7000; ++i) ++seen.at(random->Uniform(7));
  for (const int n : seen) EXPECT_NEAR(n, 1000, 150);
  EXPECT_EQ(random->Uniform(1), 0u);
}

TEST(RandomTest, UniformRefusesTheValuesThatWouldBias) {
  // Hands out a script, so that the first value falls into the remainder of 2^64 / n.
  class Scripted : public Random {
   public:
    uint64_t Next() override { return values_[next_++]; }

   private:
    std::array<uint64_t, 3> values_ = {0, 1, 2};
    size_t next_ = 0;
  };
  Scripted random;
  EXPECT_EQ(random.Uniform(3), 1u);  // 2^64 mod 3 is 1: the value 0 is skipped
}

}  // namespace
}  // namespace kvorum
