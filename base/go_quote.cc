#include "base/go_quote.h"

#include <cstdint>
#include <cstdio>

#include "base/utf8.h"

namespace kvorum {
namespace {

// Spaces other than ' ', controls, formatting marks and private use. A good part of Unicode's
// unprintables, not all.
bool Prints(uint32_t code) {
  if (code < 0x20 || (code >= 0x7f && code <= 0xa0) || code == 0xad) return false;
  if (code >= 0x2000 && code <= 0x200f) return false;
  if ((code >= 0x2028 && code <= 0x202f) || (code >= 0x205f && code <= 0x206f)) return false;
  return !(code >= 0xe000 && code <= 0xf8ff) && code != 0xfeff && (code & 0xfffe) != 0xfffe;
}

void AppendEscape(std::string* out, uint32_t code) {
  static constexpr char kShort[] = "abtnvfr";  // 7 to 13
  char text[12];
  if (code >= 7 && code <= 13) {
    std::snprintf(text, sizeof(text), "\\%c", kShort[code - 7]);
  } else if (code < 0x80) {
    std::snprintf(text, sizeof(text), "\\x%02x", code);
  } else {
    std::snprintf(text, sizeof(text), code < 0x10000 ? "\\u%04x" : "\\U%08x", code);
  }
  *out += text;
}

}  // namespace

std::string GoQuote(std::string_view text) {
  std::string out = "\"";
  while (!text.empty()) {
    const Rune rune = TakeRune(text);
    if (!rune.valid) {
      char escape[8];
      std::snprintf(escape, sizeof(escape), "\\x%02x", static_cast<unsigned char>(text[0]));
      out += escape;
    } else if (rune.code == '"' || rune.code == '\\') {
      out += '\\';
      out += text[0];
    } else if (Prints(rune.code)) {
      out += text.substr(0, rune.bytes);
    } else {
      AppendEscape(&out, rune.code);
    }
    text.remove_prefix(rune.bytes);
  }
  return out + '"';
}

std::string GoQuoteByte(unsigned char c) {
  if (c == '\'') return "'\\''";
  if (c == '"') return "'\"'";
  std::string character;
  AppendRune(c, &character);
  const std::string quoted = GoQuote(character);
  return "'" + quoted.substr(1, quoted.size() - 2) + "'";
}

}  // namespace kvorum
