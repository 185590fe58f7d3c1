#pragma once
// What one member is told at start: the outcome of flags, environment and defaults, already
// validated (server/flags.h does that). Names and defaults are etcd's (etcd
// server/embed/config.go).

#include <cstdint>
#include <string>
#include <vector>

#include "base/clock.h"

namespace kvorum::server {

inline constexpr char kServerVersion[] = "3.7.1";  // the etcd release we answer as
inline constexpr char kClusterVersionOfServer[] = "3.7.0";
inline constexpr int64_t kDefaultQuotaBytes = 2147483648;  // 2 GiB

// One of --feature-gates.
struct Feature {
  std::string name;
  std::string stage;  // "ALPHA" or "BETA"
  bool enabled = false;
};

struct Config {
  std::string name = "default";
  std::string data_dir;  // empty: "<name>.etcd"
  std::vector<std::string> listen_peer_urls = {"http://localhost:2380"};
  std::vector<std::string> listen_client_urls = {"http://localhost:2379"};
  std::vector<std::string> listen_metrics_urls;
  // HTTP for clients, which then is not served on listen_client_urls; empty: there, beside gRPC.
  std::vector<std::string> listen_client_http_urls;
  bool socket_reuse_port = false;
  std::vector<std::string> initial_advertise_peer_urls = {"http://localhost:2380"};
  std::vector<std::string> advertise_client_urls = {"http://localhost:2379"};
  std::string initial_cluster = "default=http://localhost:2380";
  std::string initial_cluster_state = "new";  // or "existing"
  std::string initial_cluster_token = "etcd-cluster";

  int64_t quota_backend_bytes = 0;  // 0: kDefaultQuotaBytes; negative: no quota
  uint64_t snapshot_count = 10000;
  uint64_t snapshot_catchup_entries = 5000;
  uint32_t max_txn_ops = 128;
  uint32_t max_request_bytes = 1572864;
  bool enable_grpc_gateway = true;  // the JSON gateway on the client port
  uint32_t heartbeat_interval_ms = 100;
  uint32_t election_timeout_ms = 1000;
  bool strict_reconfig_check = true;
  bool pre_vote = true;
  // Whether a member of several moves its first election nearer once it has found the others.
  bool initial_election_tick_advance = true;
  int64_t max_learners = 1;
  uint64_t bootstrap_defrag_threshold_bytes = 0;  // 0: no defragmentation at start
  Duration warning_unary_request_duration = std::chrono::milliseconds(300);
  Duration warning_apply_duration = std::chrono::milliseconds(100);
  Duration watch_progress_notify_interval = std::chrono::minutes(10);  // at least 100 ms

  // See server/compactor/auto_compactor.h.
  std::string auto_compaction_mode = "periodic";  // or "revision"
  std::string auto_compaction_retention = "0";    // not validated yet

  Duration compact_hash_check_time = std::chrono::minutes(1);  // positive; with its feature

  std::vector<Feature> features;  // all of --feature-gates, to be shown
  // The same by etcd's names.
  bool compact_hash_check = false;
  bool fast_lease_keep_alive = true;
  bool initial_corrupt_check = false;
  bool lease_checkpoint = false;
  bool lease_checkpoint_persist = false;  // only with lease_checkpoint
  bool priority_request = false;
  bool set_member_local_addr = false;
  std::string member_local_address;  // what that gate found; empty: the system's choice
  bool stop_grpc_service_on_defrag = false;

  std::vector<std::string> cors = {"*"};            // origins; "*": all
  std::vector<std::string> host_whitelist = {"*"};  // empty or "*": all
  bool extensive_metrics = false;                   // with durations of calls

  // Of client connections, see api/api.h.
  Duration grpc_keepalive_min_time = std::chrono::seconds(5);
  Duration grpc_keepalive_interval = std::chrono::hours(2);
  Duration grpc_keepalive_timeout = std::chrono::seconds(20);
  uint32_t max_concurrent_streams = 0;  // 0: no limit

  std::string log_level = "info";
  std::vector<std::string> log_outputs = {"default"};
  std::string logger = "zap";

  uint64_t election_ticks() const { return election_timeout_ms / heartbeat_interval_ms; }
  // 5 s plus two election timeouts: how long the server itself waits for a request.
  Duration request_timeout() const {
    return std::chrono::seconds(5) + 2 * std::chrono::milliseconds(election_timeout_ms);
  }
};

}  // namespace kvorum::server
