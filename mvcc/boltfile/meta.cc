#include "mvcc/boltfile/meta.h"

#include <array>
#include <bit>
#include <optional>

namespace kvorum::mvcc::boltfile {

namespace {

constexpr uint32_t kMagic = 0xED0CDAED;
constexpr uint32_t kVersion = 2;

struct RawMeta {
  uint32_t magic = kMagic;
  uint32_t version = kVersion;
  uint32_t page_bytes = 0;
  uint32_t flags = 0;
  uint64_t root = 0;
  uint64_t sequence = 0;
  uint64_t freelist = 0;
  uint64_t pages = 0;
  uint64_t txid = 0;
  uint64_t checksum = 0;
};
constexpr size_t kChecksumOffset = offsetof(RawMeta, checksum);
static_assert(sizeof(RawMeta) == 64 && kChecksumOffset == 56);

// FNV-1a, 64 bits.
uint64_t Checksum(std::string_view bytes) {
  uint64_t hash = 0xcbf29ce484222325;
  for (const char c : bytes) hash = (hash ^ static_cast<uint8_t>(c)) * 0x100000001b3;
  return hash;
}

StatusOr<Meta> ReadMetaAt(File& file, uint64_t page_offset) {
  std::array<char, kPageHeaderBytes + sizeof(RawMeta)> bytes;
  ASSIGN_OR_RETURN(const size_t n, file.ReadAt(page_offset, bytes));
  if (n < bytes.size()) return absl::DataLossError("invalid database");
  return ParseMeta(std::string_view(bytes.data(), bytes.size()).substr(kPageHeaderBytes));
}

// The second meta alone: where it lies depends on the page size that it tells.
StatusOr<Meta> SearchSecondMeta(File& file) {
  for (uint64_t offset = kPageBytesMin; offset <= kPageBytesMax; offset *= 2) {
    StatusOr<Meta> meta = ReadMetaAt(file, offset);
    if (meta.ok() && meta->page_bytes == offset) return meta;
  }
  return absl::DataLossError("invalid database");
}

Status CheckLength(File& file, const Meta& meta) {
  ASSIGN_OR_RETURN(const uint64_t bytes, file.Size());
  if (meta.pages <= bytes / meta.page_bytes) return absl::OkStatus();
  return absl::DataLossError("database is cut short: " + std::to_string(bytes) + " bytes of " +
                             std::to_string(meta.pages) + " pages");
}

}  // namespace

std::string EncodeMeta(const Meta& meta) {
  RawMeta raw{.page_bytes = meta.page_bytes,
              .root = meta.root,
              .sequence = meta.root_sequence,
              .freelist = meta.freelist,
              .pages = meta.pages,
              .txid = meta.txid};
  std::string bytes;
  Append(&bytes, raw);
  bytes.resize(kChecksumOffset);
  AppendLittleEndian64(&bytes, Checksum(bytes));
  return bytes;
}

StatusOr<Meta> ParseMeta(std::string_view bytes) {
  if (bytes.size() < sizeof(RawMeta)) return absl::DataLossError("invalid database");
  const auto raw = Load<RawMeta>(bytes);
  if (raw.magic != kMagic) return absl::DataLossError("invalid database");
  if (raw.version != kVersion) return absl::DataLossError("version mismatch");
  if (raw.checksum != Checksum(bytes.substr(0, kChecksumOffset))) {
    return absl::DataLossError("checksum error");
  }
  if (!std::has_single_bit(raw.page_bytes) || raw.page_bytes < kPageBytesMin ||
      raw.page_bytes > kPageBytesMax) {
    return absl::DataLossError("page size " + std::to_string(raw.page_bytes));
  }
  if (raw.root < kFirstDataPage || raw.root >= raw.pages) {
    return absl::DataLossError("root page " + std::to_string(raw.root) + " of " +
                               std::to_string(raw.pages));
  }
  return Meta{.page_bytes = raw.page_bytes,
              .root = raw.root,
              .root_sequence = raw.sequence,
              .freelist = raw.freelist,
              .pages = raw.pages,
              .txid = raw.txid};
}

StatusOr<Meta> ReadMeta(File& file) {
  const StatusOr<Meta> first = ReadMetaAt(file, 0);
  if (!first.ok() && !absl::IsDataLoss(first.status())) return first;
  StatusOr<Meta> newest = first.ok() ? ReadMetaAt(file, first->page_bytes) : SearchSecondMeta(file);
  if (first.ok() &&
      (!newest.ok() || newest->page_bytes != first->page_bytes || first->txid > newest->txid)) {
    newest = first;
  }
  if (!newest.ok()) return first.status();
  RETURN_IF_ERROR(CheckLength(file, *newest));
  return newest;
}

}  // namespace kvorum::mvcc::boltfile
