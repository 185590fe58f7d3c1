#include "mvcc/hash.h"

#include <algorithm>
#include <utility>

#include "base/crc32c.h"
#include "mvcc/backend/schema.h"

namespace kvorum::mvcc {

KeyHasher::KeyHasher(KeyHashOptions options)
    : options_(std::move(options)), crc_(Crc32c(0, BucketName(Bucket::kKey))) {}

void KeyHasher::Add(const RowKey& key, std::string_view key_bytes, std::string_view value) {
  const Revision main = key.revision.main;
  if (main > options_.revision) return;
  if (main <= options_.compacted && options_.keeps_any && !options_.keep.Contains(key.revision)) {
    return;
  }
  if (main == options_.compacted && key.tombstone) return;
  crc_ = Crc32c(Crc32c(crc_, key_bytes), value);
}

void CompactionHashes::Add(const CompactionHash& hash) {
  const auto at = std::upper_bound(
      hashes_.begin(), hashes_.end(), hash,
      [](const CompactionHash& a, const CompactionHash& b) { return a.revision < b.revision; });
  hashes_.insert(at, hash);
  if (hashes_.size() > kKept) hashes_.erase(hashes_.begin());
}

std::optional<CompactionHash> CompactionHashes::Find(Revision revision) const {
  for (const CompactionHash& hash : hashes_) {
    if (hash.revision == revision) return hash;
  }
  return std::nullopt;
}

}  // namespace kvorum::mvcc
