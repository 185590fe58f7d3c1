#include "api/http/gateway/json_values.h"

#include <algorithm>
#include <charconv>

#include "api/http/gateway/json_scanner.h"

namespace kvorum::api {
namespace {

bool IsDigit(char c) { return c >= '0' && c <= '9'; }
bool IsSpace(char c) { return std::string_view(" \t\n\v\f\r").find(c) != std::string_view::npos; }
bool IsWordCharacter(char c) {
  return IsDigit(c) || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
         std::string_view("-+._").find(c) != std::string_view::npos;
}

std::string_view TakeDigits(std::string_view* text) {
  const auto end = std::find_if_not(text->begin(), text->end(), IsDigit);
  const std::string_view digits = text->substr(0, static_cast<size_t>(end - text->begin()));
  text->remove_prefix(digits.size());
  return digits;
}

struct NumberParts {
  bool negative = false;
  std::string_view whole;     // empty for 0
  std::string_view fraction;  // without zeros at its end
  std::string_view exponent;  // with its sign
};

// REQUIRES: `number` is a JSON number.
NumberParts Split(std::string_view number) {
  NumberParts parts;
  if (number.starts_with('-')) {
    parts.negative = true;
    number.remove_prefix(1);
  }
  parts.whole = TakeDigits(&number);
  if (parts.whole == "0") parts.whole = {};
  if (number.starts_with('.')) {
    number.remove_prefix(1);
    parts.fraction = TakeDigits(&number);
    parts.fraction = parts.fraction.substr(0, parts.fraction.find_last_not_of('0') + 1);
  }
  if (!number.empty()) parts.exponent = number.substr(1);
  return parts;
}

// The number in plain digits; nothing if it is no integer, or longer than any that counts.
std::optional<std::string> PlainDigits(const NumberParts& parts) {
  constexpr int64_t kMaxDigits = 20;  // of the largest uint64
  const auto whole_size = static_cast<int64_t>(parts.whole.size());
  const auto fraction_size = static_cast<int64_t>(parts.fraction.size());
  if (whole_size == 0 && fraction_size == 0) return "0";
  int32_t exponent = 0;
  std::string_view text = parts.exponent;
  if (text.starts_with('+')) text.remove_prefix(1);
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), exponent);
  if (!text.empty() && (error != std::errc() || end != text.data() + text.size())) return {};

  std::string digits(parts.whole);
  if (exponent >= 0) {
    if (fraction_size > exponent || whole_size + exponent > kMaxDigits) return {};
    digits.append(parts.fraction);
    digits.append(static_cast<size_t>(exponent - fraction_size), '0');
  } else {
    const int64_t kept = whole_size + exponent;
    if (fraction_size > 0 || kept < 0) return {};
    const auto left = static_cast<size_t>(kept);
    if (digits.find_first_not_of('0', left) != std::string::npos) return {};
    digits.resize(left);
  }
  return (parts.negative ? "-" : "") + digits;
}

template <typename T>
std::optional<T> Parse(std::string_view number) {
  if (number.empty()) return std::nullopt;
  const std::optional<std::string> digits = PlainDigits(Split(number));
  if (!digits) return std::nullopt;
  T value = 0;
  const char* const last = digits->data() + digits->size();
  const auto [end, error] = std::from_chars(digits->data(), last, value);
  if (error != std::errc() || end != last) return std::nullopt;
  return value;
}

int Base64Digit(char c, bool url) {
  if (c >= 'A' && c <= 'Z') return c - 'A';
  if (c >= 'a' && c <= 'z') return c - 'a' + 26;
  if (c >= '0' && c <= '9') return c - '0' + 52;
  if (c == (url ? '-' : '+')) return 62;
  return c == (url ? '_' : '/') ? 63 : -1;
}

bool IsLineEnd(char c) { return c == '\n' || c == '\r'; }

}  // namespace

std::optional<int64_t> IntegerOf(std::string_view number) { return Parse<int64_t>(number); }
std::optional<uint64_t> UnsignedOf(std::string_view number) { return Parse<uint64_t>(number); }

std::string_view NumberIn(std::string_view text) {
  if (text.empty() || IsSpace(text.front()) || IsSpace(text.back())) return {};
  if (text[0] != '-' && !IsDigit(text[0])) return {};
  const auto end = std::find_if_not(text.begin(), text.end(), IsWordCharacter);
  const std::string_view number = text.substr(0, static_cast<size_t>(end - text.begin()));
  JsonScanner scanner;
  size_t used = 0;
  const bool is_number = scanner.Feed(number, &used) == JsonScanner::State::kMore &&
                         scanner.End() == JsonScanner::State::kValue;
  return is_number ? number : std::string_view();
}

std::optional<std::string> DecodeBase64(std::string_view text, bool url, bool padded, size_t* bad) {
  std::string decoded;
  uint32_t bits = 0;
  int pending = 0;  // characters of a group of four
  size_t at = 0;
  for (; at < text.size() && text[at] != '='; ++at) {
    if (IsLineEnd(text[at])) continue;
    const int digit = Base64Digit(text[at], url);
    *bad = at;
    if (digit < 0) return std::nullopt;
    bits = bits << 6 | static_cast<uint32_t>(digit);
    if (++pending < 4) continue;
    for (const int shift : {16, 8, 0}) decoded += static_cast<char>(bits >> shift);
    pending = 0;
  }
  const int padding = static_cast<int>(std::count(text.begin() + at, text.end(), '='));
  const bool only_padding =
      std::all_of(text.begin() + at, text.end(), [](char c) { return c == '=' || IsLineEnd(c); });
  const int wanted = padded && pending > 0 ? 4 - pending : 0;
  *bad = at == text.size() ? at - static_cast<size_t>(pending) : at;  // the group that is cut short
  if (pending == 1 || !only_padding || padding != wanted) return std::nullopt;
  if (pending >= 2) decoded += static_cast<char>(bits >> (pending == 2 ? 4 : 10));
  if (pending == 3) decoded += static_cast<char>(bits >> 2);
  return decoded;
}

std::optional<std::string> BytesOf(std::string_view text) {
  size_t bad = 0;
  const bool url = text.find_first_of("-_") != std::string_view::npos;
  return DecodeBase64(text, url, /*padded=*/text.size() % 4 == 0, &bad);
}

}  // namespace kvorum::api
