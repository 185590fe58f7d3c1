#include "server/flags/flags.h"

#include <unistd.h>

#include "server/flags/default_host.h"
#include "server/flags/flag_values.h"
#include "server/flags/go_flag.h"
#include "server/flags/go_value.h"
#include "server/flags/help.h"
#include "server/flags/make_config.h"

namespace kvorum::server::flags {
namespace {

constexpr int kExitFailure = 1;
constexpr int kExitSyntax = 2;

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
  outcome.config = MakeConfig(values, &outcome.lines);
  outcome.lines.push_back(RunningLine(args));
  DeriveDefaults(default_host, &*outcome.config, &outcome.lines);
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
