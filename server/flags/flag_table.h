#pragma once
// Every flag that etcd 3.7 knows: its kind, its default, what this build does with it, and a line
// of help. One table, so that parsing, environment, refusal and --help cannot disagree.
//
// Follows etcd server/embed/config.go and server/etcdmain/config.go.

#include <span>
#include <string>
#include <string_view>

#include "base/status.h"

namespace kvorum::server::flags {

enum class Kind {
  kString,
  kBool,
  kInt,
  kUint,
  kUint32,
  kDuration,
  kUrls,           // http, https, unix, unixs; deduplicated and sorted
  kCorsOrigins,    // as kUrls, or "*"
  kUniqueStrings,  // deduplicated and sorted
  kChoice,         // one of `choices`
  kChoices,        // a list of `choices`; repeated flags add up
  kFeatureGates,
  kIgnored,  // taken and forgotten, as a bool
};

enum class Support {
  kUsed,   // has its function here
  kInert,  // without any effect: in etcd too, as long as other flags are at their defaults, or
           // because what it would tune is not there; MakeConfig says so in the log
  kOff,    // accepted only at its default, or at a value of `also` that means no more than that
};

struct FlagDefinition {
  std::string_view section;  // of the help text
  std::string_view name;
  Kind kind;
  std::string_view initial;  // the default
  Support support;
  std::string_view help;
  std::string_view choices = {};  // separated by '|'
  std::string_view also = {};     // separated by '|'
};

// In the order of the help text.
std::span<const FlagDefinition> AllFlags();

// One form for all texts that mean the same, starting from the value the flag has had so far. The
// message of a Status is what Go's flag package prints behind the colon.
StatusOr<std::string> Canonical(const FlagDefinition& flag, std::string_view before,
                                std::string_view text);

// Whether a canonical value asks for nothing that this build lacks.
bool Supported(const FlagDefinition& flag, std::string_view value);

// "ETCD_LISTEN_CLIENT_URLS" for "listen-client-urls".
std::string EnvironmentName(std::string_view flag);

}  // namespace kvorum::server::flags
