// Metrics of etcd that nothing here can ever change: of parts that its server links but does not
// run any more, of phases that its database file has and ours has not, and of services that this
// build lacks. Dashboards, alerts and etcd's own tests expect to find the names, and zero is the
// truth.

#include "base/metrics.h"
#include "server/metrics.h"

namespace kvorum::server {
namespace {

void AddSeconds(const char* name, const char* help, double start, int count) {
  metrics::Default().AddHistogram(name, help, metrics::ExponentialBounds(start, 2, count));
}

void AddGauge(const char* name, const char* help) { metrics::Default().AddGauge(name, help); }

void AddCounter(const char* name, const char* help) { metrics::Default().AddCounter(name, help); }

// The store of etcd's second version, and its gRPC proxy.
void AddRetired() {
  AddCounter("etcd_debugging_store_expires_total", "Total number of expired keys.");
  AddCounter("etcd_debugging_store_watch_requests_total",
             "Total number of incoming watch requests (new or reestablished).");
  AddGauge("etcd_debugging_store_watchers", "Count of currently active watchers.");
  AddGauge("etcd_grpc_proxy_cache_hits_total", "Total number of cache hits");
  AddGauge("etcd_grpc_proxy_cache_keys_total", "Total number of keys/ranges cached");
  AddGauge("etcd_grpc_proxy_cache_misses_total", "Total number of cache misses");
  AddCounter("etcd_grpc_proxy_events_coalescing_total", "Total number of events coalescing");
  AddGauge("etcd_grpc_proxy_watchers_coalescing_total",
           "Total number of current watchers coalescing");
}

// A commit of ours is one write.
void AddPhasesOfCommit() {
  AddSeconds("etcd_debugging_disk_backend_commit_rebalance_duration_seconds",
             "The latency distributions of commit.rebalance called by bboltdb backend.", .001, 14);
  AddSeconds("etcd_debugging_disk_backend_commit_spill_duration_seconds",
             "The latency distributions of commit.spill called by bboltdb backend.", .001, 14);
  AddSeconds("etcd_debugging_disk_backend_commit_write_duration_seconds",
             "The latency distributions of commit.write called by bboltdb backend.", .001, 14);
}

// Of other members, snapshots and users; and of etcd's own way to make progress answers, which here
// is a part of the watch stage.
void AddNotServed() {
  AddSeconds("etcd_debugging_server_watch_send_loop_progress_duration_seconds",
             "The total duration in seconds of running through the progress loop control stream "
             "response.",
             .001, 14);
  AddCounter("etcd_server_heartbeat_send_failures_total",
             "The total number of leader heartbeat send failures (likely overloaded from slow "
             "disk).");
  AddCounter("etcd_server_learner_promote_successes",
             "The total number of successful learner promotions while this member is leader.");
  AddGauge("etcd_server_snapshot_apply_in_progress_total",
           "1 if the server is applying the incoming snapshot. 0 if none.");
  AddSeconds("etcd_snap_db_fsync_duration_seconds",
             "The latency distributions of fsyncing .snap.db file", .001, 14);
  AddSeconds("etcd_snap_db_save_total_duration_seconds",
             "The total latency distributions of v3 snapshot save", .1, 10);
  // A cluster without authentication is at revision 1.
  metrics::Default()
      .AddGauge("etcd_debugging_auth_revision", "The current revision of auth store.")
      .Set(1);
}

}  // namespace

void AddIdleMetrics() {
  AddRetired();
  AddPhasesOfCommit();
  AddNotServed();
}

}  // namespace kvorum::server
