// Canonical forms of flag values; see flag_table.h.

#include <absl/strings/str_join.h>
#include <absl/strings/str_split.h>

#include <algorithm>
#include <set>
#include <string>
#include <vector>

#include "base/go_duration.h"
#include "server/flags/feature_gates.h"
#include "server/flags/flag_table.h"
#include "server/flags/go_value.h"
#include "server/flags/urls.h"

namespace kvorum::server::flags {
namespace {

std::vector<std::string> Split(std::string_view text, char separator) {
  return absl::StrSplit(std::string(text), separator);
}

template <typename T>
StatusOr<std::string> Decimal(const StatusOr<T>& number) {
  if (!number.ok()) return number.status();
  return std::to_string(*number);
}

bool IsChoice(const FlagDefinition& flag, std::string_view text) {
  for (const std::string& choice : Split(flag.choices, '|')) {
    if (choice == text) return true;
  }
  return false;
}

// The quirks of etcd's set-valued URL flags: an empty text, and one that is in the list already,
// change nothing.
StatusOr<std::string> CanonicalUrls(std::string_view before, std::string_view text) {
  const std::vector<std::string> had = Split(before, ',');
  if (text.empty() || std::find(had.begin(), had.end(), text) != had.end()) {
    return std::string(before);
  }
  ASSIGN_OR_RETURN(const std::vector<Url> urls, ParseUrls(text));
  return absl::StrJoin(Texts(urls), ",");
}

StatusOr<std::string> CanonicalChoices(const FlagDefinition& flag, std::string_view before,
                                       std::string_view text) {
  std::multiset<std::string> values;
  if (before != flag.initial) {
    for (const std::string& value : Split(before, ',')) values.insert(value);
  }
  for (const std::string& value : Split(text, ',')) {
    if (!IsChoice(flag, value)) {
      return absl::InvalidArgumentError("invalid value " + GoQuote(value));
    }
    values.insert(value);
  }
  return absl::StrJoin(values, ",");
}

std::string CanonicalStrings(std::string_view text) {
  const std::vector<std::string> pieces = Split(text, ',');
  return absl::StrJoin(std::set<std::string>(pieces.begin(), pieces.end()), ",");
}

}  // namespace

StatusOr<std::string> Canonical(const FlagDefinition& flag, std::string_view before,
                                std::string_view text) {
  switch (flag.kind) {
    case Kind::kString:
      return std::string(text);
    case Kind::kBool: {
      ASSIGN_OR_RETURN(const bool value, ParseGoBool(text));
      return value ? "true" : "false";
    }
    case Kind::kInt:
      return Decimal(ParseGoInt(text));
    case Kind::kUint:
      return Decimal(ParseGoUint(text));
    case Kind::kUint32:
      return Decimal(ParseGoUint32(text));
    case Kind::kDuration: {
      const StatusOr<Duration> value = ParseGoDuration(text);
      if (!value.ok()) return absl::InvalidArgumentError("parse error");
      return FormatGoDuration(*value);
    }
    case Kind::kCorsOrigins:
      if (text == "*") return std::string(before);
      if (text.empty()) return ParseUrls(text).status();
      [[fallthrough]];
    case Kind::kUrls:
      return CanonicalUrls(before, text);
    case Kind::kUniqueStrings:
      return CanonicalStrings(text);
    case Kind::kChoice:
      if (!IsChoice(flag, text)) return absl::InvalidArgumentError("invalid value");
      return std::string(text);
    case Kind::kChoices:
      return CanonicalChoices(flag, before, text);
    case Kind::kFeatureGates:
      return MergeFeatureGates(before, text);
    case Kind::kIgnored:
      return std::string();
  }
  return absl::InternalError("unknown kind of flag");
}

bool Supported(const FlagDefinition& flag, std::string_view value) {
  if (flag.support != Support::kOff) return true;
  const auto means = [&](std::string_view text) {
    const StatusOr<std::string> canonical = Canonical(flag, "", text);
    return (canonical.ok() && *canonical == value) || text == value;
  };
  if (means(flag.initial)) return true;
  if (flag.also.empty()) return false;
  for (const std::string& also : Split(flag.also, '|')) {
    if (means(also)) return true;
  }
  return false;
}

}  // namespace kvorum::server::flags
