#pragma once
// From validated flag values to a Config.

#include <string>
#include <vector>

#include "base/log.h"
#include "server/config.h"
#include "server/flags/flag_values.h"
#include "server/flags/flags.h"

namespace kvorum::server::flags {

// The level's name in lower case. zap takes any case, and nothing for "info".
std::string LogLevel(const FlagValues& values);

// REQUIRES: LogLevel(values) is a level.
log::Options LogOptions(const FlagValues& values);

// REQUIRES: values are validated. Warnings go to `lines`.
Config MakeConfig(const FlagValues& values, std::vector<LogLine>* lines);

// Defaults that follow from other settings: the data directory and the cluster from the name, and
// the advertised URLs from `default_host` (may be empty) when the server listens everywhere.
void DeriveDefaults(const std::string& default_host, Config* config, std::vector<LogLine>* lines);

}  // namespace kvorum::server::flags
