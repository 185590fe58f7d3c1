#pragma once
// How expiries that a promotion has heaped up are pushed apart. Follows etcd
// server/lease/lessor.go Promote.

#include <vector>

#include "base/clock.h"
#include "server/lease/expiry_queue.h"

namespace kvorum::server {

// Revocations a second that expiry may cause (etcd's leaseRevokeRate).
inline constexpr int64_t kLeaseRevokeRate = 1000;
// A promotion spreads expiries from this many leases on, and to this many a second, which leaves
// room in the revocation rate for leases that end on their own.
inline constexpr size_t kSpreadFromLeases = kLeaseRevokeRate;
inline constexpr int64_t kSpreadPerSecond = 3 * kLeaseRevokeRate / 4;

// time + d, at most a moment before "never": TTLs may be centuries long.
TimePoint SaturatingAdd(TimePoint time, Duration d);

// A lease whose expiry moves.
struct PushedOut {
  LeaseId id;
  TimePoint from;
  TimePoint to;  // later
};

// Those of `expiries` that have to move for at most kSpreadPerSecond to end in each second. Pure.
std::vector<PushedOut> SpreadExpiries(std::vector<ExpiryQueue::Entry> expiries);

}  // namespace kvorum::server
