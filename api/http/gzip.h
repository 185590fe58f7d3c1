#pragma once
// Compressed answers for clients that ask for them. Pure functions.

#include <string>
#include <string_view>

namespace kvorum::api {

// Whether an Accept-Encoding header prefers gzip to no compression.
bool PrefersGzip(const std::string& accept_encoding);

// REQUIRES: text is smaller than 4 GiB.
std::string Gzip(std::string_view text);

}  // namespace kvorum::api
