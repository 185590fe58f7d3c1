#pragma once
// Text in error messages as Go's fmt package quotes it.

#include <string>
#include <string_view>

namespace kvorum {

// Go's %q: in double quotes, with \n, \x01, \u00a0 and the like for what does not print.
std::string GoQuote(std::string_view text);

// What Go's JSON package says of a byte: in single quotes, taken for the character of that number.
std::string GoQuoteByte(unsigned char c);

}  // namespace kvorum
