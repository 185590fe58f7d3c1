#pragma once
// Lease: one lease as the lessor keeps it, and its row.

#include <absl/container/flat_hash_set.h>

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/types.h"

namespace kvorum::server {

// The expiry of leases on members that do not lead.
inline constexpr TimePoint kNeverExpires = TimePoint::max();

struct Lease {
  LeaseId id;
  int64_t ttl_seconds = 0;        // granted
  int64_t remaining_seconds = 0;  // as of the last checkpoint; 0: none
  TimePoint expiry = kNeverExpires;
  // The time of its entry in the expiry queue; entries with another time are stale.
  TimePoint queued_for = kNeverExpires;
  absl::flat_hash_set<std::string> keys;
  // Renewals that came too late, to be told how it ended.
  std::vector<std::function<void()>> waiting;

  // What an expiry counted from now is made of.
  Duration rest() const {
    return std::chrono::seconds(remaining_seconds > 0 ? remaining_seconds : ttl_seconds);
  }
  bool expired(TimePoint now) const { return expiry <= now; }
};

// The row's key and value in the `lease` bucket.
std::string EncodeLeaseKey(LeaseId id);
std::string EncodeLease(const Lease& lease);
// Nothing when `value` is not a leasepb.Lease.
std::optional<Lease> DecodeLease(std::string_view value);

}  // namespace kvorum::server
