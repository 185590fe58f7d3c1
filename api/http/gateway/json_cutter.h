#pragma once
// Collects a body's JSON values as its pieces arrive: the text of one value at a time, without the
// space around it, in at most a given number of bytes. For one thread.

#include <string>
#include <string_view>
#include <utility>

#include "api/http/gateway/json_scanner.h"

namespace kvorum::api {

class JsonCutter {
 public:
  enum class State { kMore, kValue, kError };

  explicit JsonCutter(size_t max_value_bytes) : max_value_bytes_(max_value_bytes) {}

  // Takes from the front of `bytes` up to the end of the next value.
  State Feed(std::string_view* bytes);
  // After the last byte: kValue if that completed one, kMore if there was nothing but space.
  State End() { return ToState(scanner_.End()); }
  // Of a value that is not complete yet.
  size_t held_bytes() const { return value_.size(); }
  // After kValue, once.
  std::string TakeValue() { return std::exchange(value_, ""); }
  // After kError, which is final. A value over the bound is one, too.
  bool too_large() const { return too_large_; }
  const std::string& error() const { return scanner_.error(); }

 private:
  static State ToState(JsonScanner::State state);

  const size_t max_value_bytes_;
  JsonScanner scanner_;
  std::string value_;
  bool too_large_ = false;
};

}  // namespace kvorum::api
