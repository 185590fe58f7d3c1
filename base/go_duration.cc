#include "base/go_duration.h"

#include <cstdint>
#include <optional>

#include "base/strings.h"

namespace kvorum {
namespace {

constexpr uint64_t kNanosecond = 1;
constexpr uint64_t kMicrosecond = 1000 * kNanosecond;
constexpr uint64_t kMillisecond = 1000 * kMicrosecond;
constexpr uint64_t kSecond = 1000 * kMillisecond;
constexpr uint64_t kMinute = 60 * kSecond;
constexpr uint64_t kHour = 60 * kMinute;
// The magnitude of the most negative duration.
constexpr uint64_t kMagnitudeMax = uint64_t{1} << 63;

// `value` / `unit` as a decimal without trailing zeros.
std::string Decimal(uint64_t value, uint64_t unit) {
  std::string text = StrCat(value / unit);
  uint64_t fraction = value % unit;
  if (fraction == 0) return text;
  text.push_back('.');
  while (fraction != 0) {
    unit /= 10;
    text.push_back(static_cast<char>('0' + fraction / unit));
    fraction %= unit;
  }
  return text;
}

std::string FormatMagnitude(uint64_t ns) {
  if (ns == 0) return "0s";
  if (ns < kMicrosecond) return StrCat(ns, "ns");
  if (ns < kMillisecond) return StrCat(Decimal(ns, kMicrosecond), "µs");
  if (ns < kSecond) return StrCat(Decimal(ns, kMillisecond), "ms");
  std::string text;
  if (ns >= kHour) StrAppend(&text, ns / kHour, "h");
  if (ns >= kMinute) StrAppend(&text, ns % kHour / kMinute, "m");
  StrAppend(&text, Decimal(ns % kMinute, kSecond), "s");
  return text;
}

// Quoted as Go's time package does it: everything but printable ASCII as \x bytes.
std::string Quote(std::string_view text) {
  std::string quoted = "\"";
  for (const char c : text) {
    const auto byte = static_cast<uint8_t>(c);
    if (byte >= 0x80 || byte < ' ') {
      StrAppend(&quoted, "\\x", absl::Hex(byte, absl::kZeroPad2));
      continue;
    }
    if (c == '"' || c == '\\') quoted.push_back('\\');
    quoted.push_back(c);
  }
  quoted.push_back('"');
  return quoted;
}

std::optional<uint64_t> UnitByName(std::string_view name) {
  if (name == "ns") return kNanosecond;
  if (name == "us" || name == "\u00b5s" || name == "\u03bcs") return kMicrosecond;
  if (name == "ms") return kMillisecond;
  if (name == "s") return kSecond;
  if (name == "m") return kMinute;
  if (name == "h") return kHour;
  return std::nullopt;
}

bool IsDigit(char c) { return c >= '0' && c <= '9'; }

// Takes the digits at the front of `text`; nothing if they exceed 2^63.
std::optional<uint64_t> TakeInteger(std::string_view* text) {
  uint64_t value = 0;
  for (; !text->empty() && IsDigit(text->front()); text->remove_prefix(1)) {
    if (value > kMagnitudeMax / 10) return std::nullopt;
    value = value * 10 + static_cast<uint64_t>(text->front() - '0');
    if (value > kMagnitudeMax) return std::nullopt;
  }
  return value;
}

struct Fraction {
  uint64_t digits = 0;
  double scale = 1;  // the fraction is digits / scale
};

// Takes the digits after a decimal point; those that no longer fit are beyond a nanosecond and are
// dropped.
Fraction TakeFraction(std::string_view* text) {
  Fraction fraction;
  bool overflow = false;
  for (; !text->empty() && IsDigit(text->front()); text->remove_prefix(1)) {
    if (overflow) continue;
    if (fraction.digits > (kMagnitudeMax - 1) / 10) {
      overflow = true;
      continue;
    }
    const uint64_t digits = fraction.digits * 10 + static_cast<uint64_t>(text->front() - '0');
    if (digits > kMagnitudeMax) {
      overflow = true;
      continue;
    }
    fraction.digits = digits;
    fraction.scale *= 10;
  }
  return fraction;
}

class Parser {
 public:
  explicit Parser(std::string_view text) : whole_(text), rest_(text) {}

  StatusOr<Duration> Parse() {
    bool negative = false;
    if (!rest_.empty() && (rest_.front() == '-' || rest_.front() == '+')) {
      negative = rest_.front() == '-';
      rest_.remove_prefix(1);
    }
    if (rest_ == "0") return Duration::zero();
    if (rest_.empty()) return Invalid();
    uint64_t total = 0;
    while (!rest_.empty()) {
      ASSIGN_OR_RETURN(const uint64_t part, TakePart());
      total += part;  // both at most 2^63: wraps to 0 only at 2^63 + 2^63, as in Go
      if (total > kMagnitudeMax) return Invalid();
    }
    if (negative) return Duration(static_cast<int64_t>(0 - total));
    if (total > kMagnitudeMax - 1) return Invalid();
    return Duration(static_cast<int64_t>(total));
  }

 private:
  // One number with its unit, in nanoseconds.
  StatusOr<uint64_t> TakePart() {
    if (rest_.front() != '.' && !IsDigit(rest_.front())) return Invalid();
    const size_t length_before = rest_.size();
    const std::optional<uint64_t> integer = TakeInteger(&rest_);
    if (!integer.has_value()) return Invalid();
    bool any_digits = rest_.size() != length_before;
    Fraction fraction;
    if (!rest_.empty() && rest_.front() == '.') {
      rest_.remove_prefix(1);
      const size_t length_at_point = rest_.size();
      fraction = TakeFraction(&rest_);
      any_digits = any_digits || rest_.size() != length_at_point;
    }
    if (!any_digits) return Invalid();
    ASSIGN_OR_RETURN(const uint64_t unit, TakeUnit());
    if (*integer > kMagnitudeMax / unit) return Invalid();
    uint64_t value = *integer * unit;
    if (fraction.digits > 0) {
      value += static_cast<uint64_t>(static_cast<double>(fraction.digits) *
                                     (static_cast<double>(unit) / fraction.scale));
      if (value > kMagnitudeMax) return Invalid();
    }
    return value;
  }

  StatusOr<uint64_t> TakeUnit() {
    size_t length = 0;
    while (length < rest_.size() && rest_[length] != '.' && !IsDigit(rest_[length])) ++length;
    if (length == 0) {
      return absl::InvalidArgumentError(StrCat("time: missing unit in duration ", Quote(whole_)));
    }
    const std::string_view name = rest_.substr(0, length);
    rest_.remove_prefix(length);
    if (const auto unit = UnitByName(name)) return *unit;
    return absl::InvalidArgumentError(
        StrCat("time: unknown unit ", Quote(name), " in duration ", Quote(whole_)));
  }

  Status Invalid() const {
    return absl::InvalidArgumentError(StrCat("time: invalid duration ", Quote(whole_)));
  }

  const std::string_view whole_;
  std::string_view rest_;
};

}  // namespace

std::string FormatGoDuration(Duration duration) {
  const int64_t ns = duration.count();
  if (ns >= 0) return FormatMagnitude(static_cast<uint64_t>(ns));
  return StrCat("-", FormatMagnitude(0 - static_cast<uint64_t>(ns)));
}

StatusOr<Duration> ParseGoDuration(std::string_view text) { return Parser(text).Parse(); }

}  // namespace kvorum
