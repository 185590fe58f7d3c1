#pragma once
// Encoder: turns records into frames and keeps the checksum chain.
//
// Frames collect in a batch until the owner has written `pieces()` with one WriteAt and calls
// Clear(). Large payloads are not copied: the batch points at them, so
//   REQUIRES: what was handed to Add* stays alive and unchanged until Clear().
// The chain runs on over all records ever added, whether or not the batch was written: after a
// failed write an encoder is useless, as is its Wal.
//
// Not thread-safe. Follows etcd server/storage/wal/encoder.go.

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/log_entry.h"
#include "wal/record_format.h"
#include "wal/wal.h"

namespace kvorum::wal {

class Encoder {
 public:
  // Continues the chain from `crc`, which is 0 for a new log.
  explicit Encoder(uint32_t crc) : crc_(crc) {}

  // Head of a segment: repeats the chain's value.
  void AddCrc();
  // `bytes` is an encoded etcdserverpb.Metadata.
  void AddMetadata(std::string_view bytes);
  void AddEntry(const LogEntry& entry);
  // REQUIRES: !state.empty().
  void AddState(const HardState& state);
  void AddSnapshot(const WalSnapshot& snapshot);

  // The batch, in order, to be written back to back; valid until the next Add* or Clear.
  std::span<const std::string_view> pieces();
  uint64_t bytes() const { return bytes_; }
  bool empty() const { return bytes_ == 0; }
  void Clear();

  uint32_t crc() const { return crc_; }

 private:
  // A run of `copied_`, followed by a payload that stayed where it is (possibly empty).
  struct Run {
    size_t copied_end = 0;
    std::string_view payload;
  };

  void AddRecord(RecordType type, std::string_view data_head, std::string_view data_tail);

  uint32_t crc_;
  std::string copied_;     // small things, all runs back to back
  std::vector<Run> runs_;  // closed by a payload that was not copied
  std::vector<std::string_view> pieces_;
  uint64_t bytes_ = 0;
};

// The bytes of an etcdserverpb.Metadata.
std::string EncodeMetadata(const Metadata& metadata);

}  // namespace kvorum::wal
