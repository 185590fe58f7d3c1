#include "mvcc/revision.h"

#include "base/bytes.h"

namespace kvorum::mvcc {

namespace {
constexpr char kSeparator = '_';
constexpr char kTombstoneMark = 't';
}  // namespace

std::string EncodeRowKey(const RowRevision& revision, bool tombstone) {
  std::string key;
  key.reserve(kTombstoneRowKeyBytes);
  AppendBigEndian64(&key, static_cast<uint64_t>(revision.main.value()));
  key.push_back(kSeparator);
  AppendBigEndian64(&key, static_cast<uint64_t>(revision.sub));
  if (tombstone) key.push_back(kTombstoneMark);
  return key;
}

std::optional<RowKey> ParseRowKey(std::string_view bytes) {
  const bool tombstone = bytes.size() == kTombstoneRowKeyBytes;
  if (bytes.size() != kRowKeyBytes && !tombstone) return std::nullopt;
  if (bytes[8] != kSeparator || (tombstone && bytes[17] != kTombstoneMark)) return std::nullopt;
  return RowKey{.revision = {.main = Revision(static_cast<int64_t>(ReadBigEndian64(bytes))),
                             .sub = static_cast<int64_t>(ReadBigEndian64(bytes.substr(9)))},
                .tombstone = tombstone};
}

std::string RevisionText(const RowRevision& revision) {
  return std::to_string(revision.main.value()) + "." + std::to_string(revision.sub);
}

}  // namespace kvorum::mvcc
