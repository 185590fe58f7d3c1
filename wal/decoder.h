#pragma once
// Decoder: reads records back from a sequence of segments, checks the checksum chain, and tells a
// torn end from damage.
//
// A segment ends at a zero length word or, on a frame boundary, with its bytes; the next one
// follows. What else can be met, and what it means (wal/format.md, "Torn writes"):
//   - unexpected EOF: a record that was being written when the machine stopped. Status kOutOfRange;
//     IsRepairable() knows it.
//   - damage: kDataLoss.
//   - the file could not be read: the Env's own error.
// After an error the decoder must not be asked again; valid_bytes() still tells where the good part
// of the segment ends.
//
// Memory: a length word is believed only as far as its file reaches, so nothing is allocated beyond
// the size of the file. Not thread-safe. Follows etcd server/storage/wal/decoder.go.

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/env.h"
#include "base/status.h"
#include "proto/record.pb.h"
#include "wal/record_format.h"

namespace kvorum::wal {

// One segment to read; the file must outlive the decoder. `name` (without directory) is for
// messages.
struct DecoderInput {
  std::string name;
  File* file = nullptr;
  uint64_t size = 0;
};

struct Record {
  RecordType type{};
  std::string_view data;  // valid until the next call of Next()
};

class Decoder {
 public:
  explicit Decoder(std::vector<DecoderInput> inputs);

  // Reads one record into `*record`; false at the clean end of the last segment. Checksum records
  // are handled here and not returned; unknown types are returned as they are.
  StatusOr<bool> Next(Record* record);

  // Where the good records of the segment being read end; after the end, of the last segment.
  uint64_t valid_bytes() const { return valid_bytes_; }
  // The chain's value after the last good record.
  uint32_t crc() const { return crc_; }

 private:
  // The length word of the next frame, 0 at a clean end of the segment.
  StatusOr<uint64_t> ReadWord();
  StatusOr<std::string_view> ReadBody(FrameSize size);
  // Up to `n` bytes at `offset` of the current segment, fewer at its end only.
  StatusOr<std::string_view> ReadAt(uint64_t offset, uint64_t n);
  // Parses the record at the front of `body` into message_ and moves the chain on.
  Status Check(std::string_view body, FrameSize size);
  Status CheckCrcRecord();
  bool IsTorn(std::string_view body) const;
  bool AtLastInput() const { return current_ + 1 == inputs_.size(); }
  const DecoderInput& input() const { return inputs_[current_]; }

  const std::vector<DecoderInput> inputs_;
  size_t current_ = 0;
  uint64_t valid_bytes_ = 0;
  uint32_t crc_ = 0;
  walpb::Record message_;

  // A part of the current segment, read ahead.
  std::string window_;
  uint64_t window_offset_ = 0;
};

// The status of a record cut short; the text begins with etcd's "unexpected EOF".
Status UnexpectedEof(std::string_view detail = "");
bool IsUnexpectedEof(const Status& status);

}  // namespace kvorum::wal
