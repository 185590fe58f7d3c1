#include "server/flags/go_value.h"

#include <cstdio>
#include <limits>
#include <optional>

namespace kvorum::server::flags {
namespace {

Status SyntaxError() { return absl::InvalidArgumentError("parse error"); }
Status RangeError() { return absl::OutOfRangeError("value out of range"); }

char Lower(char c) { return static_cast<char>(c | ('a' - 'A')); }
bool IsDigit(char c) { return c >= '0' && c <= '9'; }

// Whether every underscore stands between digits, where a base prefix counts as one.
bool UnderscoresAreFine(std::string_view s) {
  if (!s.empty() && (s[0] == '-' || s[0] == '+')) s.remove_prefix(1);
  bool hex = false;
  char last = '^';  // '0' for a digit, '_', or something else
  if (s.size() >= 2 && s[0] == '0') {
    const char base = Lower(s[1]);
    if (base == 'b' || base == 'o' || base == 'x') {
      hex = base == 'x';
      last = '0';
      s.remove_prefix(2);
    }
  }
  for (const char c : s) {
    if (IsDigit(c) || (hex && Lower(c) >= 'a' && Lower(c) <= 'f')) {
      last = '0';
    } else if (c == '_') {
      if (last != '0') return false;
      last = '_';
    } else {
      if (last == '_') return false;
      last = '!';
    }
  }
  return last != '_';
}

// Takes the prefix off `digits` and says what base it means.
uint64_t TakeBase(std::string_view* digits) {
  if (digits->empty() || digits->front() != '0') return 10;
  if (digits->size() >= 3) {
    const char base = Lower((*digits)[1]);
    if (base == 'b' || base == 'o' || base == 'x') {
      digits->remove_prefix(2);
      return base == 'b' ? 2 : base == 'o' ? 8 : 16;
    }
  }
  digits->remove_prefix(1);
  return 8;
}

std::optional<uint64_t> DigitValue(char c) {
  if (IsDigit(c)) return c - '0';
  if (Lower(c) >= 'a' && Lower(c) <= 'z') return Lower(c) - 'a' + 10;
  return std::nullopt;
}

// As strconv.ParseUint with base 0. An overflow is reported before bad characters behind it.
StatusOr<uint64_t> ParseMagnitude(std::string_view text, uint64_t max) {
  if (text.empty()) return SyntaxError();
  std::string_view digits = text;
  const uint64_t base = TakeBase(&digits);
  uint64_t value = 0;
  bool underscores = false;
  for (const char c : digits) {
    if (c == '_') {
      underscores = true;
      continue;
    }
    const std::optional<uint64_t> digit = DigitValue(c);
    if (!digit || *digit >= base) return SyntaxError();
    if (value > (max - *digit) / base) return RangeError();
    value = value * base + *digit;
  }
  if (underscores && !UnderscoresAreFine(text)) return SyntaxError();
  return value;
}

struct Rune {
  uint32_t code = 0;
  size_t bytes = 1;
  bool valid = false;
};

// The UTF-8 sequence at the front of `s`; one invalid byte if there is none.
Rune TakeRune(std::string_view s) {
  const auto byte = [&](size_t i) { return static_cast<unsigned char>(s[i]); };
  const unsigned char first = byte(0);
  if (first < 0x80) return {first, 1, true};
  const size_t length = first >= 0xf0 ? 4 : first >= 0xe0 ? 3 : 2;
  if (first < 0xc2 || first > 0xf4 || s.size() < length) return {};
  uint32_t code = first & (0xff >> (length + 1));
  for (size_t i = 1; i < length; ++i) {
    if ((byte(i) & 0xc0) != 0x80) return {};
    code = code << 6 | (byte(i) & 0x3f);
  }
  const bool overlong = (length == 3 && code < 0x800) || (length == 4 && code < 0x10000);
  if (overlong || code > 0x10ffff || (code >= 0xd800 && code < 0xe000)) return {};
  return {code, length, true};
}

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

StatusOr<bool> ParseGoBool(std::string_view text) {
  for (std::string_view yes : {"1", "t", "T", "TRUE", "true", "True"}) {
    if (text == yes) return true;
  }
  for (std::string_view no : {"0", "f", "F", "FALSE", "false", "False"}) {
    if (text == no) return false;
  }
  return SyntaxError();
}

StatusOr<int64_t> ParseGoInt(std::string_view text) {
  constexpr uint64_t kMax = std::numeric_limits<int64_t>::max();
  const bool negative = !text.empty() && text[0] == '-';
  std::string_view magnitude = text;
  if (!text.empty() && (text[0] == '-' || text[0] == '+')) magnitude.remove_prefix(1);
  ASSIGN_OR_RETURN(const uint64_t value, ParseMagnitude(magnitude, kMax + (negative ? 1 : 0)));
  return negative ? static_cast<int64_t>(0 - value) : static_cast<int64_t>(value);
}

StatusOr<uint64_t> ParseGoUint(std::string_view text) {
  return ParseMagnitude(text, std::numeric_limits<uint64_t>::max());
}

StatusOr<uint32_t> ParseGoUint32(std::string_view text) {
  StatusOr<uint64_t> value = ParseMagnitude(text, std::numeric_limits<uint32_t>::max());
  if (value.ok()) return static_cast<uint32_t>(*value);
  const bool range = absl::IsOutOfRange(value.status());
  return Status(value.status().code(), "strconv.ParseUint: parsing " + GoQuote(text) + ": " +
                                           (range ? "value out of range" : "invalid syntax"));
}

}  // namespace kvorum::server::flags
