#pragma once
// What a member counts; names and help texts are etcd's (server/etcdserver/metrics.go,
// server/etcdserver/txn/metrics.go, server/storage/wal/metrics.go, server/lease/metrics.go).

#include <string_view>

#include "base/metrics.h"
#include "proto/raft_internal.pb.h"

namespace kvorum::server {

inline metrics::Counter& leader_changes_total = metrics::Default().AddCounter(
    "etcd_server_leader_changes_seen_total", "The number of leader changes seen.");
inline metrics::Counter& proposals_failed_total = metrics::Default().AddCounter(
    "etcd_server_proposals_failed_total", "The total number of failed proposals seen.");
inline metrics::Counter& slow_apply_total = metrics::Default().AddCounter(
    "etcd_server_slow_apply_total",
    "The total number of slow apply requests (likely overloaded from slow disk).");
inline metrics::Counter& slow_read_indexes_total = metrics::Default().AddCounter(
    "etcd_server_slow_read_indexes_total",
    "The total number of pending read indexes not in sync with leader's or timed out read index "
    "requests.");
inline metrics::Counter& read_indexes_failed_total = metrics::Default().AddCounter(
    "etcd_server_read_indexes_failed_total", "The total number of failed read indexes seen.");

inline metrics::Histogram& wal_fsync_seconds = metrics::Default().AddHistogram(
    "etcd_disk_wal_fsync_duration_seconds", "The latency distributions of fsync called by WAL.",
    metrics::ExponentialBounds(.001, 2, 14));
inline metrics::Histogram& wal_write_seconds = metrics::Default().AddHistogram(
    "etcd_disk_wal_write_duration_seconds", "The latency distributions of write called by WAL.",
    metrics::ExponentialBounds(.001, 2, 14));
inline metrics::Gauge& wal_write_bytes = metrics::Default().AddGauge(
    "etcd_disk_wal_write_bytes_total", "Total number of bytes written in WAL.");

inline metrics::Histogram& snapshot_seconds = metrics::Default().AddHistogram(
    "etcd_disk_backend_snapshot_duration_seconds", "The latency distribution of backend snapshots.",
    metrics::ExponentialBounds(.01, 2, 17));

inline metrics::Counter& leases_granted_total = metrics::Default().AddCounter(
    "etcd_debugging_lease_granted_total", "The total number of granted leases.");
inline metrics::Counter& leases_revoked_total = metrics::Default().AddCounter(
    "etcd_debugging_lease_revoked_total", "The total number of revoked leases.");
inline metrics::Counter& leases_renewed_total = metrics::Default().AddCounter(
    "etcd_debugging_lease_renewed_total", "The number of renewed leases seen by the leader.");
// From one second to three months.
inline metrics::Histogram& lease_ttl_seconds = metrics::Default().AddHistogram(
    "etcd_debugging_lease_ttl_total", "Bucketed histogram of lease TTLs.",
    metrics::ExponentialBounds(1, 2, 24));
inline metrics::Counter& leases_expired_total = metrics::Default().AddCounter(
    "etcd_debugging_server_lease_expired_total", "The total number of expired leases.");

// Registers what etcd has and this build never counts (idle_metrics.cc). Idempotent.
void AddIdleMetrics();

// -- durations by kind ------------------------------------------------------------------------
// Each appears in the text once it was observed, as etcd's do.

enum class Operation {
  kPut,
  kDeleteRange,
  kTxn,
  kRange,
  kReadonlyTxn,
  kCompaction,
  kLeaseGrant,
  kLeaseRevoke,
  kLeaseCheckpoint,
  kAlarm,
  kClusterVersionSet,
  kClusterMemberAttrSet,
  kOther,
};
Operation OperationOf(const etcdserverpb::InternalRaftRequest& request);

// From the call to the answer.
void ObserveRequest(Operation operation, bool success, Duration took);
// The same for who has a scope: a failure unless Succeeded was called.
class RequestMeter {
 public:
  explicit RequestMeter(Operation operation) : operation_(operation) {}
  RequestMeter(const RequestMeter&) = delete;
  ~RequestMeter() { ObserveRequest(operation_, success_, elapsed()); }
  void Succeeded() { success_ = true; }
  Duration elapsed() const { return std::chrono::steady_clock::now() - begin_; }

 private:
  const Operation operation_;
  const TimePoint begin_ = std::chrono::steady_clock::now();
  bool success_ = false;
};
// How long a snapshot of the database is held, from its making to the end of its transfer.
class SnapshotMeter {
 public:
  SnapshotMeter() = default;
  SnapshotMeter(const SnapshotMeter&) = delete;
  ~SnapshotMeter() { snapshot_seconds.Observe(std::chrono::steady_clock::now() - begin_); }

 private:
  const TimePoint begin_ = std::chrono::steady_clock::now();
};
// One entry's turn in the apply stage.
void ObserveApply(Operation operation, bool success, Duration took);
// A range outside of a txn, and how long its reading took.
void CountRange(bool success, Duration took);

}  // namespace kvorum::server
