#include "mvcc/value_cache.h"

#include <gtest/gtest.h>

#include <deque>

namespace kvorum::mvcc {
namespace {

constexpr int64_t kRowBytes = 904;
constexpr int64_t kEntryBytes = kRowBytes + ValueCache::kEntryOverheadBytes;  // 1,000

class ValueCacheTest : public ::testing::Test {
 protected:
  KeyIndex& Key(int i) {
    while (static_cast<int>(keys_.size()) <= i) keys_.emplace_back("k");
    return keys_[i];
  }
  static SharedBytes Row() { return SharedBytes(std::string(kRowBytes, 'x')); }
  bool Cached(int i) { return !ValueCache::Get(Key(i)).empty(); }

  std::deque<KeyIndex> keys_;
  ValueCache cache_{100 * kEntryBytes};
};

TEST_F(ValueCacheTest, HoldsUpToItsCapacity) {
  for (int i = 0; i < 1000; ++i) cache_.Put(Key(i), Row());
  EXPECT_EQ(cache_.entries(), 100);
  EXPECT_EQ(cache_.bytes(), 100 * kEntryBytes);
}

TEST_F(ValueCacheTest, UsedRowsOutliveUnusedOnes) {
  for (int i = 0; i < 100; ++i) cache_.Put(Key(i), Row());
  for (int i = 0; i < 50; ++i) EXPECT_TRUE(Cached(i));
  for (int i = 100; i < 150; ++i) cache_.Put(Key(i), Row());
  for (int i = 0; i < 50; ++i) EXPECT_TRUE(Cached(i)) << i;
}

TEST_F(ValueCacheTest, NewRowReplacesTheOldOne) {
  cache_.Put(Key(0), Row());
  cache_.Put(Key(0), SharedBytes("new"));
  EXPECT_EQ(ValueCache::Get(Key(0)).view(), "new");
  EXPECT_EQ(cache_.entries(), 1);
}

TEST_F(ValueCacheTest, RemovedRowIsGoneAndPaidBack) {
  for (int i = 0; i < 3; ++i) cache_.Put(Key(i), Row());
  cache_.Remove(Key(1));
  cache_.Remove(Key(1));
  EXPECT_FALSE(Cached(1));
  EXPECT_TRUE(Cached(2));
  EXPECT_EQ(cache_.bytes(), 2 * kEntryBytes);
}

TEST_F(ValueCacheTest, OversizedRowIsNotKeptButReplaces) {
  cache_.Put(Key(0), Row());
  cache_.Put(Key(0), SharedBytes(std::string(100 * kEntryBytes, 'x')));
  EXPECT_FALSE(Cached(0));
}

TEST_F(ValueCacheTest, PutIfRoomDisplacesNothing) {
  for (int i = 0; i < 100; ++i) cache_.Put(Key(i), Row());
  cache_.PutIfRoom(Key(100), Row());
  EXPECT_FALSE(Cached(100));
  for (int i = 0; i < 100; ++i) EXPECT_TRUE(Cached(i));
}

}  // namespace
}  // namespace kvorum::mvcc
