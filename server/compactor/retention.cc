// --auto-compaction-retention; see auto_compactor.h.

#include <charconv>
#include <limits>
#include <string>

#include "base/go_duration.h"
#include "base/strings.h"
#include "server/compactor/auto_compactor.h"

namespace kvorum::server {
namespace {

// As Go's strconv.Atoi: an optional sign and decimal digits that fit.
std::optional<int64_t> ParseDecimal(std::string_view text) {
  if (text.starts_with('+')) {
    text.remove_prefix(1);
    if (text.starts_with('-')) return std::nullopt;
  }
  int64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return value;
}

Status Invalid(std::string_view why) {
  return absl::InvalidArgumentError("error parsing CompactionRetention: " + std::string(why));
}

StatusOr<CompactionRetention> Make(CompactionMode mode, int64_t count, Duration unit) {
  if (mode == CompactionMode::kRevision) {
    return CompactionRetention{.mode = mode, .revisions = count};
  }
  if (count > std::numeric_limits<Duration::rep>::max() / unit.count()) {
    return Invalid("retention is too long");
  }
  return CompactionRetention{.mode = mode, .period = count * unit};
}

}  // namespace

StatusOr<CompactionRetention> ParseCompactionRetention(std::string_view mode_name,
                                                       std::string_view retention) {
  const auto mode = mode_name == "revision" ? CompactionMode::kRevision : CompactionMode::kPeriodic;
  if (retention.empty()) return CompactionRetention{.mode = mode};
  const std::optional<int64_t> number = ParseDecimal(retention);
  if (number && *number >= 0) return Make(mode, *number, std::chrono::hours(1));
  const StatusOr<Duration> duration = ParseGoDuration(retention);
  if (!duration.ok()) return Invalid(ToStd(duration.status().message()));
  if (*duration < Duration(0)) return Invalid("retention is negative");
  return Make(mode, duration->count(), Duration(1));
}

}  // namespace kvorum::server
