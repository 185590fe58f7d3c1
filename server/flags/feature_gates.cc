#include "server/flags/feature_gates.h"

#include <absl/strings/ascii.h>
#include <absl/strings/str_split.h>

#include <map>
#include <vector>

#include "server/flags/go_value.h"

namespace kvorum::server::flags {
namespace {

enum class Stage { kAll, kAlpha, kBeta };

struct Gate {
  std::string_view name;
  Stage stage;
  bool initial;
};

constexpr std::string_view kAllAlpha = "AllAlpha";
constexpr std::string_view kAllBeta = "AllBeta";

// Each has its function here, unless there is nothing that it could switch.
constexpr Gate kGates[] = {
    {kAllAlpha, Stage::kAll, false},
    {kAllBeta, Stage::kAll, false},
    {"CompactHashCheck", Stage::kAlpha, false},
    {"FastLeaseKeepAlive", Stage::kBeta, true},
    {"InitialCorruptCheck", Stage::kAlpha, false},
    {"LeaseCheckpoint", Stage::kAlpha, false},
    {"LeaseCheckpointPersist", Stage::kAlpha, false},
    {"PriorityRequest", Stage::kAlpha, false},
    // Of connections to other members, of which a single one has none.
    {"SetMemberLocalAddr", Stage::kAlpha, false},
    {"StopGRPCServiceOnDefrag", Stage::kAlpha, false},
    // Of etcd's backend.
    {"TxnModeWriteWithSharedBuffer", Stage::kBeta, true},
};

using Settings = std::map<std::string, bool, std::less<>>;

const Gate* FindGate(std::string_view name) {
  for (const Gate& gate : kGates) {
    if (gate.name == name) return &gate;
  }
  return nullptr;
}

Status Apply(std::string_view setting, Settings* settings) {
  const size_t equals = setting.find('=');
  const std::string name(absl::StripAsciiWhitespace(std::string(setting.substr(0, equals))));
  if (equals == std::string_view::npos) {
    return absl::InvalidArgumentError("missing bool value for " + name);
  }
  const std::string value(absl::StripAsciiWhitespace(std::string(setting.substr(equals + 1))));
  const StatusOr<bool> on = ParseGoBool(value);
  if (!on.ok()) {
    return absl::InvalidArgumentError("invalid value of " + name + "=" + value +
                                      ", err: strconv.ParseBool: parsing " + GoQuote(value) +
                                      ": invalid syntax");
  }
  (*settings)[name] = *on;
  return absl::OkStatus();
}

// What one text says, whether or not there are such gates.
StatusOr<Settings> Parse(std::string_view text) {
  Settings settings;
  for (const std::string& setting :
       std::vector<std::string>(absl::StrSplit(std::string(text), ',', absl::SkipEmpty()))) {
    RETURN_IF_ERROR(Apply(setting, &settings));
  }
  return settings;
}

// "All of a stage" sets the gates that nobody has set yet, now or in an earlier flag.
void SetTheRest(Stage stage, bool on, Settings* settings) {
  for (const Gate& gate : kGates) {
    if (gate.stage == stage) settings->emplace(gate.name, on);
  }
}

bool Enabled(const Settings& settings, const Gate& gate) {
  const auto it = settings.find(gate.name);
  return it != settings.end() ? it->second : gate.initial;
}

std::string Text(const Settings& settings) {
  std::string text;
  for (const auto& [name, on] : settings) {
    text += (text.empty() ? "" : ",") + name + (on ? "=true" : "=false");
  }
  return text;
}

Settings ParseCanonical(std::string_view gates) { return Parse(gates).value_or(Settings()); }

}  // namespace

StatusOr<std::string> MergeFeatureGates(std::string_view before, std::string_view text) {
  ASSIGN_OR_RETURN(const Settings given, Parse(text));
  Settings settings = ParseCanonical(before);
  for (const auto& [name, on] : given) {
    if (FindGate(name) == nullptr) {
      return absl::InvalidArgumentError("unrecognized feature gate: " + name);
    }
    settings[name] = on;
  }
  if (const auto all = given.find(kAllAlpha); all != given.end()) {
    SetTheRest(Stage::kAlpha, all->second, &settings);
  }
  if (const auto all = given.find(kAllBeta); all != given.end()) {
    SetTheRest(Stage::kBeta, all->second, &settings);
  }
  return Text(settings);
}

bool FeatureEnabled(std::string_view gates, std::string_view name) {
  const Gate* gate = FindGate(name);
  return gate != nullptr && Enabled(ParseCanonical(gates), *gate);
}

std::vector<Feature> AllFeatures(std::string_view gates) {
  const Settings settings = ParseCanonical(gates);
  std::vector<Feature> features;
  for (const Gate& gate : kGates) {
    const bool beta = gate.stage == Stage::kBeta || gate.name == kAllBeta;
    features.push_back({.name = std::string(gate.name),
                        .stage = beta ? "BETA" : "ALPHA",
                        .enabled = Enabled(settings, gate)});
  }
  return features;
}

}  // namespace kvorum::server::flags
