#pragma once
// The frame around every record of a segment and the numbers of the record types; the prose is in
// wal/format.md.
//
// A frame is one little-endian length word, the record (protobuf walpb.Record) and 0-7 zero bytes,
// so that every frame starts at a multiple of 8 and a length word never straddles two disk sectors.
// Everything here is constexpr and pure.

#include <cstdint>

namespace kvorum::wal {

enum class RecordType : int64_t {
  kMetadata = 1,  // etcdserverpb.Metadata
  kEntry = 2,     // raftpb.Entry
  kState = 3,     // raftpb.HardState
  kCrc = 4,       // no data; its crc field carries the chain over from the previous segment
  kSnapshot = 5,  // walpb.Snapshot
};

inline constexpr uint64_t kFrameWordBytes = 8;
// The smallest unit a disk writes at once; a torn write shows as one of these left at zero.
inline constexpr uint64_t kSectorBytes = 512;

// What a length word says.
struct FrameSize {
  uint64_t record_bytes = 0;   // low 56 bits
  uint64_t padding_bytes = 0;  // bits 56-58, counted only when bit 63 is set

  constexpr uint64_t body_bytes() const { return record_bytes + padding_bytes; }
};

constexpr FrameSize DecodeFrameWord(uint64_t word) {
  const uint64_t padding = word >> 63 != 0 ? (word >> 56) & 0x7 : 0;
  return {.record_bytes = word & ((uint64_t{1} << 56) - 1), .padding_bytes = padding};
}

constexpr FrameSize FrameSizeFor(uint64_t record_bytes) {
  return {.record_bytes = record_bytes, .padding_bytes = (8 - record_bytes % 8) % 8};
}

constexpr uint64_t EncodeFrameWord(FrameSize size) {
  const uint64_t top = size.padding_bytes == 0 ? 0 : 0x80 | size.padding_bytes;
  return size.record_bytes | top << 56;
}

static_assert(kSectorBytes % kFrameWordBytes == 0, "or a length word could be torn");
static_assert(EncodeFrameWord(FrameSizeFor(4)) == 0x8400000000000004);
static_assert(EncodeFrameWord(FrameSizeFor(16)) == 16);
static_assert(DecodeFrameWord(0x8400000000000004).padding_bytes == 4);
static_assert(DecodeFrameWord(0x0400000000000004).padding_bytes == 0);

}  // namespace kvorum::wal
