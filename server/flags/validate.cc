// Checks of values against each other; see flag_values.h. The order decides which of several errors
// is told, and is etcd's.

#include <absl/strings/str_join.h>

#include <algorithm>

#include "base/go_duration.h"
#include "server/flags/feature_gates.h"
#include "server/flags/flag_values.h"
#include "server/flags/go_value.h"
#include "server/flags/urls.h"

namespace kvorum::server::flags {
namespace {

constexpr uint64_t kMaxElectionTimeoutMs = 50000;

Status Invalid(std::string text) { return absl::InvalidArgumentError(std::move(text)); }

Status ValidateUrls(const FlagValues& values) {
  for (std::string_view flag : {"listen-peer-urls", "listen-client-urls", "listen-client-http-urls",
                                "listen-metrics-urls"}) {
    RETURN_IF_ERROR(CheckBindUrls(values.List(flag)));
  }
  const std::vector<std::string> peer = values.List("initial-advertise-peer-urls");
  if (const Status status = CheckHostUrls(peer); !status.ok()) {
    return Invalid("--initial-advertise-peer-urls " + GoQuote(absl::StrJoin(peer, ",")) +
                   " must be \"host:port\" (" + std::string(status.message()) + ")");
  }
  const std::vector<std::string> client = values.List("advertise-client-urls");
  if (const Status status = CheckHostUrls(client); !status.ok()) {
    return Invalid("--advertise-client-urls " + GoQuote(absl::StrJoin(client, ",")) +
                   " must be in the format \"host:port\", \"unix:/path/to/socket\" or "
                   "\"unixs:/path/to/socket\" (" +
                   std::string(status.message()) + ")");
  }
  return absl::OkStatus();
}

Status ValidateDiscovery(const FlagValues& values) {
  // An empty list that was given is a list of one empty endpoint.
  const bool endpoints = values.IsSet("discovery-endpoints");
  const bool service = !values.Text("discovery-srv").empty();
  // Any discovery takes the default of initial-cluster away.
  const bool discovery = endpoints || service || !values.Text("discovery-srv-name").empty();
  const bool cluster =
      !values.Text("initial-cluster").empty() && (!discovery || values.IsSet("initial-cluster"));
  if (static_cast<int>(cluster) + static_cast<int>(service) + static_cast<int>(endpoints) > 1) {
    return Invalid(
        "multiple discovery or bootstrap flags are set. Choose one of \"initial-cluster\", "
        "\"discovery-endpoints\" or \"discovery-srv\"");
  }
  if (values.Text("discovery-token").empty() == endpoints) {
    return Invalid("both --discovery-token and --discovery-endpoints must be set");
  }
  std::vector<std::string> list = values.List("discovery-endpoints");
  if (endpoints && list.empty()) list.push_back("");
  for (const std::string& endpoint : list) {
    if (endpoint.find_first_not_of(" \t") != std::string::npos) continue;
    return Invalid("--discovery-endpoints must not contain empty endpoints");
  }
  return absl::OkStatus();
}

Status ValidateTimes(const FlagValues& values) {
  const uint64_t heartbeat = values.Uint("heartbeat-interval");
  const uint64_t election = values.Uint("election-timeout");
  if (heartbeat == 0) return Invalid("--heartbeat-interval must be >0 (set to 0ms)");
  if (election == 0) return Invalid("--election-timeout must be >0 (set to 0ms)");
  if (heartbeat > election / 5) {
    return Invalid("--election-timeout[" + std::to_string(election) +
                   "ms] should be at least as 5 times as --heartbeat-interval[" +
                   std::to_string(heartbeat) + "ms]");
  }
  if (election > kMaxElectionTimeoutMs) {
    return Invalid("--election-timeout[" + std::to_string(election) +
                   "ms] is too long, and should be set less than " +
                   std::to_string(kMaxElectionTimeoutMs) + "ms");
  }
  return absl::OkStatus();
}

Status ValidateCompaction(const FlagValues& values) {
  const std::string& mode = values.Text("auto-compaction-mode");
  if (mode.empty()) return Invalid("undefined auto-compaction-mode");
  if (mode != "periodic" && mode != "revision") {
    return Invalid("unknown auto-compaction-mode " + GoQuote(mode));
  }
  return absl::OkStatus();
}

Status ValidateFeatures(const FlagValues& values) {
  const int64_t rate = values.Int("distributed-tracing-sampling-rate");
  if (values.Bool("enable-distributed-tracing") && (rate < 0 || rate >= 1000000)) {
    return Invalid(std::string("distributed tracing configurition is not valid: (tracing sampling "
                               "rate must be ") +
                   (rate < 0 ? "positive)" : "less than 1000000)"));
  }
  const std::string& gates = values.Text("feature-gates");
  if (FeatureEnabled(gates, "LeaseCheckpointPersist") &&
      !FeatureEnabled(gates, "LeaseCheckpoint")) {
    return Invalid(
        "enabling feature gate LeaseCheckpointPersist requires enabling feature gate "
        "LeaseCheckpoint");
  }
  const std::string& check = values.Text("compact-hash-check-time");
  if (check == "0s" || check.starts_with('-')) {
    return Invalid("--compact-hash-check-time must be >0 (set to " + check + ")");
  }
  return absl::OkStatus();
}

// 0 stands for "the highest there is".
StatusOr<int> TlsVersion(const std::string& text) {
  if (text.empty()) return 0;
  if (text == "TLS1.2") return 12;
  if (text == "TLS1.3") return 13;
  return Invalid("unexpected TLS version " + GoQuote(text) + " (must be one of: TLS1.2, TLS1.3)");
}

Status ValidateTls(const FlagValues& values) {
  const std::string& min = values.Text("tls-min-version");
  const std::string& max = values.Text("tls-max-version");
  ASSIGN_OR_RETURN(const int low, TlsVersion(min));
  ASSIGN_OR_RETURN(const int high, TlsVersion(max));
  if (high != 0 && low > high) {
    return Invalid("min version (" + min + ") is greater than max version (" + max + ")");
  }
  if (low == 13 && !values.Text("cipher-suites").empty()) {
    return Invalid("cipher suites cannot be configured when only TLS1.3 is enabled");
  }
  return absl::OkStatus();
}

Status NotSupported(std::string_view what, std::string_view detail = {}) {
  std::string text = std::string(what) + " is not supported by this version of kvorum";
  if (!detail.empty()) text += " (" + std::string(detail) + ")";
  return Invalid(std::move(text));
}

Status ValidateSupport(const FlagValues& values) {
  for (const FlagDefinition& flag : AllFlags()) {
    const std::string& value = values.Text(flag.name);
    if (Supported(flag, value)) continue;
    const std::string name = "--" + std::string(flag.name);
    return NotSupported(
        name, flag.initial.empty() ? std::string() : "only " + std::string(flag.initial) + " is");
  }
  for (std::string_view flag : {"listen-peer-urls", "listen-client-urls", "listen-client-http-urls",
                                "listen-metrics-urls"}) {
    for (const std::string& url : values.List(flag)) {
      if (url.starts_with("https:") || url.starts_with("unixs:")) {
        return NotSupported("TLS in --" + std::string(flag), url);
      }
    }
  }
  return absl::OkStatus();
}

}  // namespace

Status ValidateLogging(const FlagValues& values) {
  const std::string& logger = values.Text("logger");
  if (logger == "capnslog") return Invalid("--logger=capnslog is removed in v3.5");
  if (logger != "zap") return Invalid("unknown logger option " + GoQuote(logger));
  const std::vector<std::string> outputs = values.List("log-outputs");
  const auto has = [&](std::string_view name) {
    return std::find(outputs.begin(), outputs.end(), name) != outputs.end();
  };
  if (outputs.size() > 1 && has("default")) {
    return Invalid("multi logoutput for \"default\" is not supported yet");
  }
  const std::string& format = values.Text("log-format");
  if (format != "json" && format != "console") {
    return Invalid("unknown log format: " + format + ", supported values json, console");
  }
  if (has("systemd/journal")) return NotSupported("--log-outputs=systemd/journal");
  return absl::OkStatus();
}

Status Validate(const FlagValues& values) {
  RETURN_IF_ERROR(ValidateUrls(values));
  RETURN_IF_ERROR(ValidateDiscovery(values));
  RETURN_IF_ERROR(ValidateTimes(values));
  if (values.IsSet("listen-client-urls") && !values.IsSet("advertise-client-urls")) {
    return Invalid(kAdvertiseClientUrlsMissing);
  }
  RETURN_IF_ERROR(ValidateCompaction(values));
  RETURN_IF_ERROR(ValidateFeatures(values));
  RETURN_IF_ERROR(ValidateTls(values));
  return ValidateSupport(values);
}

}  // namespace kvorum::server::flags
