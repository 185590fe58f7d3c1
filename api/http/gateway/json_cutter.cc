#include "api/http/gateway/json_cutter.h"

#include <algorithm>

namespace kvorum::api {

JsonCutter::State JsonCutter::ToState(JsonScanner::State state) {
  switch (state) {
    case JsonScanner::State::kMore:
      return State::kMore;
    case JsonScanner::State::kValue:
      return State::kValue;
    case JsonScanner::State::kError:
      return State::kError;
  }
  return State::kError;
}

JsonCutter::State JsonCutter::Feed(std::string_view* bytes) {
  if (value_.empty()) {
    bytes->remove_prefix(std::min(bytes->find_first_not_of(" \t\r\n"), bytes->size()));
  }
  size_t used = 0;
  const State state = ToState(scanner_.Feed(*bytes, &used));
  too_large_ = too_large_ || value_.size() + used > max_value_bytes_;
  if (too_large_) return State::kError;
  value_.append(bytes->substr(0, used));
  bytes->remove_prefix(used);
  return state;
}

}  // namespace kvorum::api
