#include "mvcc/tree_index.h"

#include <gtest/gtest.h>

#include <map>
#include <string>

#include "base/random.h"

namespace kvorum::mvcc {
namespace {

// Writes to a tree and to a map of key -> live.
class TreeIndexTest : public ::testing::Test {
 protected:
  void Put(const std::string& key) {
    const KeyIndex* known = tree_.Find(key);
    const auto latest = known == nullptr ? std::nullopt : known->Latest();
    ++revision_;
    tree_.Put(key, {.revision = {.main = revision_},
                    .created = latest ? latest->created : revision_,
                    .version = latest ? latest->version + 1 : 1});
    expected_[key] = true;
  }
  void Delete(const std::string& key) {
    ++revision_;
    tree_.Tombstone(key, {.main = revision_});
    expected_[key] = false;
  }
  void Erase(const std::string& key) {
    KeyIndex* found = tree_.Find(key);
    tree_.DropHistory(*found, [](const KeyIndex::Entry&) {});
    tree_.Erase(key);
    expected_.erase(key);
  }

  void CheckOrder() const {
    auto it = expected_.begin();
    for (TreeIndex::Cursor cursor = tree_.Seek(""); cursor.valid(); cursor.Next(), ++it) {
      ASSERT_NE(it, expected_.end());
      ASSERT_EQ(cursor->key(), it->first);
      ASSERT_EQ(cursor->live(), it->second);
    }
    ASSERT_EQ(it, expected_.end());
  }
  void CheckAround(const std::string& first, const std::string& last) const {
    const auto it = expected_.lower_bound(first);
    const TreeIndex::Cursor cursor = tree_.Seek(first);
    ASSERT_EQ(cursor.valid(), it != expected_.end());
    if (cursor.valid()) {
      ASSERT_EQ(cursor->key(), it->first);
    }
    int64_t between = 0;
    int64_t above = 0;
    for (const auto& [key, live] : expected_) {
      if (!live || key < first) continue;
      ++above;
      if (key < last) ++between;
    }
    ASSERT_EQ(tree_.CountLive({first, last}), between);
    ASSERT_EQ(tree_.CountLive({first, std::string_view("\0", 1)}), above);
    const auto same = expected_.find(first);
    ASSERT_EQ(tree_.CountLive({first}), same != expected_.end() && same->second ? 1 : 0);
    ASSERT_EQ(tree_.Find(first) != nullptr, same != expected_.end());
  }

  TreeIndex tree_;
  std::map<std::string, bool> expected_;
  Revision revision_{1};
};

TEST_F(TreeIndexTest, EmptyTreeHasNothing) {
  EXPECT_FALSE(tree_.Seek("").valid());
  EXPECT_EQ(tree_.Find("a"), nullptr);
  EXPECT_EQ(tree_.CountLive({"a", "z"}), 0);
}

TEST_F(TreeIndexTest, InverseIntervalCountsNothing) {
  Put("a");
  Put("b");
  EXPECT_EQ(tree_.CountLive({"b", "a"}), 0);
  EXPECT_EQ(tree_.CountLive({"a", "a"}), 0);
}

TEST_F(TreeIndexTest, GrowsAndShrinksInOrder) {
  for (int i = 0; i < 20000; ++i) Put("k" + std::to_string(100000 + i));
  CheckOrder();
  EXPECT_EQ(tree_.live_keys(), 20000);
  for (int i = 0; i < 20000; ++i) Erase("k" + std::to_string(100000 + i));
  CheckOrder();
  EXPECT_EQ(tree_.live_keys(), 0);
  EXPECT_EQ(tree_.revisions(), 0);
}

TEST_F(TreeIndexTest, ShrinksFromTheBack) {
  for (int i = 0; i < 10000; ++i) Put("k" + std::to_string(100000 + i));
  for (int i = 9999; i >= 0; --i) {
    Erase("k" + std::to_string(100000 + i));
    if (i % 1000 == 0) CheckOrder();
  }
}

class TreeIndexPropertyTest : public TreeIndexTest, public ::testing::WithParamInterface<int> {};

TEST_P(TreeIndexPropertyTest, IsAnOrderedMapThatCounts) {
  const auto random = NewSeededRandom(GetParam());
  const int64_t keys = GetParam() % 2 == 0 ? 300 : 20000;
  const auto key = [&] { return "k" + std::to_string(random->Uniform(keys)); };
  for (int i = 0; i < 40000; ++i) {
    // Phases of growth and of decline.
    const bool growing = i / 8000 % 2 == 0;
    const std::string k = key();
    const auto it = expected_.find(k);
    const uint64_t dice = random->Uniform(10);
    if (dice < (growing ? 7 : 2)) {
      Put(k);
    } else if (it != expected_.end() && it->second && dice < 8) {
      Delete(k);
    } else if (it != expected_.end()) {
      Erase(k);
    }
    if (i % 100 == 0) CheckAround(key(), key());
    if (i % 4000 == 0) CheckOrder();
    if (HasFatalFailure()) FAIL() << "step " << i;
  }
  CheckOrder();
}
INSTANTIATE_TEST_SUITE_P(Seeds, TreeIndexPropertyTest, ::testing::Range(1, 7));

}  // namespace
}  // namespace kvorum::mvcc
