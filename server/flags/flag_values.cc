#include "server/flags/flag_values.h"

#include <absl/strings/str_split.h>

#include <algorithm>

#include "base/check.h"
#include "server/flags/go_value.h"

namespace kvorum::server::flags {
namespace {

constexpr std::string_view kPrefix = "ETCD_";

struct Variable {
  std::string_view name;
  std::string_view value;
};

Variable Split(std::string_view entry) {
  const size_t equals = entry.find('=');
  if (equals == std::string_view::npos) return {.name = entry};
  return {entry.substr(0, equals), entry.substr(equals + 1)};
}

// The table in the order of names, as Go visits flags.
std::vector<const FlagDefinition*> FlagsByName() {
  std::vector<const FlagDefinition*> flags;
  for (const FlagDefinition& flag : AllFlags()) flags.push_back(&flag);
  std::sort(flags.begin(), flags.end(), [](auto* a, auto* b) { return a->name < b->name; });
  return flags;
}

LogLine Line(log::Level level, std::string message, std::string_view key, std::string_view value) {
  return {level, std::move(message), {{std::string(key), std::string(value)}}};
}

// Variables that set nothing: strangers get a warning, those beside their flag are fatal.
void CheckUnused(const std::vector<std::string>& environment, const std::set<std::string>& used,
                 const std::set<std::string>& flags_given, EnvironmentResult* result) {
  for (const std::string& entry : environment) {
    const std::string name(Split(entry).name);
    if (used.contains(name)) continue;
    if (flags_given.contains(name)) {
      result->shadowed = true;
      result->lines.push_back(
          Line(log::Level::kFatal,
               "conflicting environment variable is shadowed by corresponding command-line flag "
               "(either unset environment variable or disable flag))",
               "environment-variable", name));
      return;
    }
    if (entry.starts_with(kPrefix)) {
      result->lines.push_back(Line(log::Level::kWarn, "unrecognized environment variable",
                                   "environment-variable", entry));
    }
  }
}

}  // namespace

FlagValues::FlagValues() {
  for (const FlagDefinition& flag : AllFlags()) {
    StatusOr<std::string> value = std::string(flag.initial);
    // Durations and the like have a form of their own; sets of URLs may be empty or "*".
    if (flag.kind == Kind::kDuration) value = Canonical(flag, "", flag.initial);
    CHECK(value.ok()) << flag.name;
    values_[flag.name] = *std::move(value);
  }
}

Status FlagValues::Set(const FlagDefinition& flag, std::string_view text) {
  std::string& value = values_[flag.name];
  ASSIGN_OR_RETURN(value, Canonical(flag, value, text));
  set_.insert(flag.name);
  return absl::OkStatus();
}

int64_t FlagValues::Int(std::string_view flag) const { return *ParseGoInt(Text(flag)); }

uint64_t FlagValues::Uint(std::string_view flag) const { return *ParseGoUint(Text(flag)); }

std::vector<std::string> FlagValues::List(std::string_view flag) const {
  if (Text(flag).empty()) return {};
  return absl::StrSplit(Text(flag), ',');
}

EnvironmentResult ReadEnvironment(const std::vector<std::string>& all, FlagValues* values) {
  EnvironmentResult result;
  std::vector<std::string> environment;
  std::map<std::string, std::string, std::less<>> by_name;
  for (const std::string& entry : all) {
    const auto [name, value] = Split(entry);
    if (name == "ETCD_VERSION" && !value.empty()) {
      result.lines.push_back({log::Level::kWarn,
                              "cannot set special environment variable",
                              {{"key", std::string(name)}, {"value", std::string(value)}}});
      continue;
    }
    environment.push_back(entry);
    by_name.emplace(name, value);
  }

  std::set<std::string> used;
  std::set<std::string> flags_given;
  for (const FlagDefinition* flag : FlagsByName()) {
    const std::string name = EnvironmentName(flag->name);
    if (values->IsSet(flag->name)) {
      flags_given.insert(name);
      continue;
    }
    const auto it = by_name.find(name);
    if (it == by_name.end() || it->second.empty()) continue;
    used.insert(name);
    const Status status = values->Set(*flag, it->second);
    if (status.ok()) {
      result.lines.push_back({log::Level::kInfo,
                              "recognized and used environment variable",
                              {{"variable-name", name}, {"variable-value", it->second}}});
    } else {
      result.status = absl::InvalidArgumentError("invalid value " + GoQuote(it->second) + " for " +
                                                 name + ": " + std::string(status.message()));
    }
  }
  CheckUnused(environment, used, flags_given, &result);
  return result;
}

}  // namespace kvorum::server::flags
