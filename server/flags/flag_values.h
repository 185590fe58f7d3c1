#pragma once
// The values of all flags while the command line and the environment are read.

#include <map>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "base/status.h"
#include "server/flags/flag_table.h"
#include "server/flags/flags.h"

namespace kvorum::server::flags {

class FlagValues {
 public:
  // Everything at its default.
  FlagValues();

  Status Set(const FlagDefinition& flag, std::string_view text);
  // Given on the command line or by a variable.
  bool IsSet(std::string_view flag) const { return set_.contains(flag); }

  // The canonical value. REQUIRES for all of these: the flag is in the table, and of that kind.
  const std::string& Text(std::string_view flag) const { return values_.find(flag)->second; }
  bool Bool(std::string_view flag) const { return Text(flag) == "true"; }
  int64_t Int(std::string_view flag) const;
  uint64_t Uint(std::string_view flag) const;
  // The elements of a list; none for "".
  std::vector<std::string> List(std::string_view flag) const;

 private:
  std::map<std::string_view, std::string> values_;
  std::set<std::string_view> set_;
};

// What the environment had to say.
struct EnvironmentResult {
  Status status;          // a bad value
  bool shadowed = false;  // a variable beside its flag: fatal, the last line says so
  std::vector<LogLine> lines;
};

// Sets every flag that is not set yet from its ETCD_* variable; empty ones do not count.
EnvironmentResult ReadEnvironment(const std::vector<std::string>& environment, FlagValues* values);

// Contradictions, in etcd's order, then what is not supported.
Status Validate(const FlagValues& values);

// Logger and outputs, which are checked before everything else.
Status ValidateLogging(const FlagValues& values);

inline constexpr char kAdvertiseClientUrlsMissing[] =
    "--advertise-client-urls is required when --listen-client-urls is set explicitly";

}  // namespace kvorum::server::flags
