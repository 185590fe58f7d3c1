#pragma once
// Values as Go's flag and strconv packages read and print them, with their error texts. Operators
// and scripts know these forms: 0x10, 1_000, T, "parse error".

#include <cstdint>
#include <string>
#include <string_view>

#include "base/go_quote.h"  // callers quote what they could not parse
#include "base/status.h"

namespace kvorum::server::flags {

// 1, t, T, TRUE, true, True and their opposites. InvalidArgument "parse error".
StatusOr<bool> ParseGoBool(std::string_view text);

// Base by prefix (0x, 0o, 0b, 0) and underscores between digits. InvalidArgument "parse error", or
// OutOfRange "value out of range".
StatusOr<int64_t> ParseGoInt(std::string_view text);
StatusOr<uint64_t> ParseGoUint(std::string_view text);

// The same with strconv's own words: `strconv.ParseUint: parsing "-1": invalid syntax`.
StatusOr<uint32_t> ParseGoUint32(std::string_view text);

}  // namespace kvorum::server::flags
