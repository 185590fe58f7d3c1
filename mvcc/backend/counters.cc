#include "mvcc/backend/backend.h"

namespace kvorum::mvcc {

// Four big-endian 8-byte integers.
std::string Counters::Encode() const {
  std::string out;
  for (const int64_t v : {current_revision.value(), key_rows, size_in_use_bytes, size_bytes}) {
    AppendBigEndian64(&out, static_cast<uint64_t>(v));
  }
  return out;
}

std::optional<Counters> Counters::Parse(std::string_view bytes) {
  if (bytes.size() != 32) return std::nullopt;
  const auto number = [bytes](size_t i) {
    return static_cast<int64_t>(ReadBigEndian64(bytes.substr(8 * i)));
  };
  return Counters{.current_revision = Revision(number(0)),
                  .key_rows = number(1),
                  .size_in_use_bytes = number(2),
                  .size_bytes = number(3)};
}

}  // namespace kvorum::mvcc
