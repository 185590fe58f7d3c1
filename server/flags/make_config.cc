#include "server/flags/make_config.h"

#include <algorithm>
#include <cctype>
#include <limits>

#include "base/go_duration.h"
#include "server/flags/default_host.h"
#include "server/flags/feature_gates.h"
#include "server/flags/urls.h"

namespace kvorum::server::flags {
namespace {

constexpr char kExtensiveMetrics[] = "extensive";
constexpr Duration kMinProgressInterval = std::chrono::milliseconds(100);
constexpr Duration kGrpcMinTime = std::chrono::minutes(5);
constexpr Duration kGrpcMinInterval = std::chrono::seconds(1);
constexpr uint64_t kUnlimitedStreams = std::numeric_limits<uint32_t>::max();

const Config& Defaults() {
  static const Config* const defaults = new Config();
  return *defaults;
}

std::string ToLower(std::string text) {
  std::transform(text.begin(), text.end(), text.begin(),
                 [](unsigned char c) { return std::tolower(c); });
  return text;
}

std::vector<std::string> LogOutputs(const FlagValues& values) {
  std::vector<std::string> outputs = values.List("log-outputs");
  if (outputs.empty()) outputs.push_back("default");
  return outputs;
}

uint32_t Saturate(uint64_t value) {
  return static_cast<uint32_t>(std::min<uint64_t>(value, std::numeric_limits<uint32_t>::max()));
}

uint64_t Megabytes(uint64_t count) {
  return std::min<uint64_t>(count, std::numeric_limits<int64_t>::max() >> 20) << 20;
}

uint64_t OrDefault(uint64_t value, uint64_t fallback) { return value == 0 ? fallback : value; }

Duration ProgressInterval(const FlagValues& values, std::vector<LogLine>* log_lines) {
  const Duration given = *ParseGoDuration(values.Text("watch-progress-notify-interval"));
  if (given <= Duration::zero()) return Defaults().watch_progress_notify_interval;
  if (given >= kMinProgressInterval) return given;
  log_lines->push_back({log::Level::kWarn,
                        "adjusting watch progress notify interval to minimum period",
                        {{"min-watch-progress-notify-interval", "100ms"}}});
  return kMinProgressInterval;
}

// They tune etcd's compaction, which works through its database in batches under a lock.
void WarnOfNoEffect(const FlagValues& values, std::vector<LogLine>* log_lines) {
  for (const char* flag : {"compaction-batch-limit", "compaction-sleep-interval"}) {
    if (!values.IsSet(flag)) continue;
    log_lines->push_back(
        {log::Level::kWarn, "flag has no effect in this server", {{"flag", std::string(flag)}}});
  }
}

void SetFeatures(const std::string& gates, Config* config, std::vector<LogLine>* log_lines) {
  config->features = AllFeatures(gates);
  config->compact_hash_check = FeatureEnabled(gates, "CompactHashCheck");
  config->fast_lease_keep_alive = FeatureEnabled(gates, "FastLeaseKeepAlive");
  config->initial_corrupt_check = FeatureEnabled(gates, "InitialCorruptCheck");
  config->lease_checkpoint = FeatureEnabled(gates, "LeaseCheckpoint");
  config->lease_checkpoint_persist = FeatureEnabled(gates, "LeaseCheckpointPersist");
  config->priority_request = FeatureEnabled(gates, "PriorityRequest");
  config->set_member_local_addr = FeatureEnabled(gates, "SetMemberLocalAddr");
  config->stop_grpc_service_on_defrag = FeatureEnabled(gates, "StopGRPCServiceOnDefrag");
  if (config->lease_checkpoint && !config->lease_checkpoint_persist) {
    log_lines->push_back({log::Level::kWarn,
                          "Detected that checkpointing is enabled without persistence. Consider "
                          "enabling feature gate LeaseCheckpointPersist",
                          {}});
  }
}

Duration UnaryWarningDuration(const FlagValues& values) {
  const Duration given = *ParseGoDuration(values.Text("warning-unary-request-duration"));
  return given == Duration::zero() ? Defaults().warning_unary_request_duration : given;
}

// What the original's gRPC library makes of these: without both times its own defaults hold, and it
// pings no more often than once a second.
void KeepaliveTimes(const FlagValues& values, Config* config) {
  const auto duration = [&values](std::string_view flag) {
    return *ParseGoDuration(values.Text(flag));
  };
  const Duration min_time = duration("grpc-keepalive-min-time");
  config->grpc_keepalive_min_time = min_time > Duration::zero() ? min_time : kGrpcMinTime;
  const Duration interval = duration("grpc-keepalive-interval");
  const Duration timeout = duration("grpc-keepalive-timeout");
  if (interval <= Duration::zero() || timeout <= Duration::zero()) return;
  config->grpc_keepalive_interval = std::max(interval, kGrpcMinInterval);
  config->grpc_keepalive_timeout = timeout;
}

void WarnOfDeprecatedFlags(const FlagValues& values, std::vector<LogLine>* log_lines) {
  constexpr std::pair<std::string_view, std::string_view> kDeprecated[] = {
      {"max-snapshots", "--max-snapshots is deprecated in 3.6 and will be decommissioned in 3.8."},
      {"v2-deprecation",
       "--v2-deprecation is deprecated and scheduled for removal in v3.8. The default value is "
       "enforced, ignoring user input."}};
  for (const auto& [flag, text] : kDeprecated) {
    if (values.IsSet(flag)) log_lines->push_back({log::Level::kWarn, std::string(text), {}});
  }
}

// The only URL of `advertised` is the default's, and the first of `listening` is on every address.
bool WantsDefaultHost(const std::vector<std::string>& advertised, const std::string& initial,
                      const std::vector<std::string>& listening) {
  if (advertised != std::vector<std::string>{initial} || listening.empty()) return false;
  const StatusOr<Url> url = ParseUrl(listening.front());
  const StatusOr<HostPort> address = SplitHostPort(url.ok() ? url->host : "");
  return address.ok() && address->host == "0.0.0.0";
}

void UseHost(const std::string& host, const std::string& listening, std::string* advertised) {
  *advertised = ParseUrl(*advertised)->scheme + "://" + host + ":" +
                SplitHostPort(ParseUrl(listening)->host)->port;
}

// Where connections to other members come from.
void FindMemberLocalAddress(Config* config, std::vector<LogLine>* lines) {
  const auto& urls = config->initial_advertise_peer_urls;
  lines->push_back({log::Level::kInfo,
                    "searching for a suitable member local address in AdvertisePeerURLs",
                    {{"advertise-peer-urls", urls}}});
  config->member_local_address = FirstRoutableHost(urls);
  if (config->member_local_address.empty()) {
    lines->push_back(
        {log::Level::kWarn,
         "unable to set a member local address due to lack of suitable local addresses",
         {{"advertise-peer-urls", urls}}});
    return;
  }
  lines->push_back({log::Level::kInfo,
                    "setting member local address",
                    {{"LocalAddr", config->member_local_address}}});
}

}  // namespace

// zap takes any case, and nothing for "info".
std::string LogLevel(const FlagValues& values) {
  const std::string level = ToLower(values.Text("log-level"));
  return level.empty() ? "info" : level;
}

log::Options LogOptions(const FlagValues& values) {
  log::Options options;
  options.level = *log::ParseLevel(LogLevel(values));
  options.outputs = LogOutputs(values);
  std::replace(options.outputs.begin(), options.outputs.end(), std::string("default"),
               std::string("stderr"));
  return options;
}

Config MakeConfig(const FlagValues& values, std::vector<LogLine>* lines) {
  Config config;
  WarnOfDeprecatedFlags(values, lines);
  config.name = values.Text("name");
  config.data_dir = values.Text("data-dir");
  config.listen_peer_urls = values.List("listen-peer-urls");
  config.listen_client_urls = values.List("listen-client-urls");
  config.listen_client_http_urls = values.List("listen-client-http-urls");
  config.socket_reuse_port = values.Bool("socket-reuse-port");
  config.initial_advertise_peer_urls = values.List("initial-advertise-peer-urls");
  config.advertise_client_urls = values.List("advertise-client-urls");
  config.initial_cluster = values.Text("initial-cluster");
  config.initial_cluster_state = values.Text("initial-cluster-state");
  config.initial_cluster_token = values.Text("initial-cluster-token");
  config.quota_backend_bytes = values.Int("quota-backend-bytes");
  config.snapshot_count = OrDefault(values.Uint("snapshot-count"), Defaults().snapshot_count);
  config.snapshot_catchup_entries =
      OrDefault(values.Uint("snapshot-catchup-entries"), Defaults().snapshot_catchup_entries);
  config.max_txn_ops = Saturate(values.Uint("max-txn-ops"));
  config.max_request_bytes = Saturate(values.Uint("max-request-bytes"));
  config.enable_grpc_gateway = values.Bool("enable-grpc-gateway");
  config.heartbeat_interval_ms = Saturate(values.Uint("heartbeat-interval"));
  config.election_timeout_ms = Saturate(values.Uint("election-timeout"));
  config.bootstrap_defrag_threshold_bytes =
      Megabytes(values.Uint("bootstrap-defrag-threshold-megabytes"));
  config.strict_reconfig_check = values.Bool("strict-reconfig-check");
  config.pre_vote = values.Bool("pre-vote");
  config.initial_election_tick_advance = values.Bool("initial-election-tick-advance");
  config.max_learners = values.Int("max-learners");
  config.warning_unary_request_duration = UnaryWarningDuration(values);
  config.warning_apply_duration = *ParseGoDuration(values.Text("warning-apply-duration"));
  config.watch_progress_notify_interval = ProgressInterval(values, lines);
  config.auto_compaction_mode = values.Text("auto-compaction-mode");
  config.auto_compaction_retention = values.Text("auto-compaction-retention");
  config.compact_hash_check_time = *ParseGoDuration(values.Text("compact-hash-check-time"));
  WarnOfNoEffect(values, lines);
  SetFeatures(values.Text("feature-gates"), &config, lines);
  config.listen_metrics_urls = values.List("listen-metrics-urls");
  config.cors = values.List("cors");
  config.host_whitelist = values.List("host-whitelist");
  config.extensive_metrics = values.Text("metrics") == kExtensiveMetrics;
  KeepaliveTimes(values, &config);
  const uint64_t streams = values.Uint("max-concurrent-streams");
  config.max_concurrent_streams = streams < kUnlimitedStreams ? Saturate(streams) : 0;
  config.log_level = LogLevel(values);
  config.log_outputs = LogOutputs(values);
  config.logger = values.Text("logger");
  if (config.name == Defaults().name) {
    lines->push_back({log::Level::kWarn,
                      "it isn't recommended to use default name, please set a value for --name. "
                      "Members of one cluster need different names",
                      {{"name", config.name}}});
  }
  return config;
}

// Defaults that follow from other settings. Order matters: the cluster is made of the advertised
// URLs.
void DeriveDefaults(const std::string& default_host, Config* config, std::vector<LogLine>* lines) {
  bool used = false;
  auto& peers = config->initial_advertise_peer_urls;
  auto& clients = config->advertise_client_urls;
  if (!default_host.empty() && WantsDefaultHost(peers, Defaults().initial_advertise_peer_urls[0],
                                                config->listen_peer_urls)) {
    UseHost(default_host, config->listen_peer_urls[0], &peers[0]);
    used = true;
  }
  if (config->name != Defaults().name && config->initial_cluster == Defaults().initial_cluster) {
    config->initial_cluster.clear();
    for (const std::string& url : peers) {
      if (!config->initial_cluster.empty()) config->initial_cluster += ",";
      config->initial_cluster += config->name + "=" + url;
    }
  }
  if (!default_host.empty() &&
      WantsDefaultHost(clients, Defaults().advertise_client_urls[0], config->listen_client_urls)) {
    UseHost(default_host, config->listen_client_urls[0], &clients[0]);
    used = true;
  }
  if (used) {
    lines->push_back(
        {log::Level::kInfo, "detected default host for advertise", {{"host", default_host}}});
  }
  if (config->set_member_local_addr) FindMemberLocalAddress(config, lines);
  if (config->data_dir.empty()) {
    config->data_dir = config->name + ".etcd";
    lines->push_back({log::Level::kWarn,
                      "'data-dir' was empty; using default",
                      {{"data-dir", config->data_dir}}});
  }
}

}  // namespace kvorum::server::flags
