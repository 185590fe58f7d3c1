#pragma once
// Ids of requests: unique in the cluster as long as members' low 16 bits differ and a restart takes
// at least a millisecond. They find the waiting call again when an entry is applied, and serve as
// lease ids. Same layout as the reference, pkg/idutil/id.go.

#include <atomic>
#include <cstdint>

#include "base/clock.h"
#include "base/types.h"

namespace kvorum::server {

// Thread-safe.
class RequestIdGenerator {
 public:
  // 16 bits of the member id, 40 bits of unix milliseconds at `now`, 8 bits to count in (which
  // overflow into the time).
  RequestIdGenerator(MemberId member, WallTime now);

  uint64_t Next();
  // A positive lease id.
  LeaseId NextLeaseId();

 private:
  const uint64_t prefix_;
  std::atomic<uint64_t> suffix_;
};

}  // namespace kvorum::server
