#include "wal/decoder.h"

#include <absl/strings/str_format.h>

#include <algorithm>
#include <limits>

#include "base/bytes.h"
#include "base/crc32c.h"
#include "base/strings.h"

namespace kvorum::wal {
namespace {

constexpr uint64_t kReadAheadBytes = 256 * 1024;

bool AllZero(std::string_view bytes) {
  return bytes.find_first_not_of('\0') == std::string_view::npos;
}

}  // namespace

Status UnexpectedEof(std::string_view detail) {
  return absl::OutOfRangeError(StrCat("unexpected EOF", detail));
}

bool IsUnexpectedEof(const Status& status) { return absl::IsOutOfRange(status); }

Decoder::Decoder(std::vector<DecoderInput> inputs) : inputs_(std::move(inputs)) {}

StatusOr<bool> Decoder::Next(Record* record) {
  while (current_ < inputs_.size()) {
    ASSIGN_OR_RETURN(const uint64_t word, ReadWord());
    if (word == 0) {
      if (AtLastInput()) return false;
      ++current_;
      valid_bytes_ = 0;
      window_.clear();
      continue;
    }
    const FrameSize size = DecodeFrameWord(word);
    ASSIGN_OR_RETURN(const std::string_view body, ReadBody(size));
    RETURN_IF_ERROR(Check(body, size));
    valid_bytes_ += kFrameWordBytes + size.body_bytes();
    const auto type = static_cast<RecordType>(message_.type());
    if (type == RecordType::kCrc) continue;
    *record = {.type = type, .data = message_.data()};
    return true;
  }
  return false;
}

StatusOr<uint64_t> Decoder::ReadWord() {
  ASSIGN_OR_RETURN(const std::string_view bytes, ReadAt(valid_bytes_, kFrameWordBytes));
  if (bytes.empty()) return 0;
  if (bytes.size() < kFrameWordBytes) return UnexpectedEof();
  return ReadLittleEndian64(bytes);
}

StatusOr<std::string_view> Decoder::ReadBody(FrameSize size) {
  // etcd's limit forgets the length word itself; what slips through falls short just below.
  const int64_t limit = static_cast<int64_t>(input().size) - static_cast<int64_t>(valid_bytes_) -
                        static_cast<int64_t>(size.padding_bytes);
  if (static_cast<int64_t>(size.record_bytes) > limit) {
    return UnexpectedEof(absl::StrFormat(
        ": [wal] max entry size limit exceeded when reading \"%s\", recBytes: %d, fileSize(%d) - "
        "offset(%d) - padBytes(%d) = entryLimit(%d)",
        input().name, size.record_bytes, input().size, valid_bytes_, size.padding_bytes, limit));
  }
  const uint64_t begin = valid_bytes_ + kFrameWordBytes;
  if (begin + size.body_bytes() > input().size) return UnexpectedEof();
  ASSIGN_OR_RETURN(const std::string_view body, ReadAt(begin, size.body_bytes()));
  if (body.size() < size.body_bytes()) return UnexpectedEof();  // the file shrank under us
  return body;
}

StatusOr<std::string_view> Decoder::ReadAt(uint64_t offset, uint64_t n) {
  const uint64_t window_end = window_offset_ + window_.size();
  if (offset < window_offset_ || offset + n > window_end) {
    const uint64_t left = input().size > offset ? input().size - offset : 0;
    window_.resize(std::min(left, std::max(n, kReadAheadBytes)));
    window_offset_ = offset;
    ASSIGN_OR_RETURN(const size_t read, input().file->ReadAt(offset, window_));
    window_.resize(read);
  }
  return std::string_view(window_).substr(offset - window_offset_, n);
}

Status Decoder::Check(std::string_view body, FrameSize size) {
  const bool parsed = size.record_bytes <= std::numeric_limits<int>::max() &&
                      message_.ParseFromArray(body.data(), static_cast<int>(size.record_bytes));
  if (!parsed) {
    if (IsTorn(body)) return UnexpectedEof();
    return absl::DataLossError("proto: cannot parse invalid wire-format data");
  }
  if (static_cast<RecordType>(message_.type()) == RecordType::kCrc) return CheckCrcRecord();

  const uint32_t computed = Crc32c(crc_, message_.data());
  if (computed != message_.crc()) {
    const std::string where =
        absl::StrFormat(": in file '%s' at position: %d", input().name, valid_bytes_);
    if (IsTorn(body)) return UnexpectedEof(where);
    return absl::DataLossError(absl::StrFormat("walpb: crc mismatch: expected: %x computed: %x%s",
                                               message_.crc(), computed, where));
  }
  crc_ = computed;
  return absl::OkStatus();
}

Status Decoder::CheckCrcRecord() {
  // A reader that starts here, in the first file or at a later one, has no value of its own yet.
  if (crc_ != 0 && crc_ != message_.crc()) return absl::DataLossError("walpb: crc mismatch");
  crc_ = message_.crc();
  return absl::OkStatus();
}

// The file was zeros before, and a disk writes whole sectors: a sector of the body that is still
// all zero was never written. Only the last segment can end so (wal.h, invariant 2).
bool Decoder::IsTorn(std::string_view body) const {
  if (!AtLastInput()) return false;
  uint64_t offset = valid_bytes_ + kFrameWordBytes;
  while (!body.empty()) {
    const uint64_t n = std::min<uint64_t>(body.size(), kSectorBytes - offset % kSectorBytes);
    if (AllZero(body.substr(0, n))) return true;
    body.remove_prefix(n);
    offset += n;
  }
  return false;
}

}  // namespace kvorum::wal
