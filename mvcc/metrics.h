#pragma once
// What the store counts; names and help texts are etcd's (server/storage/mvcc/metrics.go,
// server/storage/backend/metrics.go).

#include "base/metrics.h"

namespace kvorum::mvcc {

inline metrics::Counter& range_total = metrics::Default().AddCounter(
    "etcd_mvcc_range_total", "Total number of ranges seen by this member.");
inline metrics::Counter& put_total = metrics::Default().AddCounter(
    "etcd_mvcc_put_total", "Total number of puts seen by this member.");
inline metrics::Counter& delete_total = metrics::Default().AddCounter(
    "etcd_mvcc_delete_total", "Total number of deletes seen by this member.");
inline metrics::Counter& txn_total = metrics::Default().AddCounter(
    "etcd_mvcc_txn_total", "Total number of txns seen by this member.");
inline metrics::Gauge& put_bytes_total =
    metrics::Default().AddGauge("etcd_debugging_mvcc_total_put_size_in_bytes",
                                "The total size of put kv pairs seen by this member.");

inline metrics::Histogram& commit_seconds =
    metrics::Default().AddHistogram("etcd_disk_backend_commit_duration_seconds",
                                    "The latency distributions of commit called by backend.",
                                    metrics::ExponentialBounds(.001, 2, 14));

// The operations of one transaction, added to the totals at its end: two or more are a txn.
struct OperationCounts {
  uint64_t ranges = 0;
  uint64_t puts = 0;
  uint64_t deletes = 0;
  int64_t put_bytes = 0;

  void AddToTotals() {
    if (ranges + puts + deletes > 1) txn_total.Add();
    if (ranges > 0) range_total.Add(ranges);
    if (puts > 0) put_total.Add(puts);
    if (deletes > 0) delete_total.Add(deletes);
    if (put_bytes > 0) put_bytes_total.Add(put_bytes);
    *this = {};
  }
};

}  // namespace kvorum::mvcc
