#pragma once
// Characters in UTF-8, as RFC 3629 allows them: no overlong forms, no surrogates, nothing above
// U+10FFFF. Pure functions.

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace kvorum {

struct Rune {
  uint32_t code = 0;
  size_t bytes = 1;
  bool valid = false;
};

// The character at the front of `text`; one invalid byte if there is none. REQUIRES: not empty.
Rune TakeRune(std::string_view text);

// Whether all of `text` is well-formed; the empty text is.
bool IsUtf8(std::string_view text);

// REQUIRES: `code` is a character.
void AppendRune(uint32_t code, std::string* out);

}  // namespace kvorum
