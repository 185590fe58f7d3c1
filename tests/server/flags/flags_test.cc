// Command line and environment to Config, refusals and exit codes. The expected texts were taken
// from an etcd 3.7.1 binary.

#include "server/flags/flags.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "server/flags/default_host.h"
#include "server/flags/feature_gates.h"
#include "server/flags/flag_table.h"

namespace kvorum::server::flags {
namespace {

using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using ::testing::StartsWith;

Outcome Start(std::vector<std::string> args, const std::vector<std::string>& environment = {},
              const std::string& default_host = "") {
  args.insert(args.begin(), "kvorum");
  return ParseFlags(args, environment, default_host);
}

Config Accept(const std::vector<std::string>& args,
              const std::vector<std::string>& environment = {}) {
  Outcome outcome = Start(args, environment);
  EXPECT_TRUE(outcome.config.has_value()) << outcome.err;
  if (outcome.config) return *outcome.config;
  for (const LogLine& line : outcome.lines) {
    for (const auto& [key, value] : line.fields) {
      if (key == "error") ADD_FAILURE() << std::get<std::string>(value);
    }
  }
  return {};
}

// The error of "failed to verify flags", with exit 1.
std::string Refusal(const std::vector<std::string>& args,
                    const std::vector<std::string>& environment = {}) {
  const Outcome outcome = Start(args, environment);
  EXPECT_FALSE(outcome.config.has_value());
  EXPECT_EQ(outcome.exit_code, 1);
  for (const LogLine& line : outcome.lines) {
    if (line.message != "failed to verify flags") continue;
    EXPECT_EQ(line.level, log::Level::kWarn);
    return std::get<std::string>(line.fields.at(0).second);
  }
  return "no such line; stderr: " + outcome.err;
}

// The first line of stderr, with exit 2.
std::string SyntaxError(const std::vector<std::string>& args) {
  const Outcome outcome = Start(args);
  EXPECT_EQ(outcome.exit_code, 2);
  EXPECT_EQ(outcome.out, "");
  EXPECT_THAT(outcome.err, HasSubstr("\nUsage:\n"));
  return outcome.err.substr(0, outcome.err.find('\n'));
}

std::vector<std::string> Messages(const std::vector<LogLine>& lines) {
  std::vector<std::string> messages;
  for (const LogLine& line : lines) messages.push_back(line.message);
  return messages;
}

TEST(FlagsTest, DefaultsAreEtcds) {
  const Config config = Accept({});
  EXPECT_EQ(config.name, "default");
  EXPECT_EQ(config.data_dir, "default.etcd");
  EXPECT_THAT(config.listen_peer_urls, ElementsAre("http://localhost:2380"));
  EXPECT_THAT(config.listen_client_urls, ElementsAre("http://localhost:2379"));
  EXPECT_EQ(config.initial_cluster, "default=http://localhost:2380");
  EXPECT_EQ(config.snapshot_count, 10000u);
  EXPECT_EQ(config.max_request_bytes, 1572864u);
  EXPECT_TRUE(config.enable_grpc_gateway);
  EXPECT_EQ(config.log_level, "info");
  EXPECT_THAT(config.log_outputs, ElementsAre("default"));
}

TEST(FlagsTest, EveryFlagWithAFunctionReachesTheConfig) {
  const Config config = Accept({"--name=a",
                                "--data-dir",
                                "/d",
                                "--listen-peer-urls=http://127.0.0.1:2,http://127.0.0.1:1",
                                "--listen-client-urls=http://127.0.0.1:3",
                                "--initial-advertise-peer-urls=http://h:1",
                                "--advertise-client-urls=http://h:3",
                                "--initial-cluster=a=http://h:1,b=http://g:1",
                                "--initial-cluster-state=existing",
                                "--initial-cluster-token=t",
                                "--quota-backend-bytes=-1",
                                "--snapshot-count=7",
                                "--snapshot-catchup-entries=8",
                                "--max-txn-ops=9",
                                "--max-request-bytes=0x100",
                                "--enable-grpc-gateway=false",
                                "--heartbeat-interval=50",
                                "--election-timeout=500",
                                "--watch-progress-notify-interval=5s",
                                "--strict-reconfig-check=false",
                                "--bootstrap-defrag-threshold-megabytes=3",
                                "--warning-unary-request-duration=1s",
                                "--warning-apply-duration=2s",
                                "--log-level=DEBUG",
                                "--log-outputs=stdout,/tmp/x,stdout",
                                "--logger=zap"});
  EXPECT_EQ(config.name, "a");
  EXPECT_EQ(config.data_dir, "/d");
  EXPECT_THAT(config.listen_peer_urls, ElementsAre("http://127.0.0.1:1", "http://127.0.0.1:2"));
  EXPECT_THAT(config.listen_client_urls, ElementsAre("http://127.0.0.1:3"));
  EXPECT_THAT(config.initial_advertise_peer_urls, ElementsAre("http://h:1"));
  EXPECT_THAT(config.advertise_client_urls, ElementsAre("http://h:3"));
  EXPECT_EQ(config.initial_cluster, "a=http://h:1,b=http://g:1");
  EXPECT_EQ(config.initial_cluster_state, "existing");
  EXPECT_EQ(config.initial_cluster_token, "t");
  EXPECT_EQ(config.quota_backend_bytes, -1);
  EXPECT_EQ(config.snapshot_count, 7u);
  EXPECT_EQ(config.snapshot_catchup_entries, 8u);
  EXPECT_EQ(config.max_txn_ops, 9u);
  EXPECT_EQ(config.max_request_bytes, 256u);
  EXPECT_FALSE(config.enable_grpc_gateway);
  EXPECT_EQ(config.heartbeat_interval_ms, 50u);
  EXPECT_EQ(config.election_timeout_ms, 500u);
  EXPECT_EQ(config.watch_progress_notify_interval, std::chrono::seconds(5));
  EXPECT_FALSE(config.strict_reconfig_check);
  EXPECT_EQ(config.bootstrap_defrag_threshold_bytes, 3u << 20);
  EXPECT_EQ(config.warning_unary_request_duration, std::chrono::seconds(1));
  EXPECT_EQ(config.warning_apply_duration, std::chrono::seconds(2));
  EXPECT_EQ(config.log_level, "debug");
  EXPECT_THAT(config.log_outputs, ElementsAre("/tmp/x", "stdout"));
}

TEST(FlagsTest, ZeroSnapshotCountsMeanTheDefaults) {
  const Config config = Accept({"--snapshot-count=0", "--snapshot-catchup-entries=0"});
  EXPECT_EQ(config.snapshot_count, 10000u);
  EXPECT_EQ(config.snapshot_catchup_entries, 5000u);
}

TEST(FlagsTest, ZeroMeansTheDefaultForSlowCallsButNotForSlowApplying) {
  const Config config =
      Accept({"--warning-unary-request-duration=0", "--warning-apply-duration=0"});
  EXPECT_EQ(config.warning_unary_request_duration, std::chrono::milliseconds(300));
  EXPECT_EQ(config.warning_apply_duration, Duration::zero());
}

TEST(FlagsTest, HugeDefragThresholdIsNeverReached) {
  const Config config = Accept({"--bootstrap-defrag-threshold-megabytes=18446744073709551615"});
  EXPECT_GT(config.bootstrap_defrag_threshold_bytes, uint64_t{1} << 62);
}

TEST(FlagsTest, DeprecatedFlagsGetTheirWarning) {
  EXPECT_THAT(Messages(Start({"--name=a", "--max-snapshots=5"}).lines),
              Contains("--max-snapshots is deprecated in 3.6 and will be decommissioned in 3.8."));
  EXPECT_THAT(Messages(Start({"--name=a"}, {"ETCD_V2_DEPRECATION=gone"}).lines),
              Contains("--v2-deprecation is deprecated and scheduled for removal in v3.8. The "
                       "default value is enforced, ignoring user input."));
  EXPECT_THAT(Messages(Start({"--name=a"}).lines), Not(Contains(HasSubstr("deprecated"))));
}

TEST(FlagsTest, ProgressIntervalHasADefaultAndAMinimum) {
  EXPECT_EQ(Accept({"--watch-progress-notify-interval=0"}).watch_progress_notify_interval,
            std::chrono::minutes(10));
  EXPECT_EQ(Accept({"--watch-progress-notify-interval=1ms"}).watch_progress_notify_interval,
            std::chrono::milliseconds(100));
}

TEST(FlagsTest, KeepaliveTimesThatAreOffMeanTheLibrarysDefaults) {
  const Config given = Accept({"--grpc-keepalive-min-time=2s", "--grpc-keepalive-interval=10ms",
                               "--grpc-keepalive-timeout=3s"});
  EXPECT_EQ(given.grpc_keepalive_min_time, std::chrono::seconds(2));
  EXPECT_EQ(given.grpc_keepalive_interval, std::chrono::seconds(1)) << "the least there is";
  EXPECT_EQ(given.grpc_keepalive_timeout, std::chrono::seconds(3));
  const Config off = Accept({"--grpc-keepalive-min-time=0", "--grpc-keepalive-interval=1m",
                             "--grpc-keepalive-timeout=0"});
  EXPECT_EQ(off.grpc_keepalive_min_time, std::chrono::minutes(5));
  EXPECT_EQ(off.grpc_keepalive_interval, std::chrono::hours(2));
  EXPECT_EQ(off.grpc_keepalive_timeout, std::chrono::seconds(20));
}

TEST(FlagsTest, ListenersAndTheirConnections) {
  const Config config = Accept({"--listen-client-http-urls=unix:///tmp/s", "--socket-reuse-port",
                                "--socket-reuse-address=true", "--max-concurrent-streams=7"});
  EXPECT_THAT(config.listen_client_http_urls, ElementsAre("unix:///tmp/s"));
  EXPECT_TRUE(config.socket_reuse_port);
  EXPECT_EQ(config.max_concurrent_streams, 7u);
  EXPECT_EQ(Accept({}).max_concurrent_streams, 0u);
}

TEST(FlagsTest, ClusterFollowsTheName) {
  EXPECT_EQ(
      Accept({"--name=a", "--initial-advertise-peer-urls=http://h:2,http://h:1"}).initial_cluster,
      "a=http://h:1,a=http://h:2");
  EXPECT_EQ(Accept({"--name=a", "--initial-cluster=b=http://h:1"}).initial_cluster, "b=http://h:1");
}

TEST(FlagsTest, ListeningEverywhereAdvertisesTheDefaultRoute) {
  const Outcome outcome =
      Start({"--name=a", "--listen-peer-urls=http://0.0.0.0:99"}, {}, "10.1.2.3");
  ASSERT_TRUE(outcome.config.has_value());
  EXPECT_THAT(outcome.config->initial_advertise_peer_urls, ElementsAre("http://10.1.2.3:99"));
  EXPECT_EQ(outcome.config->initial_cluster, "a=http://10.1.2.3:99");
  EXPECT_THAT(outcome.config->advertise_client_urls, ElementsAre("http://localhost:2379"));
  EXPECT_THAT(Messages(outcome.lines), ::testing::Contains("detected default host for advertise"));
}

TEST(FlagsTest, VersionBeginsAsToolsReadIt) {
  const Outcome outcome = Start({"--version", "--heartbeat-interval=0"}, {"ETCD_FOO=1"});
  EXPECT_EQ(outcome.exit_code, 0);
  EXPECT_THAT(outcome.out, StartsWith("etcd Version: 3.7.1\nGit SHA: "));
  EXPECT_THAT(outcome.out, HasSubstr("\nkvorum Version: 0.1.0\n"));
  EXPECT_EQ(outcome.err, "");
  EXPECT_FALSE(outcome.config.has_value());
}

TEST(FlagsTest, HelpSplitsOverTheStreams) {
  for (const char* flag : {"-h", "--help"}) {
    const Outcome outcome = Start({flag});
    EXPECT_EQ(outcome.exit_code, 0);
    EXPECT_THAT(outcome.err, StartsWith("Usage:\n"));
    EXPECT_THAT(outcome.out, HasSubstr("--listen-client-urls 'http://localhost:2379'\n"));
    EXPECT_THAT(outcome.out, HasSubstr("--name 'default'\n"));
  }
}

TEST(FlagsTest, SyntaxErrors) {
  EXPECT_EQ(SyntaxError({"--nosuch"}), "flag provided but not defined: -nosuch");
  EXPECT_EQ(SyntaxError({"--experimental-initial-corrupt-check"}),
            "flag provided but not defined: -experimental-initial-corrupt-check");
  EXPECT_EQ(SyntaxError({"--discovery=x"}), "flag provided but not defined: -discovery");
  EXPECT_EQ(SyntaxError({"--name"}), "flag needs an argument: -name");
  EXPECT_EQ(SyntaxError({"--listen-client-urls=localhost:2379"}),
            "invalid value \"localhost:2379\" for flag -listen-client-urls: URL scheme must be "
            "http, https, unix, or unixs: localhost:2379");
  EXPECT_EQ(SyntaxError({"--initial-cluster-state=bogus"}),
            "invalid value \"bogus\" for flag -initial-cluster-state: invalid value");
  EXPECT_EQ(SyntaxError({"--v2-deprecation=not-yet"}),
            "invalid value \"not-yet\" for flag -v2-deprecation: invalid value \"not-yet\"");
  EXPECT_EQ(SyntaxError({"--max-concurrent-streams=-1"}),
            "invalid value \"-1\" for flag -max-concurrent-streams: strconv.ParseUint: parsing "
            "\"-1\": invalid syntax");
  EXPECT_EQ(SyntaxError({"--grpc-keepalive-min-time=5"}),
            "invalid value \"5\" for flag -grpc-keepalive-min-time: parse error");
  EXPECT_EQ(SyntaxError({"--auto-tls="}), "invalid boolean value \"\" for -auto-tls: parse error");
}

TEST(FlagsTest, FeatureGateErrors) {
  EXPECT_EQ(SyntaxError({"--feature-gates=Foo=true"}),
            "invalid value \"Foo=true\" for flag -feature-gates: unrecognized feature gate: Foo");
  EXPECT_EQ(SyntaxError({"--feature-gates=AllAlpha"}),
            "invalid value \"AllAlpha\" for flag -feature-gates: missing bool value for AllAlpha");
  EXPECT_EQ(SyntaxError({"--feature-gates=AllAlpha=x"}),
            "invalid value \"AllAlpha=x\" for flag -feature-gates: invalid value of AllAlpha=x, "
            "err: strconv.ParseBool: parsing \"x\": invalid syntax");
}

TEST(FlagsTest, FeatureGatesReachTheConfig) {
  const Config off = Accept({});
  EXPECT_FALSE(off.compact_hash_check || off.initial_corrupt_check || off.lease_checkpoint ||
               off.lease_checkpoint_persist || off.priority_request || off.set_member_local_addr ||
               off.stop_grpc_service_on_defrag);
  EXPECT_TRUE(off.fast_lease_keep_alive);
  const Config on = Accept({"--feature-gates=PriorityRequest=true", "--feature-gates",
                            " SetMemberLocalAddr = T ,TxnModeWriteWithSharedBuffer=0",
                            "--feature-gates=InitialCorruptCheck=1,LeaseCheckpoint=true,"
                            "LeaseCheckpointPersist=true,FastLeaseKeepAlive=false"});
  EXPECT_TRUE(on.priority_request && on.set_member_local_addr && on.initial_corrupt_check);
  EXPECT_TRUE(on.lease_checkpoint && on.lease_checkpoint_persist);
  EXPECT_FALSE(on.fast_lease_keep_alive);
}

TEST(FlagsTest, EveryFeatureCanBeSwitched) {
  const Config alpha = Accept({"--feature-gates=AllAlpha=true"});
  EXPECT_TRUE(alpha.compact_hash_check && alpha.initial_corrupt_check && alpha.lease_checkpoint);
  EXPECT_FALSE(Accept({"--feature-gates=AllBeta=false"}).fast_lease_keep_alive);
}

TEST(FlagsTest, TimeOfTheCompactHashCheck) {
  EXPECT_EQ(Accept({}).compact_hash_check_time, std::chrono::minutes(1));
  EXPECT_EQ(Accept({"--compact-hash-check-time=1500ms"}).compact_hash_check_time,
            std::chrono::milliseconds(1500));
  EXPECT_EQ(SyntaxError({"--experimental-compact-hash-check-enabled"}),
            "flag provided but not defined: -experimental-compact-hash-check-enabled");
}

TEST(FlagsTest, CheckpointsWithoutPersistenceGetAWarning) {
  EXPECT_THAT(Messages(Start({"--feature-gates=LeaseCheckpoint=true"}).lines),
              ::testing::Contains(StartsWith("Detected that checkpointing is enabled without")));
}

TEST(FlagsTest, WhatTunesAnotherCompactionIsTakenWithAWarning) {
  const Outcome outcome = Start({"--compaction-batch-limit=5", "--compaction-sleep-interval=1s"});
  ASSERT_TRUE(outcome.config.has_value());
  const std::vector<std::string> messages = Messages(outcome.lines);
  EXPECT_EQ(std::count(messages.begin(), messages.end(), "flag has no effect in this server"), 2);
}

TEST(FlagsTest, AutoCompactionReachesTheConfigAsItIs) {
  const Config config =
      Accept({"--auto-compaction-mode=revision", "--auto-compaction-retention=xx"});
  EXPECT_EQ(config.auto_compaction_mode, "revision");
  EXPECT_EQ(config.auto_compaction_retention, "xx") << "a later step refuses it, as in etcd";
}

// Of a gate that is set nothing but its own name changes it, in whatever flag that comes.
TEST(FlagsTest, AllOfAStageSetsWhatIsNotSetYet) {
  const auto merge = [](std::vector<std::string> texts) {
    std::string value;
    for (const std::string& text : texts) value = *MergeFeatureGates(value, text);
    return value;
  };
  std::string gates = merge({"LeaseCheckpoint=false,AllAlpha=true"});
  EXPECT_FALSE(FeatureEnabled(gates, "LeaseCheckpoint"));
  EXPECT_TRUE(FeatureEnabled(gates, "CompactHashCheck"));
  EXPECT_TRUE(FeatureEnabled(gates, "AllAlpha"));
  gates = merge({"AllAlpha=true", "LeaseCheckpoint=false"});
  EXPECT_FALSE(FeatureEnabled(gates, "LeaseCheckpoint"));
  gates = merge({"AllAlpha=true", "AllAlpha=false"});
  EXPECT_TRUE(FeatureEnabled(gates, "CompactHashCheck")) << "set by the first";
  EXPECT_FALSE(FeatureEnabled(gates, "AllAlpha"));
  gates = merge({"AllBeta=false"});
  EXPECT_FALSE(FeatureEnabled(gates, "FastLeaseKeepAlive"));
  EXPECT_FALSE(FeatureEnabled(gates, "CompactHashCheck"));
  EXPECT_TRUE(FeatureEnabled("", "FastLeaseKeepAlive"));
}

TEST(FlagsTest, MemberLocalAddressIsTheFirstOthersCouldUse) {
  EXPECT_EQ(Accept({"--feature-gates=SetMemberLocalAddr=true",
                    "--initial-advertise-peer-urls=http://10.1.2.3:1,http://[2001:db8::1]:1,"
                    "http://127.0.0.1:1,http://0.0.0.0:1,http://a.b:1"})
                .member_local_address,
            "10.1.2.3");
  EXPECT_EQ(FirstRoutableHost({"http://[::1]:1", "http://a:1", "http://[2001:DB8::1]:1"}),
            "2001:db8::1");
  const Outcome none = Start({"--feature-gates=SetMemberLocalAddr=true"});
  EXPECT_THAT(Messages(none.lines),
              ::testing::Contains("unable to set a member local address due to lack of suitable "
                                  "local addresses"));
}

TEST(FlagsTest, UnknownLevelIsThePanicOfTheOriginal) {
  const Outcome outcome = Start({"--log-level=foo"});
  EXPECT_EQ(outcome.exit_code, 2);
  EXPECT_EQ(outcome.err, "panic: unrecognized level: \"foo\"\n");
}

TEST(FlagsTest, Contradictions) {
  EXPECT_EQ(Refusal({"foo"}), "\"foo\" is not a valid flag");
  EXPECT_EQ(Refusal({"--pre-vote", "false"}), "\"false\" is not a valid flag");
  EXPECT_EQ(Refusal({"--discovery-fallback=proxy"}),
            "v2 proxy is deprecated, and --discovery-fallback can't be configured as \"proxy\"");
  EXPECT_EQ(Refusal({"--logger=capnslog"}), "--logger=capnslog is removed in v3.5");
  EXPECT_EQ(Refusal({"--logger=foo"}), "unknown logger option \"foo\"");
  EXPECT_EQ(Refusal({"--log-outputs=default,stderr"}),
            "multi logoutput for \"default\" is not supported yet");
  EXPECT_EQ(Refusal({"--log-format=foo"}),
            "unknown log format: foo, supported values json, console");
  EXPECT_EQ(Refusal({"--listen-client-urls=http://example.com:2379"}),
            "expected IP in URL for binding (http://example.com:2379)");
  EXPECT_EQ(Refusal({"--initial-advertise-peer-urls=http://:2380"}),
            "--initial-advertise-peer-urls \"http://:2380\" must be \"host:port\" (unexpected "
            "empty host (http://:2380))");
  EXPECT_EQ(Refusal({"--advertise-client-urls=http://:1,http://a:2"}),
            "--advertise-client-urls \"http://:1,http://a:2\" must be in the format "
            "\"host:port\", \"unix:/path/to/socket\" or \"unixs:/path/to/socket\" (unexpected "
            "empty host (http://:1))");
  EXPECT_EQ(Refusal({"--heartbeat-interval=0"}), "--heartbeat-interval must be >0 (set to 0ms)");
  EXPECT_EQ(Refusal({"--election-timeout=0"}), "--election-timeout must be >0 (set to 0ms)");
  EXPECT_EQ(Refusal({"--heartbeat-interval=300"}),
            "--election-timeout[1000ms] should be at least as 5 times as "
            "--heartbeat-interval[300ms]");
  EXPECT_EQ(Refusal({"--election-timeout=60000"}),
            "--election-timeout[60000ms] is too long, and should be set less than 50000ms");
  EXPECT_EQ(Refusal({"--auto-compaction-mode="}), "undefined auto-compaction-mode");
  EXPECT_EQ(Refusal({"--auto-compaction-mode=foo"}), "unknown auto-compaction-mode \"foo\"");
  EXPECT_EQ(Refusal({"--compact-hash-check-time=0"}),
            "--compact-hash-check-time must be >0 (set to 0s)");
  EXPECT_EQ(Refusal({"--feature-gates=LeaseCheckpointPersist=true"}),
            "enabling feature gate LeaseCheckpointPersist requires enabling feature gate "
            "LeaseCheckpoint");
  EXPECT_EQ(Refusal({"--tls-min-version=TLS1.1"}),
            "unexpected TLS version \"TLS1.1\" (must be one of: TLS1.2, TLS1.3)");
  EXPECT_EQ(Refusal({"--tls-min-version=TLS1.3", "--tls-max-version=TLS1.2"}),
            "min version (TLS1.3) is greater than max version (TLS1.2)");
  EXPECT_EQ(Refusal({"--discovery-token=x", "--discovery-endpoints=", "--initial-cluster="}),
            "--discovery-endpoints must not contain empty endpoints");
  EXPECT_EQ(Refusal({"--discovery-token=x"}),
            "both --discovery-token and --discovery-endpoints must be set");
}

TEST(FlagsTest, AdvertisedClientUrlsAreRequiredBesideListened) {
  const Outcome outcome = Start({"--name=a", "--listen-client-urls=http://127.0.0.1:1"});
  EXPECT_EQ(outcome.exit_code, 1);
  EXPECT_THAT(Messages(outcome.lines), ElementsAre("Running: ", "failed to verify flags",
                                                   "advertise client URLs are not set"));
  EXPECT_TRUE(outcome.log.has_value()) << "told through the configured logger";
}

TEST(FlagsTest, EarlierCheckWins) {
  EXPECT_EQ(Refusal({"--heartbeat-interval=0", "--logger=foo", "--listen-peer-urls=http://x:1"}),
            "unknown logger option \"foo\"");
  EXPECT_EQ(Refusal({"--heartbeat-interval=0", "--cert-file=x"}),
            "--heartbeat-interval must be >0 (set to 0ms)");
}

TEST(FlagsTest, WhatIsNotThereIsRefusedByName) {
  EXPECT_EQ(Refusal({"--cert-file=x"}), "--cert-file is not supported by this version of kvorum");
  EXPECT_EQ(Refusal({"--log-format=console"}),
            "--log-format is not supported by this version of kvorum (only json is)");
  EXPECT_EQ(Refusal({"--config-file=x"}),
            "--config-file is not supported by this version of kvorum");
  EXPECT_EQ(Refusal({}, {"ETCD_CONFIG_FILE=x"}),
            "--config-file is not supported by this version of kvorum");
  EXPECT_EQ(Refusal({"--listen-client-urls=https://127.0.0.1:1",
                     "--advertise-client-urls=https://127.0.0.1:1"}),
            "TLS in --listen-client-urls is not supported by this version of kvorum "
            "(https://127.0.0.1:1)");
}

TEST(FlagsTest, DefaultsAndWhatMeansTheSameAreAccepted) {
  (void)Accept({"--auto-compaction-retention=0", "--auto-compaction-mode=revision", "--pre-vote=T",
                "--strict-reconfig-check", "--grpc-keepalive-interval=120m",
                "--backend-batch-interval=100ms", "--max-concurrent-streams=0xffffffff",
                "--watch-progress-notify-interval=600s", "--compaction-batch-limit=1000",
                "--feature-gates=FastLeaseKeepAlive=true,AllAlpha=false",
                "--feature-gates=TxnModeWriteWithSharedBuffer=false", "--v2-deprecation=gone",
                "--tls-min-version=TLS1.2", "--cors=*", "--host-whitelist=*", "--force=x",
                "--test.coverprofile", "--max-snapshots=3"});
}

TEST(FlagsTest, HttpAndMetricsSettings) {
  const Config defaults = Accept({});
  EXPECT_THAT(defaults.cors, ElementsAre("*"));
  EXPECT_THAT(defaults.host_whitelist, ElementsAre("*"));
  EXPECT_THAT(defaults.listen_metrics_urls, IsEmpty());
  EXPECT_FALSE(defaults.extensive_metrics);
  const Config config =
      Accept({"--cors=http://b:2,http://a:1", "--host-whitelist=y,x,y",
              "--listen-metrics-urls=http://127.0.0.1:2381", "--metrics=extensive"});
  EXPECT_THAT(config.cors, ElementsAre("http://a:1", "http://b:2"));
  EXPECT_THAT(config.host_whitelist, ElementsAre("x", "y"));
  EXPECT_THAT(config.listen_metrics_urls, ElementsAre("http://127.0.0.1:2381"));
  EXPECT_TRUE(config.extensive_metrics);
  EXPECT_FALSE(Accept({"--metrics=anything"}).extensive_metrics);
  EXPECT_THAT(Accept({"--host-whitelist="}).host_whitelist, IsEmpty());
  EXPECT_EQ(Refusal({"--listen-metrics-urls=https://127.0.0.1:1"}),
            "TLS in --listen-metrics-urls is not supported by this version of kvorum "
            "(https://127.0.0.1:1)");
}

TEST(FlagsTest, EveryFlagIsAcceptedAtItsDefault) {
  for (const FlagDefinition& flag : AllFlags()) {
    if (flag.name == "version") continue;
    // To be given at all has a meaning for these.
    if (flag.name == "listen-client-urls" || flag.name == "discovery-endpoints") continue;
    const Outcome outcome =
        Start({"--" + std::string(flag.name) + "=" + std::string(flag.initial)});
    EXPECT_TRUE(outcome.config.has_value()) << flag.name << " " << outcome.err;
  }
}

TEST(FlagsTest, EmptyUrlListChangesNothing) {
  EXPECT_THAT(
      Accept({"--listen-peer-urls=http://127.0.0.1:1", "--listen-peer-urls="}).listen_peer_urls,
      ElementsAre("http://127.0.0.1:1"));
}

TEST(FlagsTest, VariablesStandInForFlags) {
  const Outcome outcome = Start({"--heartbeat-interval=20"},
                                {"ETCD_NAME=x", "ETCD_DATA_DIR=/d", "PATH=/bin", "ETCD_WAL_DIR="});
  ASSERT_TRUE(outcome.config.has_value());
  EXPECT_EQ(outcome.config->name, "x");
  EXPECT_EQ(outcome.config->data_dir, "/d");
  EXPECT_THAT(Messages(outcome.early_lines), ElementsAre("recognized and used environment variable",
                                                         "recognized and used environment variable",
                                                         "unrecognized environment variable"))
      << "an empty one is not used";
}

TEST(FlagsTest, StrangeVariablesGetAWarning) {
  const Outcome outcome = Start({}, {"ETCD_FOO=1", "ETCDX=1", "ETCD_VERSION=9"});
  ASSERT_TRUE(outcome.config.has_value());
  ASSERT_THAT(Messages(outcome.early_lines), ElementsAre("cannot set special environment variable",
                                                         "unrecognized environment variable"));
  EXPECT_EQ(std::get<std::string>(outcome.early_lines[1].fields[0].second), "ETCD_FOO=1");
}

TEST(FlagsTest, VariableBesideItsFlagIsFatal) {
  for (const char* variable : {"ETCD_NAME=b", "ETCD_NAME="}) {
    const Outcome outcome = Start({"--name=a"}, {variable});
    EXPECT_EQ(outcome.exit_code, 1);
    EXPECT_FALSE(outcome.config.has_value());
    ASSERT_EQ(outcome.early_lines.size(), 1u);
    EXPECT_EQ(outcome.early_lines[0].level, log::Level::kFatal);
    EXPECT_THAT(outcome.early_lines[0].message,
                StartsWith("conflicting environment variable is shadowed"));
    EXPECT_THAT(outcome.lines, IsEmpty());
  }
}

TEST(FlagsTest, BadVariableIsNamed) {
  EXPECT_EQ(Refusal({}, {"ETCD_HEARTBEAT_INTERVAL=abc"}),
            "invalid value \"abc\" for ETCD_HEARTBEAT_INTERVAL: parse error");
}

TEST(FlagsTest, OtherCommandsAreRefused) {
  const Outcome outcome = Start({"grpc-proxy", "start"});
  EXPECT_EQ(outcome.exit_code, 1);
  EXPECT_EQ(outcome.err, "the command grpc-proxy is not supported by this version of kvorum\n");
}

TEST(FlagsTest, LoggerGoesWhereItWasTold) {
  const Outcome outcome = Start({"--log-outputs=default", "--log-level=warn"});
  ASSERT_TRUE(outcome.log.has_value());
  EXPECT_THAT(outcome.log->outputs, ElementsAre("stderr"));
  EXPECT_EQ(outcome.log->level, log::Level::kWarn);
}

TEST(FlagsTest, DefaultRouteHostIsAnAddressOrNothing) {
  const std::string host = DefaultRouteHost();
  EXPECT_TRUE(host.empty() || host.find('.') != std::string::npos) << host;
}

}  // namespace
}  // namespace kvorum::server::flags
