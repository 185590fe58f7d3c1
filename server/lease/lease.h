#pragma once
// Lease: what all members know of one lease, and its row.

#include <absl/container/btree_set.h>

#include <algorithm>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/clock.h"
#include "base/types.h"

namespace kvorum::server {

inline constexpr int64_t kMaxLeaseTtlSeconds = 9'000'000'000;

// The expiry of leases on members that do not lead.
inline constexpr TimePoint kNeverExpires = TimePoint::max();

struct Lease {
  LeaseId id;
  int64_t ttl_seconds = 0;        // granted
  int64_t remaining_seconds = 0;  // as of the last checkpoint; 0: none
  // Ascending, which is the order in which revocation deletes them.
  absl::btree_set<std::string> keys;

  int64_t rest_seconds() const { return remaining_seconds > 0 ? remaining_seconds : ttl_seconds; }
  // What an expiry counted from now is made of. Rows and entries that others wrote may hold any
  // number; more than the longest TTL would not fit a Duration.
  Duration rest() const {
    return std::chrono::seconds(std::min(rest_seconds(), kMaxLeaseTtlSeconds));
  }
};

// The row's key and value in the `lease` bucket.
std::string EncodeLeaseKey(LeaseId id);
std::string EncodeLease(const Lease& lease);
// Nothing when `value` is not a leasepb.Lease.
std::optional<Lease> DecodeLease(std::string_view value);

}  // namespace kvorum::server
