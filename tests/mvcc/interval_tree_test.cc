#include "mvcc/interval_tree.h"

#include <gtest/gtest.h>

#include <set>
#include <string>

#include "base/random.h"

namespace kvorum::mvcc {
namespace {

using Interval = std::pair<std::string, std::string>;

std::set<Interval> Covering(IntervalTree<Interval>& tree, std::string_view key) {
  std::set<Interval> found;
  tree.ForEachCovering(key, [&](const Interval& interval) { found.insert(interval); });
  return found;
}

TEST(IntervalTreeTest, EndIsNotCovered) {
  IntervalTree<Interval> tree;
  tree.FindOrInsert("b", "d") = {"b", "d"};
  EXPECT_TRUE(Covering(tree, "a").empty());
  EXPECT_EQ(Covering(tree, "b").size(), 1u);
  EXPECT_EQ(Covering(tree, "czzz").size(), 1u);
  EXPECT_TRUE(Covering(tree, "d").empty());
}

TEST(IntervalTreeTest, EmptyEndIsUnbounded) {
  IntervalTree<Interval> tree;
  tree.FindOrInsert("b", "") = {"b", ""};
  EXPECT_EQ(Covering(tree, "\xff\xff").size(), 1u);
  EXPECT_TRUE(Covering(tree, "a").empty());
}

TEST(IntervalTreeTest, AgreesWithBruteForce) {
  std::unique_ptr<Random> random = NewSeededRandom(7);
  const auto key = [&](uint64_t n) { return std::to_string(100 + n); };
  IntervalTree<Interval> tree;
  std::set<Interval> model;
  for (int round = 0; round < 5000; ++round) {
    const uint64_t begin = random->Uniform(60);
    Interval interval{key(begin), random->Uniform(10) == 0 ? std::string()
                                                           : key(begin + 1 + random->Uniform(20))};
    if (random->Uniform(2) == 0) {
      tree.FindOrInsert(interval.first, interval.second) = interval;
      model.insert(interval);
    } else {
      tree.Erase(interval.first, interval.second);
      model.erase(interval);
    }
    ASSERT_EQ(tree.size(), model.size());
    const std::string point = key(random->Uniform(85));
    std::set<Interval> expected;
    for (const Interval& i : model) {
      if (point >= i.first && (i.second.empty() || point < i.second)) expected.insert(i);
    }
    ASSERT_EQ(Covering(tree, point), expected) << "round " << round;
  }
}

}  // namespace
}  // namespace kvorum::mvcc
