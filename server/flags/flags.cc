#include "server/flags/flags.h"

#include <unistd.h>

#include <algorithm>
#include <cctype>
#include <limits>

#include "base/go_duration.h"
#include "server/flags/default_host.h"
#include "server/flags/flag_values.h"
#include "server/flags/go_flag.h"
#include "server/flags/go_value.h"
#include "server/flags/help.h"
#include "server/flags/urls.h"

namespace kvorum::server::flags {
namespace {

constexpr int kExitFailure = 1;
constexpr int kExitSyntax = 2;
constexpr Duration kMinProgressInterval = std::chrono::milliseconds(100);

const Config& Defaults() {
  static const Config* const defaults = new Config();
  return *defaults;
}

std::string ToLower(std::string text) {
  std::transform(text.begin(), text.end(), text.begin(),
                 [](unsigned char c) { return std::tolower(c); });
  return text;
}

// zap takes any case, and nothing for "info".
std::string LogLevel(const FlagValues& values) {
  const std::string level = ToLower(values.Text("log-level"));
  return level.empty() ? "info" : level;
}

std::vector<std::string> LogOutputs(const FlagValues& values) {
  std::vector<std::string> outputs = values.List("log-outputs");
  if (outputs.empty()) outputs.push_back("default");
  return outputs;
}

log::Options LogOptions(const FlagValues& values) {
  log::Options options;
  options.level = *log::ParseLevel(LogLevel(values));
  options.outputs = LogOutputs(values);
  std::replace(options.outputs.begin(), options.outputs.end(), std::string("default"),
               std::string("stderr"));
  return options;
}

uint32_t Saturate(uint64_t value) {
  return static_cast<uint32_t>(std::min<uint64_t>(value, std::numeric_limits<uint32_t>::max()));
}

uint64_t OrDefault(uint64_t value, uint64_t fallback) { return value == 0 ? fallback : value; }

Duration ProgressInterval(const FlagValues& values) {
  const Duration given = *ParseGoDuration(values.Text("watch-progress-notify-interval"));
  if (given <= Duration::zero()) return Defaults().watch_progress_notify_interval;
  return std::max(given, kMinProgressInterval);
}

Config MakeConfig(const FlagValues& values) {
  Config config;
  config.name = values.Text("name");
  config.data_dir = values.Text("data-dir");
  config.listen_peer_urls = values.List("listen-peer-urls");
  config.listen_client_urls = values.List("listen-client-urls");
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
  config.heartbeat_interval_ms = Saturate(values.Uint("heartbeat-interval"));
  config.election_timeout_ms = Saturate(values.Uint("election-timeout"));
  config.watch_progress_notify_interval = ProgressInterval(values);
  config.log_level = LogLevel(values);
  config.log_outputs = LogOutputs(values);
  config.logger = values.Text("logger");
  return config;
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

// Defaults that follow from other settings. Order matters: the cluster is made of the advertised URLs.
void Derive(const std::string& default_host, Config* config, std::vector<LogLine>* lines) {
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
  if (config->data_dir.empty()) {
    config->data_dir = config->name + ".etcd";
    lines->push_back({log::Level::kWarn,
                      "'data-dir' was empty; using default",
                      {{"data-dir", config->data_dir}}});
  }
}

LogLine RunningLine(const std::vector<std::string>& args) {
  return {log::Level::kInfo, "Running: ", {{"args", args}}};
}

Outcome Refuse(Outcome outcome, const std::vector<std::string>& args, const Status& status) {
  const std::string error(status.message());
  outcome.exit_code = kExitFailure;
  outcome.lines.push_back(RunningLine(args));
  outcome.lines.push_back({log::Level::kWarn, "failed to verify flags", {{"error", error}}});
  if (error == kAdvertiseClientUrlsMissing) {
    outcome.lines.push_back(
        {log::Level::kWarn, "advertise client URLs are not set", {{"error", error}}});
  }
  return outcome;
}

GoFlagSet::Result ReadCommandLine(const std::vector<std::string>& args, FlagValues* values) {
  GoFlagSet set;
  for (const FlagDefinition& flag : AllFlags()) {
    const bool is_bool = flag.kind == Kind::kBool || flag.kind == Kind::kIgnored;
    set.Add(flag.name, is_bool,
            [&flag, values](std::string_view text) { return values->Set(flag, text); });
  }
  return set.Parse({args.begin() + 1, args.end()});
}

// Of two fields at most, because a log line's fields are written out in the source.
void WriteLine(const LogLine& line) {
  const auto field = [&line](size_t i) {
    const auto& [key, value] = line.fields[i];
    const auto* text = std::get_if<std::string>(&value);
    return text != nullptr ? log::Field(key, *text)
                           : log::Field(key, std::get<std::vector<std::string>>(value));
  };
  switch (line.fields.size()) {
    case 0:
      return log::Write(line.level, line.message, {});
    case 1:
      return log::Write(line.level, line.message, {field(0)});
    default:
      return log::Write(line.level, line.message, {field(0), field(1)});
  }
}

}  // namespace

Outcome ParseFlags(const std::vector<std::string>& args,
                   const std::vector<std::string>& environment, const std::string& default_host) {
  Outcome outcome;
  if (args.size() > 1 && (args[1] == "gateway" || args[1] == "grpc-proxy")) {
    outcome.exit_code = kExitFailure;
    outcome.err = "the command " + args[1] + " is not supported by this version of kvorum\n";
    return outcome;
  }
  FlagValues values;
  const GoFlagSet::Result read = ReadCommandLine(args, &values);
  if (read.help || !read.error.empty()) {
    outcome.err = (read.help ? "" : read.error + "\n") + UsageText();
    if (read.help) outcome.out = FlagListText();
    outcome.exit_code = read.help ? 0 : kExitSyntax;
    return outcome;
  }
  if (!read.words.empty()) {
    return Refuse(std::move(outcome), args,
                  absl::InvalidArgumentError(GoQuote(read.words[0]) + " is not a valid flag"));
  }
  if (values.Bool("version")) {
    outcome.out = VersionText();
    return outcome;
  }

  EnvironmentResult variables = ReadEnvironment(environment, &values);
  outcome.early_lines = std::move(variables.lines);
  if (variables.shadowed) {
    outcome.exit_code = kExitFailure;
    return outcome;
  }
  if (!variables.status.ok()) return Refuse(std::move(outcome), args, variables.status);
  if (values.Text("discovery-fallback") == "proxy") {
    return Refuse(std::move(outcome), args,
                  absl::InvalidArgumentError("v2 proxy is deprecated, and --discovery-fallback "
                                             "can't be configured as \"proxy\""));
  }
  if (const Status status = ValidateLogging(values); !status.ok()) {
    return Refuse(std::move(outcome), args, status);
  }
  if (!log::ParseLevel(LogLevel(values)).ok()) {
    // A panic of the original, which prints plain text.
    outcome.exit_code = kExitSyntax;
    outcome.err = "panic: unrecognized level: " + GoQuote(values.Text("log-level")) + "\n";
    return outcome;
  }
  outcome.log = LogOptions(values);
  if (const Status status = Validate(values); !status.ok()) {
    return Refuse(std::move(outcome), args, status);
  }
  Config config = MakeConfig(values);
  const Duration asked = *ParseGoDuration(values.Text("watch-progress-notify-interval"));
  if (asked > Duration::zero() && asked < kMinProgressInterval) {
    outcome.lines.push_back({log::Level::kWarn,
                             "adjusting watch progress notify interval to minimum period",
                             {{"min-watch-progress-notify-interval", "100ms"}}});
  }
  if (config.name == Defaults().name) {
    outcome.lines.push_back({log::Level::kWarn,
                             "it isn't recommended to use default name, please set a value for "
                             "--name. Members of one cluster need different names",
                             {{"name", config.name}}});
  }
  outcome.lines.push_back(RunningLine(args));
  Derive(default_host, &config, &outcome.lines);
  outcome.config = std::move(config);
  return outcome;
}

Outcome Parse(const std::vector<std::string>& args) {
  std::vector<std::string> environment;
  for (char** entry = environ; *entry != nullptr; ++entry) environment.emplace_back(*entry);
  Outcome outcome = ParseFlags(args, environment, DefaultRouteHost());
  for (const LogLine& line : outcome.early_lines) WriteLine(line);
  if (outcome.log) {
    const Status status = log::Configure(*outcome.log);
    if (!status.ok()) {
      outcome.config.reset();
      outcome.lines.clear();
      outcome = Refuse(std::move(outcome), args, status);
    }
  }
  for (const LogLine& line : outcome.lines) WriteLine(line);
  return outcome;
}

}  // namespace kvorum::server::flags
