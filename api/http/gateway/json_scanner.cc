#include "api/http/gateway/json_scanner.h"

#include "base/go_quote.h"

namespace kvorum::api {
namespace {

bool IsSpace(unsigned char c) { return c == ' ' || c == '\t' || c == '\r' || c == '\n'; }
bool IsDigit(unsigned char c) { return c >= '0' && c <= '9'; }
bool IsHex(unsigned char c) {
  return IsDigit(c) || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
}

}  // namespace

void JsonScanner::Begin() {
  step_ = Step::kValue;
  begun_ = false;
  stack_.clear();
}

JsonScanner::State JsonScanner::Feed(std::string_view bytes, size_t* used) {
  for (*used = 0; *used < bytes.size() && error_.empty(); ++*used) {
    switch (Scan(static_cast<unsigned char>(bytes[*used]))) {
      case Verdict::kUsed:
        break;
      case Verdict::kUsedAndDone:
        ++*used;
        Begin();
        return State::kValue;
      case Verdict::kDoneBefore:
        Begin();
        return State::kValue;
      case Verdict::kError:
        return State::kError;
    }
  }
  return error_.empty() ? State::kMore : State::kError;
}

// A number at the top ends only with what follows it.
JsonScanner::State JsonScanner::End() {
  if (!error_.empty()) return State::kError;
  if (!begun_) return State::kMore;
  if (Scan(' ') == Verdict::kDoneBefore) {
    Begin();
    return State::kValue;
  }
  error_ = "unexpected EOF";
  return State::kError;
}

JsonScanner::Verdict JsonScanner::Scan(unsigned char c) {
  switch (step_) {
    case Step::kValue:
    case Step::kValueOrClose:
      return ScanValue(c);
    case Step::kKey:
    case Step::kKeyOrClose:
      return ScanKey(c);
    case Step::kAfterValue:
      return ScanAfterValue(c);
    case Step::kString:
    case Step::kEscape:
    case Step::kHex:
      return ScanString(c);
    case Step::kLiteral:
      return ScanLiteral(c);
    default:
      return ScanNumber(c);
  }
}

JsonScanner::Verdict JsonScanner::Go(Step step) {
  step_ = step;
  return Verdict::kUsed;
}

JsonScanner::Verdict JsonScanner::Fail(unsigned char c, std::string_view where) {
  error_ = "invalid character " + GoQuoteByte(c) + " " + std::string(where);
  return Verdict::kError;
}

JsonScanner::Verdict JsonScanner::ScanValue(unsigned char c) {
  if (IsSpace(c)) return Verdict::kUsed;
  if (c == ']' && step_ == Step::kValueOrClose) return Close();
  begun_ = true;
  if (c == '{') return Open(c, In::kKey, Step::kKeyOrClose);
  if (c == '[') return Open(c, In::kArray, Step::kValueOrClose);
  if (c == '"') return Go(Step::kString);
  if (c == '-') return Go(Step::kMinus);
  if (c == '0') return Go(Step::kZero);
  if (IsDigit(c)) return Go(Step::kDigits);
  for (const std::string_view literal : {"true", "false", "null"}) {
    if (c != static_cast<unsigned char>(literal[0])) continue;
    literal_ = literal;
    literal_at_ = 1;
    return Go(Step::kLiteral);
  }
  return Fail(c, "looking for beginning of value");
}

JsonScanner::Verdict JsonScanner::ScanKey(unsigned char c) {
  if (IsSpace(c)) return Verdict::kUsed;
  if (c == '}' && step_ == Step::kKeyOrClose) return Close();
  if (c == '"') return Go(Step::kString);
  return Fail(c, "looking for beginning of object key string");
}

JsonScanner::Verdict JsonScanner::Open(unsigned char c, In in, Step step) {
  if (stack_.size() >= kJsonMaxNesting) return Fail(c, "exceeded max depth");
  stack_.push_back(in);
  return Go(step);
}

JsonScanner::Verdict JsonScanner::Close() {
  stack_.pop_back();
  step_ = Step::kAfterValue;
  return stack_.empty() ? Verdict::kUsedAndDone : Verdict::kUsed;
}

JsonScanner::Verdict JsonScanner::ScanAfterValue(unsigned char c) {
  step_ = Step::kAfterValue;
  if (stack_.empty()) return Verdict::kDoneBefore;
  if (IsSpace(c)) return Verdict::kUsed;
  In& in = stack_.back();
  switch (in) {
    case In::kKey:
      if (c != ':') return Fail(c, "after object key");
      in = In::kObjectValue;
      return Go(Step::kValue);
    case In::kObjectValue:
      if (c == '}') return Close();
      if (c != ',') return Fail(c, "after object key:value pair");
      in = In::kKey;
      return Go(Step::kKey);
    case In::kArray:
      if (c == ']') return Close();
      if (c != ',') return Fail(c, "after array element");
      return Go(Step::kValue);
  }
  return Verdict::kError;
}

JsonScanner::Verdict JsonScanner::ScanString(unsigned char c) {
  if (step_ == Step::kHex) {
    if (!IsHex(c)) return Fail(c, "in \\u hexadecimal character escape");
    return Go(--hex_left_ > 0 ? Step::kHex : Step::kString);
  }
  if (step_ == Step::kEscape) {
    if (std::string_view("bfnrt\\/\"").find(static_cast<char>(c)) != std::string_view::npos) {
      return Go(Step::kString);
    }
    if (c != 'u') return Fail(c, "in string escape code");
    hex_left_ = 4;
    return Go(Step::kHex);
  }
  if (c == '"') return Go(Step::kAfterValue);
  if (c == '\\') return Go(Step::kEscape);
  return c < 0x20 ? Fail(c, "in string literal") : Verdict::kUsed;
}

JsonScanner::Verdict JsonScanner::ScanLiteral(unsigned char c) {
  const char expected = literal_[literal_at_];
  if (c != static_cast<unsigned char>(expected)) {
    return Fail(c, "in literal " + std::string(literal_) + " (expecting '" + expected + "')");
  }
  return Go(++literal_at_ < literal_.size() ? Step::kLiteral : Step::kAfterValue);
}

JsonScanner::Verdict JsonScanner::ScanNumber(unsigned char c) {
  const bool exponent = c == 'e' || c == 'E';
  switch (step_) {
    case Step::kMinus:
      if (!IsDigit(c)) return Fail(c, "in numeric literal");
      return Go(c == '0' ? Step::kZero : Step::kDigits);
    case Step::kDigits:
      if (IsDigit(c)) return Verdict::kUsed;
      [[fallthrough]];
    case Step::kZero:
      if (c == '.') return Go(Step::kPoint);
      return exponent ? Go(Step::kExponent) : ScanAfterValue(c);
    case Step::kPoint:
      if (!IsDigit(c)) return Fail(c, "after decimal point in numeric literal");
      return Go(Step::kFraction);
    case Step::kFraction:
      if (IsDigit(c)) return Verdict::kUsed;
      return exponent ? Go(Step::kExponent) : ScanAfterValue(c);
    case Step::kExponent:
      if (c == '+' || c == '-') return Go(Step::kExponentSign);
      [[fallthrough]];
    case Step::kExponentSign:
      if (!IsDigit(c)) return Fail(c, "in exponent of numeric literal");
      return Go(Step::kExponentDigits);
    default:
      return IsDigit(c) ? Verdict::kUsed : ScanAfterValue(c);
  }
}

}  // namespace kvorum::api
