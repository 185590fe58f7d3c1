#pragma once
// The command line and the environment of the server, made into a Config.
//
// A flag beats its ETCD_* variable, which beats the default. Every flag of etcd is known. One whose
// function this build lacks is accepted at its default, or at a value that means "off", and refused
// at any other, so that nobody believes to have switched something on.
//
// What a start can end with, before any server exists:
//   exit 2, plain text   syntax: unknown flag, bad value; the text, then the usage
//   exit 1, a log line   values that contradict each other or are not supported: "failed to verify
//                        flags"; a variable beside its flag
//   exit 0               --help, --version
//
// Texts, their streams and the order of checks are etcd's (server/etcdmain/config.go,
// server/embed/config.go, pkg/flags).

#include <optional>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "base/log.h"
#include "base/status.h"
#include "server/config.h"

namespace kvorum::server::flags {

inline constexpr char kKvorumVersion[] = "0.1.0";

// A log line to be written when the logger is ready.
struct LogLine {
  using Value = std::variant<std::string, std::vector<std::string>>;
  log::Level level = log::Level::kInfo;
  std::string message;
  std::vector<std::pair<std::string, Value>> fields;  // at most two
};

struct Outcome {
  // Set: start with it. Else end with exit_code.
  std::optional<Config> config;
  int exit_code = 0;
  std::string out;  // for stdout
  std::string err;  // for stderr

  // What Parse has logged already: with etcd's initial logger, then with the configured one.
  std::vector<LogLine> early_lines;
  std::vector<LogLine> lines;
  // Where `lines` go; not set when the settings were never looked at or are bad: then to stderr.
  std::optional<log::Options> log;
};

// Pure. `args` with the program's name, `environment` as "NAME=value". `default_host` is asked for
// the address of this machine's default route; empty if there is none.
Outcome ParseFlags(const std::vector<std::string>& args,
                   const std::vector<std::string>& environment,
                   const std::string& default_host = "");

// The same for this process: reads its environment, sets up its logger, writes the log lines. out
// and err are left to the caller.
Outcome Parse(const std::vector<std::string>& args);

}  // namespace kvorum::server::flags
