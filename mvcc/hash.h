#pragma once
// The two hashes members compare, over rows exactly as stored.
//
// KeyHasher is HashKV's: the name of the bucket, then key and value of every row of revision <= r
// that counts. With C the compacted revision and keep(r) what a compaction at r would keep:
//
//   above C                   counts
//   up to C                   counts if it is in keep(r), or if keep(r) is empty
//   at C and a tombstone      does not count (older releases had removed it)
//
// Follows etcd server/storage/mvcc/hash.go.

#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

#include "base/types.h"
#include "mvcc/revision.h"
#include "mvcc/revision_set.h"

namespace kvorum::mvcc {

struct KeyHashOptions {
  Revision revision;   // r
  Revision compacted;  // C
  // Those of keep(r) that are <= C, and whether keep(r) has any at all.
  RevisionSet keep;
  bool keeps_any = false;
};

class KeyHasher {
 public:
  explicit KeyHasher(KeyHashOptions options);
  // Rows in ascending order; logically dead ones must not be given.
  void Add(const RowKey& key, std::string_view key_bytes, std::string_view value);
  uint32_t hash() const { return crc_; }

 private:
  const KeyHashOptions options_;
  uint32_t crc_;
};

// The hash of a finished compaction.
struct CompactionHash {
  uint32_t hash = 0;
  Revision revision;   // compacted at
  Revision compacted;  // the compaction before, -1 for none
};

// The hashes of the last ten compactions, by revision. Not synchronised.
class CompactionHashes {
 public:
  static constexpr size_t kKept = 10;
  void Add(const CompactionHash& hash);
  std::optional<CompactionHash> Find(Revision revision) const;
  const std::vector<CompactionHash>& all() const { return hashes_; }

 private:
  std::vector<CompactionHash> hashes_;  // ascending
};

}  // namespace kvorum::mvcc
