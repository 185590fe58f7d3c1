#pragma once
// KeyIndex: all revisions of one key that are not compacted away, in memory.
//
// A key lives in generations: one begins with a put and ends with a deletion (tombstone). Here the
// generations are one list of entries, oldest first, in which a tombstone ends its generation:
//
//   put 1.0, put 2.0, delete 3.0, put 4.0, delete 5.0
//   entries        1.0  2.0  3.0t | 4.0  5.0t |
//   at revision 2  modified 2.0, created 1, version 2
//   at revision 3  not there                            at revision 4  modified 4.0, version 1
//
// Compaction at C drops every generation that ended before C; of the first that is left it keeps
// the newest revision <= C (also a tombstone exactly at C) and everything above:
//
//   Compact(2)     2.0  3.0t | 4.0  5.0t |              2.0 still has version 2
//   Compact(4)     4.0  5.0t |
//   Compact(5)     5.0t |
//   Compact(6)     nothing: the key leaves the index
//
// So only the first generation can lack its beginning; its creation and the version of its first
// entry are stored, those of later generations follow from the entries.
// Follows etcd server/storage/mvcc/key_index.go.

#include <absl/container/inlined_vector.h>

#include <atomic>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "base/bytes.h"
#include "base/types.h"
#include "mvcc/mvcc.h"
#include "mvcc/revision.h"

namespace kvorum::mvcc {

// A put as the index stores it.
struct IndexPut {
  RowRevision revision;
  Revision created;
  int64_t version = 0;
  LeaseId lease;
  uint32_t row_bytes = 0;  // size of the row's value
};

// Not synchronised: the store's lock guards it.
class KeyIndex {
 public:
  struct Entry {
    int64_t main;
    uint32_t sub : 31;
    uint32_t tombstone : 1;
    uint32_t row_bytes;  // 0 for a tombstone: its row holds the key alone

    RowRevision revision() const { return {Revision(main), static_cast<int64_t>(sub)}; }
  };
  static_assert(sizeof(Entry) == 16);
  using Entries = absl::InlinedVector<Entry, 1>;
  using Dropped = std::function<void(const Entry&)>;

  explicit KeyIndex(std::string_view key) : key_(key) {}

  const std::string& key() const { return key_; }
  // Nothing left: the key belongs out of the index.
  bool empty() const { return entries_.empty(); }
  // Exists at the newest revision.
  bool live() const { return !entries_.empty() && !entries_.back().tombstone; }
  // REQUIRES: !empty().
  RowRevision modified() const { return entries_.back().revision(); }
  size_t size() const { return entries_.size(); }

  // REQUIRES: put.revision > modified(); created and version continue the generation.
  void Put(const IndexPut& put);
  // REQUIRES: revision > modified(). A tombstone without a live generation makes one of its own
  // (seen when reading back a history whose beginning was compacted).
  void Tombstone(const RowRevision& revision);

  // The key as of main revision `at`; nothing if it did not exist.
  std::optional<KeyMeta> Find(Revision at) const;
  // The same at the newest revision, O(1).
  std::optional<KeyMeta> Latest() const;

  // How many entries have main <= `at`; they are the first ones.
  size_t CountUpTo(Revision at) const;
  // How many entries, the oldest ones, compaction at `at` does not keep. Entries recorded later
  // change nothing about it.
  size_t CountDropped(Revision at) const;
  // Drops the oldest `n`. Returns memory that is no longer needed: megabytes for a key with a long
  // history, to be freed where nobody waits.
  Entries DropOldest(size_t n);
  // The two together, telling `dropped` of each.
  void Compact(Revision at, const Dropped& dropped);
  // Drops everything.
  void DropAll(const Dropped& dropped);
  // The revision that counts for a hash at `at`: what Compact(at) would keep of revisions <= `at`,
  // unless it is a tombstone.
  std::optional<RowRevision> KeptForHash(Revision at) const;

  const Entries& entries() const { return entries_; }
  // What an entry of this key counts for in the sizes.
  int64_t RowBytes(const Entry& entry) const;

  // The value cache's slot for the row of the newest revision; see value_cache.h.
  struct CacheSlot {
    SharedBytes row;
    int32_t position = -1;  // in the clock; -1: not cached
    mutable std::atomic<bool> used{false};
  };
  CacheSlot& cache() { return cache_; }
  const CacheSlot& cache() const { return cache_; }

 private:
  KeyMeta MetaOf(size_t i) const;

  std::string key_;
  Entries entries_;
  // Of the first generation: its creation, and the version of entries_[0].
  Revision first_created_;
  int64_t first_version_ = 0;
  // Of the newest put.
  Revision last_created_;
  int64_t last_version_ = 0;
  LeaseId lease_;
  CacheSlot cache_;
};

}  // namespace kvorum::mvcc
