#pragma once
// ValueCache: the rows of keys' newest revisions, hung on the index, up to a number of bytes.
//
// A row sits in its key's KeyIndex::CacheSlot, so a reader that found the key has the value: a hit
// is a copied pointer. Eviction is by clock: each reader marks what it uses, the hand passes over
// marked rows once and takes the first unmarked. The cache only knows a key's newest row: a put
// replaces it, a deletion removes it.
//
// Guarded by the store's lock: shared for Get (marking is an atomic store), exclusive for the rest.

#include <cstdint>
#include <vector>

#include "base/bytes.h"
#include "mvcc/key_index.h"

namespace kvorum::mvcc {

class ValueCache {
 public:
  // Bytes an entry costs beside its row: slot, string, control block.
  static constexpr int64_t kEntryOverheadBytes = 96;

  explicit ValueCache(int64_t capacity_bytes) : capacity_bytes_(capacity_bytes) {}

  // The newest row if it is here; empty bytes otherwise.
  static SharedBytes Get(const KeyIndex& key);
  // Makes `row` the cached one, evicting others for it. A row above a 64th of the capacity is not
  // kept.
  void Put(KeyIndex& key, SharedBytes row);
  // The same, but only into free room: what a long scan read must not displace what is used.
  void PutIfRoom(KeyIndex& key, SharedBytes row);
  void Remove(KeyIndex& key);
  // False when next to nothing fits without eviction.
  bool HasRoom() const { return bytes_ + capacity_bytes_ / 64 < capacity_bytes_; }

  int64_t bytes() const { return bytes_; }
  int64_t entries() const { return static_cast<int64_t>(clock_.size()); }

 private:
  void MakeRoom(int64_t bytes);
  static int64_t Cost(const SharedBytes& row) {
    return static_cast<int64_t>(row.size()) + kEntryOverheadBytes;
  }

  const int64_t capacity_bytes_;
  int64_t bytes_ = 0;
  std::vector<KeyIndex*> clock_;
  size_t hand_ = 0;
};

}  // namespace kvorum::mvcc
