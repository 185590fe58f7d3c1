#pragma once
// Scalars as protojson reads them from a number or a string, which is more than Protobuf's C++
// library takes. Pure functions. Follows google.golang.org/protobuf/encoding/protojson.

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace kvorum::api {

// A JSON number that is an integer, however it is written ("1e3", "50.0"), and in range; nothing of
// anything else or of nothing.
std::optional<int64_t> IntegerOf(std::string_view number);
std::optional<uint64_t> UnsignedOf(std::string_view number);

// The number at the front of a string that holds one; anything may follow it behind a character
// that cannot belong to a number. Empty if there is none, or space at either end.
std::string_view NumberIn(std::string_view text);

// Base 64, in the standard or the URL alphabet, padded or not; line ends are overlooked, and so
// are bits left over in the last character. `bad` is the offset of what made no sense.
std::optional<std::string> DecodeBase64(std::string_view text, bool url, bool padded, size_t* bad);
// As a bytes field is written: what kind of base 64 it is shows from the text.
std::optional<std::string> BytesOf(std::string_view text);

}  // namespace kvorum::api
