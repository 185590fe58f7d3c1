#pragma once
// Percent-encoding, of URLs and of the addresses that gRPC gives to peers.

#include <string>
#include <string_view>

namespace kvorum::api {

// The value of a hexadecimal digit; -1 if it is none.
int HexDigit(char c);

// Undoes the percent-encoding of a path; false if it is none.
bool PercentDecode(std::string_view text, std::string* decoded);

}  // namespace kvorum::api
