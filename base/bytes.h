#pragma once
// Byte strings that are shared rather than copied, and fixed-width integers in them.

#include <cstdint>
#include <cstring>
#include <memory>
#include <string>
#include <string_view>

namespace kvorum {

// An immutable, reference-counted byte string. One payload is held by the raft log, the WAL's write
// vector and the peers' send queues at once, without a copy. Copying is an atomic increment; the
// default value is the empty string and owns nothing. Reading is safe on any thread.
class SharedBytes {
 public:
  SharedBytes() = default;
  explicit SharedBytes(std::string bytes)
      : bytes_(bytes.empty() ? nullptr : std::make_shared<const std::string>(std::move(bytes))) {}

  std::string_view view() const { return bytes_ ? std::string_view(*bytes_) : std::string_view(); }
  size_t size() const { return bytes_ ? bytes_->size() : 0; }
  bool empty() const { return size() == 0; }

  friend bool operator==(const SharedBytes& a, const SharedBytes& b) {
    return a.view() == b.view();
  }

 private:
  std::shared_ptr<const std::string> bytes_;
};

// Big-endian integers, as every key of etcd's buckets uses them.
inline void AppendBigEndian64(std::string* out, uint64_t v) {
  const uint64_t be = __builtin_bswap64(v);
  out->append(reinterpret_cast<const char*>(&be), sizeof(be));
}
// REQUIRES: bytes.size() >= 8.
inline uint64_t ReadBigEndian64(std::string_view bytes) {
  uint64_t be;
  std::memcpy(&be, bytes.data(), sizeof(be));
  return __builtin_bswap64(be);
}
// Little-endian, as WAL frames and bbolt pages use them.
inline void AppendLittleEndian64(std::string* out, uint64_t v) {
  out->append(reinterpret_cast<const char*>(&v), sizeof(v));
}
// REQUIRES: bytes.size() >= 8.
inline uint64_t ReadLittleEndian64(std::string_view bytes) {
  uint64_t v;
  std::memcpy(&v, bytes.data(), sizeof(v));
  return v;
}
static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "the helpers above assume it");

}  // namespace kvorum
