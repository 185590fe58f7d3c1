#pragma once
// Cuts JSON values off a body that arrives in pieces, one after the other, and checks their syntax.
//
// Only the form is checked: what is a value is RFC 8259's grammar, apart from UTF-8 in strings. The
// error texts are those of Go's encoding/json, which is what stands between a body and etcd's
// gateway. Nothing of the text is kept here; nesting costs a byte a level, up to kJsonMaxNesting.
//
// Follows Go's encoding/json (scanner, Decoder). For one thread.

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace kvorum::api {

inline constexpr size_t kJsonMaxNesting = 10000;

class JsonScanner {
 public:
  enum class State {
    kMore,   // the value is not complete yet, or has not begun
    kValue,  // complete
    kError,
  };

  // Scans `bytes` until the value is complete; `used` is how many belong to it or to the space
  // before it. After kValue the next call begins the next value.
  State Feed(std::string_view bytes, size_t* used);
  // The input has ended: kValue if that completes a value, kMore if there was only space, kError.
  State End();
  // After kError, which is final.
  const std::string& error() const { return error_; }

 private:
  enum class Step {
    kValue,         // a value is due
    kValueOrClose,  // after '['
    kKey,           // after ',' in an object
    kKeyOrClose,    // after '{'
    kAfterValue,
    kString,
    kEscape,
    kHex,  // of \u, hex_left_ digits to come
    kLiteral,
    kMinus,
    kZero,
    kDigits,
    kPoint,
    kFraction,
    kExponent,
    kExponentSign,
    kExponentDigits,
  };
  enum class In : char { kKey, kObjectValue, kArray };
  enum class Verdict { kUsed, kUsedAndDone, kDoneBefore, kError };

  void Begin();
  Verdict Scan(unsigned char c);
  Verdict ScanValue(unsigned char c);
  Verdict ScanKey(unsigned char c);
  Verdict ScanAfterValue(unsigned char c);
  Verdict ScanString(unsigned char c);
  Verdict ScanLiteral(unsigned char c);
  Verdict ScanNumber(unsigned char c);
  Verdict Open(unsigned char c, In in, Step step);
  Verdict Close();
  Verdict Go(Step step);
  Verdict Fail(unsigned char c, std::string_view where);

  Step step_ = Step::kValue;
  bool begun_ = false;
  std::vector<In> stack_;
  int hex_left_ = 0;
  std::string_view literal_;  // "true", "false" or "null"
  size_t literal_at_ = 0;
  std::string error_;
};

}  // namespace kvorum::api
