#pragma once
// Protobuf's variable-length integers: seven bits a byte, lowest first, the top bit says "more".

#include <cstdint>
#include <string>
#include <string_view>

namespace kvorum::mvcc {

inline void AppendVarint(std::string* out, uint64_t value) {
  while (value >= 0x80) {
    out->push_back(static_cast<char>(value | 0x80));
    value >>= 7;
  }
  out->push_back(static_cast<char>(value));
}

// Takes one off the front of `in`; false, with `in` untouched, when there is none.
inline bool ReadVarint(std::string_view* in, uint64_t* out) {
  constexpr size_t kMaxBytes = 10;
  uint64_t value = 0;
  for (size_t i = 0; i < in->size() && i < kMaxBytes; ++i) {
    const auto byte = static_cast<uint8_t>((*in)[i]);
    value |= static_cast<uint64_t>(byte & 0x7f) << (7 * i);
    if (byte < 0x80) {
      in->remove_prefix(i + 1);
      *out = value;
      return true;
    }
  }
  return false;
}

}  // namespace kvorum::mvcc
