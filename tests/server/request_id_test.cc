#include "server/request_id.h"

#include <gtest/gtest.h>

#include <set>

namespace kvorum::server {
namespace {

constexpr WallTime kThen{std::chrono::milliseconds(0x0123456789)};

TEST(RequestIdTest, LayoutIsMemberTimeCounter) {
  RequestIdGenerator ids(MemberId(0xABCD12345678F234), kThen);
  EXPECT_EQ(ids.Next(), 0xF234012345678901u);
  EXPECT_EQ(ids.Next(), 0xF234012345678902u);
}

TEST(RequestIdTest, CounterRunsOnIntoTheTime) {
  RequestIdGenerator ids(MemberId(1), kThen);
  std::set<uint64_t> seen;
  for (int i = 0; i < 1000; ++i) seen.insert(ids.Next());
  EXPECT_EQ(seen.size(), 1000u);
}

TEST(RequestIdTest, LeaseIdsArePositive) {
  RequestIdGenerator ids(MemberId(0xFFFF), kThen);
  EXPECT_GT(ids.NextLeaseId(), LeaseId(0));
}

}  // namespace
}  // namespace kvorum::server
