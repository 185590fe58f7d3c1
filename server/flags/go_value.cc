#include "server/flags/go_value.h"

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

}  // namespace

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
