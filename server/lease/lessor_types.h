#pragma once
// What a lessor is told and what it answers.

#include <absl/container/btree_set.h>

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/types.h"
#include "server/errors.h"

namespace kvorum::server {

// Leases with more than this left are checkpointed this often.
inline constexpr Duration kLeaseCheckpointInterval = std::chrono::minutes(5);

struct LessorOptions {
  int64_t min_ttl_seconds = 2;
  // When a lease that was handed over as expired and not revoked is handed over again; the server's
  // request timeout.
  Duration retry_interval = std::chrono::seconds(7);
  // Whether the primary schedules checkpoints (the gate LeaseCheckpoint).
  bool checkpoints = false;
  // Whether an applied checkpoint goes into the lease's row; asked each time. Null: yes.
  std::function<bool()> persist_checkpoints;
};

struct LeaseGrantResult {
  Error error = Error::kOk;  // kLeaseTtlTooLarge, kLeaseExists, kLeaseNotFound (id 0)
  int64_t ttl_seconds = 0;   // the effective one
};

struct LeaseRevokeResult {
  Error error = Error::kOk;           // kLeaseNotFound
  absl::btree_set<std::string> keys;  // to be deleted, in this order, in the same batch
  // Renewals that waited for this, to be called when the keys are gone.
  std::vector<std::function<void()>> waiting;
};

struct LeaseRenewResult {
  enum class Outcome {
    kRenewed,       // ttl_seconds is set
    kNotFound,      // etcd answers TTL 0
    kNotPrimary,    // ask the leader
    kExpired,       // `when_settled` will be called; then ask again
    kCheckpointed,  // a checkpoint of 0 has to go through the log first; then RenewAsIs
  };
  Outcome outcome = Outcome::kNotFound;
  int64_t ttl_seconds = 0;
};

// What a member knows of one lease.
struct LeaseInfo {
  int64_t granted_ttl_seconds = 0;
  // Truncated; negative when it expired seconds ago. Meaningful only if `primary`.
  int64_t remaining_seconds = 0;
  bool primary = false;  // at the time of the look-up
  std::vector<std::string> keys;
};

// A checkpoint to be proposed.
struct LeaseRest {
  LeaseId id;
  int64_t remaining_seconds = 0;  // rounded up
};

}  // namespace kvorum::server
