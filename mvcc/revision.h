#pragma once
// RowRevision: the place of one change in the history of the store, and its form as a row key.
//
// Every applied transaction that changes something takes one main revision; its changes are
// numbered 0, 1, 2... by `sub`. A row of the `key` bucket is named by 17 bytes, so that byte order
// is history order; a deletion (tombstone) appends 't':
//
//   main 5, sub 1           00 00 00 00 00 00 00 05 5f 00 00 00 00 00 00 00 01
//   the same as a deletion  00 00 00 00 00 00 00 05 5f 00 00 00 00 00 00 00 01 74
//
// Follows etcd server/storage/mvcc/revision.go.

#include <cstdint>
#include <optional>
#include <ostream>
#include <string>
#include <string_view>

#include "base/types.h"

namespace kvorum::mvcc {

inline constexpr size_t kRowKeyBytes = 17;
inline constexpr size_t kTombstoneRowKeyBytes = 18;

// Ordered by main, then sub. 0.0 is before every change.
struct RowRevision {
  Revision main;
  int64_t sub = 0;

  friend auto operator<=>(const RowRevision&, const RowRevision&) = default;
  template <typename H>
  friend H AbslHashValue(H h, const RowRevision& r) {
    return H::combine(std::move(h), r.main, r.sub);
  }
  friend std::ostream& operator<<(std::ostream& os, const RowRevision& r) {
    return os << r.main << "." << r.sub;
  }
};

// The row key of `revision`; 18 bytes for a tombstone.
std::string EncodeRowKey(const RowRevision& revision, bool tombstone = false);

// "5.1", for messages.
std::string RevisionText(const RowRevision& revision);

struct RowKey {
  RowRevision revision;
  bool tombstone = false;
};
// Nothing when `bytes` is not a row key. Also reads the 17-byte revisions of the meta bucket.
std::optional<RowKey> ParseRowKey(std::string_view bytes);

}  // namespace kvorum::mvcc
