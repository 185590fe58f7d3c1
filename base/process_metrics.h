#pragma once
// What the kernel knows about this process, as metrics: process_* as Prometheus' Go client names
// and counts them, and etcd's gauges of file descriptors.
//
// Follows client_golang prometheus/process_collector_procfsenabled.go and etcd
// server/etcdserver/metrics.go.

#include "base/metrics.h"

namespace kvorum::metrics {

// A Collector. What /proc does not tell is left out. Blocks for a few reads below /proc.
void CollectProcess(Samples* samples);

}  // namespace kvorum::metrics
