// The kvorum server: flags, one member, its network front, and an orderly end.

#include <absl/synchronization/mutex.h>
#include <sys/resource.h>

#include <cstdio>
#include <cstdlib>
#include <memory>
#include <string>
#include <vector>

#include "api/api.h"
#include "base/clock.h"
#include "base/env.h"
#include "base/log.h"
#include "base/random.h"
#include "server/compactor/auto_compactor.h"
#include "server/flags/flags.h"
#include "server/peer_network.h"
#include "server/server.h"
#include "server/signals.h"

namespace kvorum {
namespace {

using server::StopSignals;

// Files and threads need these descriptors; a limit that leaves none for clients serves nobody.
constexpr rlim_t kReservedDescriptors = 150;

// etcd's last word on any failure to start.
int FailStart(const Status& status) {
  log::Write(log::Level::kFatal, "discovery failed", {{"error", status}});
  return EXIT_FAILURE;
}

bool EnoughDescriptors() {
  rlimit limit = {};
  return getrlimit(RLIMIT_NOFILE, &limit) != 0 || limit.rlim_cur > kReservedDescriptors;
}

void LogStart(const server::Config& config, const server::CompactionRetention& retention) {
  const bool by_revision = retention.mode == server::CompactionMode::kRevision;
  // As etcd has it, which keeps a number of revisions in a duration, too.
  const Duration kept = by_revision ? Duration(retention.revisions) : retention.period;
  const int64_t quota =
      config.quota_backend_bytes == 0 ? server::kDefaultQuotaBytes : config.quota_backend_bytes;
  LOG_INFO(
      "starting an etcd server", {"etcd-version", server::kServerVersion},
      {"kvorum-version", server::flags::kKvorumVersion}, {"name", config.name},
      {"data-dir", config.data_dir},
      {"heartbeat-interval", Duration(std::chrono::milliseconds(config.heartbeat_interval_ms))},
      {"election-timeout", Duration(std::chrono::milliseconds(config.election_timeout_ms))},
      {"snapshot-count", config.snapshot_count},
      {"snapshot-catchup-entries", config.snapshot_catchup_entries},
      {"initial-advertise-peer-urls", config.initial_advertise_peer_urls},
      {"listen-peer-urls", config.listen_peer_urls},
      {"advertise-client-urls", config.advertise_client_urls},
      {"listen-client-urls", config.listen_client_urls},
      {"listen-metrics-urls", config.listen_metrics_urls}, {"cors", config.cors},
      {"host-whitelist", config.host_whitelist}, {"initial-cluster", config.initial_cluster},
      {"initial-cluster-state", config.initial_cluster_state},
      {"initial-cluster-token", config.initial_cluster_token}, {"quota-backend-bytes", quota},
      {"max-request-bytes", config.max_request_bytes},
      {"initial-corrupt-check", config.initial_corrupt_check},
      {"compact-check-time-interval", config.compact_hash_check_time},
      {"auto-compaction-mode", config.auto_compaction_mode}, {"auto-compaction-retention", kept},
      {"auto-compaction-interval", kept}, {"v2-deprecation", "write-only"});
}

// Serves until a signal arrives, or until the member ends by itself (then 0).
StatusOr<int> Serve(const server::Config& config, StopSignals& signals) {
  api::FrontEndOptions front_options;
  front_options.client_urls = config.listen_client_urls;
  front_options.metrics_urls = config.listen_metrics_urls;
  front_options.cors_origins = config.cors;
  front_options.host_whitelist = config.host_whitelist;
  front_options.client_http_urls = config.listen_client_http_urls;
  front_options.reuse_port = config.socket_reuse_port;
  front_options.keepalive_min_time = config.grpc_keepalive_min_time;
  front_options.keepalive_interval = config.grpc_keepalive_interval;
  front_options.keepalive_timeout = config.grpc_keepalive_timeout;
  front_options.max_concurrent_streams = config.max_concurrent_streams;
  front_options.json_gateway = config.enable_grpc_gateway;
  // Before the port of the clients, and both before anything is written.
  ASSIGN_OR_RETURN(const auto peers, server::PeerNetwork::Listen(config));
  ASSIGN_OR_RETURN(const std::unique_ptr<api::FrontEnd> front,
                   api::FrontEnd::Listen(front_options));
  ASSIGN_OR_RETURN(const server::CompactionRetention retention,
                   server::ParseCompactionRetention(config.auto_compaction_mode,
                                                    config.auto_compaction_retention));
  LogStart(config, retention);
  const server::Dependencies dependencies = {.env = &PosixEnv(),
                                             .clock = &SystemClock(),
                                             .new_random = [] { return NewSystemRandom(); },
                                             .peers = peers.get(),
                                             .on_end = [&signals] { signals.Release(); }};
  StatusOr<std::unique_ptr<server::Server>> opened = server::Server::Open(config, dependencies);
  if (!opened.ok()) {
    LOG_ERROR("bootstrap failed", {"error", opened.status()});
    return opened.status();
  }
  server::Server& member = **opened;
  member.Start();
  front->ServeMetrics(&member);
  int signal = 0;
  if (member.WaitReady()) {
    RETURN_IF_ERROR(front->Start(&member));
    signals.SetReady();
    LOG_INFO("ready to serve client requests");
    signal = signals.Wait();
    if (signal != 0) {
      LOG_INFO("received signal; shutting down",
               {"signal", signal == SIGINT ? "interrupt" : "terminated"});
    }
  }
  LOG_INFO("closing etcd server", {"name", config.name}, {"data-dir", config.data_dir});
  front->Shutdown(config.request_timeout());
  member.Stop();
  front->Join();
  LOG_INFO("closed etcd server", {"name", config.name}, {"data-dir", config.data_dir});
  return signal;
}

int Main(int argc, char** argv) {
  // The packaged library is built to record the order of every lock that is taken. Tests run with
  // it; a server would pay for it with each request.
  absl::SetMutexDeadlockDetectionMode(absl::OnDeadlockCycle::kIgnore);
  const server::flags::Outcome outcome =
      server::flags::Parse(std::vector<std::string>(argv, argv + argc));
  std::fputs(outcome.out.c_str(), stdout);
  std::fputs(outcome.err.c_str(), stderr);
  if (!outcome.config) return outcome.exit_code;
  const server::Config& config = *outcome.config;
  if (!EnoughDescriptors()) {
    log::Write(log::Level::kFatal,
               "file descriptor limit of etcd process is too low; please set higher", {});
    return EXIT_FAILURE;
  }
  StatusOr<int> ended = EXIT_FAILURE;
  {
    StopSignals signals;
    ended = Serve(config, signals);
  }
  if (!ended.ok()) return FailStart(ended.status());
  if (*ended != 0) StopSignals::EndBy(*ended);
  return EXIT_SUCCESS;  // the cluster has removed this member
}

}  // namespace
}  // namespace kvorum

int main(int argc, char** argv) { return kvorum::Main(argc, argv); }
