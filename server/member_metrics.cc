// What a member says of itself at each scrape; see Server::CollectMetrics. Names, texts and values
// are those of etcd's collectors all over server/etcdserver and server/storage/mvcc.

#include "server/server_impl.h"

namespace kvorum::server {
namespace {

double Flag(bool value) { return value ? 1 : 0; }

double Number(int64_t value) { return static_cast<double>(value); }
double Number(Index value) { return static_cast<double>(value.value()); }

// "3.7" of "3.7.0".
std::string MajorMinor(const std::string& version) { return version.substr(0, version.rfind('.')); }

void CollectStore(const mvcc::Store& store, metrics::Samples* samples) {
  samples->AddGauge("etcd_mvcc_db_total_size_in_bytes",
                    "Total size of the underlying database physically allocated in bytes.",
                    Number(store.size_bytes()));
  samples->AddGauge("etcd_mvcc_db_total_size_in_use_in_bytes",
                    "Total size of the underlying database logically in use in bytes.",
                    Number(store.size_in_use_bytes()));
  samples->AddGauge("etcd_debugging_mvcc_current_revision", "The current revision of store.",
                    Number(store.current_revision().value()));
  samples->AddGauge("etcd_debugging_mvcc_compact_revision",
                    "The revision of the last compaction in store.",
                    Number(store.compacted_revision().value()));
  samples->AddGauge("etcd_mvcc_db_open_read_transactions",
                    "The number of currently open read transactions", Number(store.open_reads()));
  samples->AddGauge("etcd_debugging_mvcc_keys_total", "Total number of keys.",
                    Number(store.key_count()));
}

void CollectWatches(const mvcc::WatchableStore& watches, metrics::Samples* samples) {
  const mvcc::WatchStats stats = watches.stats();
  samples->AddGauge("etcd_debugging_mvcc_watch_stream_total", "Total number of watch streams.",
                    Number(stats.streams));
  samples->AddGauge("etcd_debugging_mvcc_watcher_total", "Total number of watchers.",
                    Number(stats.watchers));
  samples->AddGauge("etcd_debugging_mvcc_slow_watcher_total",
                    "Total number of unsynced slow watchers.", Number(stats.slow_watchers));
  samples->AddCounter("etcd_debugging_mvcc_events_total",
                      "Total number of events sent by this member.", Number(stats.events_sent));
}

}  // namespace

void EtcdServer::CollectMetrics(metrics::Samples* samples) {
  samples->AddGauge("etcd_server_has_leader",
                    "Whether or not a leader exists. 1 is existence, 0 is not.",
                    Flag(has_leader()));
  samples->AddGauge("etcd_server_is_leader",
                    "Whether or not this member is a leader. 1 if is, 0 otherwise.",
                    Flag(raft_.is_leader()));
  samples->AddGauge("etcd_server_is_learner",
                    "Whether or not this member is a learner. 1 if is, 0 otherwise.",
                    Flag(is_learner()));
  samples->AddGauge("etcd_server_proposals_committed_total",
                    "The total number of consensus proposals committed.",
                    Number(raft_.committed()));
  samples->AddGauge("etcd_server_proposals_applied_total",
                    "The total number of consensus proposals applied.", Number(apply_.applied()));
  samples->AddGauge("etcd_server_proposals_pending",
                    "The current number of pending proposals to commit.",
                    static_cast<double>(wait_list_.size()));
  samples->AddGauge(
      "etcd_server_quota_backend_bytes", "Current backend storage quota size in bytes.",
      Number(config_.quota_backend_bytes == 0 ? kDefaultQuotaBytes : config_.quota_backend_bytes));
  CollectIdentity(samples);
  CollectStore(*state_->store().Get(), samples);
  CollectWatches(state_->watches(), samples);
}

void EtcdServer::CollectIdentity(metrics::Samples* samples) {
  const std::string self = HexId(identity_.member);
  samples->AddGauge("etcd_server_id",
                    "Server or member ID in hexadecimal format. 1 for 'server_id' label with "
                    "current ID.",
                    1, {{"server_id", self}});
  samples->AddGauge("etcd_server_version",
                    "Which version is running. 1 for 'server_version' label with current version.",
                    1, {{"server_version", kServerVersion}});
  if (const std::string version = cluster_version(); !version.empty()) {
    samples->AddGauge("etcd_cluster_version",
                      "Which version is running. 1 for 'cluster_version' label with current "
                      "cluster version",
                      1, {{"cluster_version", MajorMinor(version)}});
  }
  for (const Feature& feature : config_.features) {
    samples->AddGauge("etcd_server_feature_enabled",
                      "Whether or not a feature is enabled. 1 is enabled, 0 is not.",
                      Flag(feature.enabled), {{"name", feature.name}, {"stage", feature.stage}});
  }
  for (const MemberInfo& member : Members()) {
    samples->AddGauge("etcd_network_known_peers", "The current number of known peers.", 1,
                      {{"Local", self}, {"Remote", HexId(member.id)}});
  }
}

}  // namespace kvorum::server
