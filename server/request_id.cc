#include "server/request_id.h"

namespace kvorum::server {
namespace {

constexpr int kSuffixBits = 48;
constexpr int kCounterBits = 8;
constexpr uint64_t kSuffixMask = (uint64_t{1} << kSuffixBits) - 1;

uint64_t UnixMillis(WallTime t) {
  return std::chrono::duration_cast<std::chrono::milliseconds>(t.time_since_epoch()).count();
}

}  // namespace

RequestIdGenerator::RequestIdGenerator(MemberId member, WallTime now)
    : prefix_(member.value() << kSuffixBits), suffix_(UnixMillis(now) << kCounterBits) {}

uint64_t RequestIdGenerator::Next() {
  const uint64_t suffix = suffix_.fetch_add(1, std::memory_order_relaxed) + 1;
  return prefix_ | (suffix & kSuffixMask);
}

LeaseId RequestIdGenerator::NextLeaseId() {
  while (true) {
    const auto id = static_cast<int64_t>(Next() & ~(uint64_t{1} << 63));
    if (id != 0) return LeaseId(id);
  }
}

}  // namespace kvorum::server
