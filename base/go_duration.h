#pragma once
// Durations in Go's notation ("1h0m0.5s"): how log lines print them and how flags, the config file
// and the compactor read them. Follows Go's time.Duration.String and time.ParseDuration.

#include <string>
#include <string_view>

#include "base/clock.h"
#include "base/status.h"

namespace kvorum {

// "0s", "1.5µs", "20ms", "1m0.25s", "-2h0m0s".
std::string FormatGoDuration(Duration duration);

// A sign, then one or more decimal numbers each with a unit (ns, us, µs, ms, s, m, h); "0" alone
// needs none. InvalidArgument with Go's text: `time: missing unit in duration "5"`.
StatusOr<Duration> ParseGoDuration(std::string_view text);

}  // namespace kvorum
