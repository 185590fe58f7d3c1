#pragma once
// The end of the log that is not known to be durable yet: entries and perhaps a received snapshot
// before them.
//
// Each entry goes through three states, in index order: new, in progress (handed out by a Ready,
// being written), stable (acknowledged; leaves here for Storage). Truncation can take it back to
// new.
//
//   storage ... | offset ......... in progress | offset_in_progress ....... new | last
//
// Invariants: offset <= offset_in_progress <= last + 1; with a snapshot, offset = its index + 1
// until it is stable.

#include <deque>
#include <optional>
#include <vector>

#include "raft/types.h"

namespace kvorum::raft {

// Copies entries [from, to) (positions), cut to `max_bytes` encoded bytes, at least one. Payloads
// are shared, not copied.
std::vector<Entry> CopyLimited(const std::deque<Entry>& entries, uint64_t from, uint64_t to,
                               uint64_t max_bytes);

class LogUnstable {
 public:
  // Nothing unstable; the next entry appended has index `offset`.
  explicit LogUnstable(Index offset) : offset_(offset), offset_in_progress_(offset) {}

  Index offset() const { return offset_; }
  Index offset_in_progress() const { return offset_in_progress_; }
  const std::deque<Entry>& entries() const { return entries_; }
  const SnapshotPtr& snapshot() const { return snapshot_; }

  // First index of the whole log, last index, term, as far as this part decides them.
  std::optional<Index> MaybeFirstIndex() const;
  std::optional<Index> MaybeLastIndex() const;
  std::optional<Term> MaybeTerm(Index i) const;

  // Entries not handed out yet, all of them.
  std::vector<Entry> NextEntries() const;
  bool HasNextEntries() const { return offset_in_progress_ < End(); }
  // The snapshot if it was not handed out yet, else null.
  SnapshotPtr NextSnapshot() const { return snapshot_in_progress_ ? nullptr : snapshot_; }
  // Everything here has been handed out.
  void AcceptInProgress();

  // `last` and everything before it is durable: gives up those entries, for Storage. Empty when
  // `last` is not here (any more) with that term, that is, overwritten since.
  std::vector<Entry> StableTo(EntryId last);
  // The snapshot at `index` is durable. Null, and nothing done, if that is not the one here.
  SnapshotPtr StableSnapshotTo(Index index);

  // The log starts over at `snapshot`.
  void Restore(SnapshotPtr snapshot);
  // Appends, replacing whatever has an index >= the first. Entries before `offset` may be replaced
  // too: Storage still holds the old ones, which nobody may look at from then on.
  // REQUIRES: entries not empty, contiguous, first <= last index + 1.
  void TruncateAndAppend(std::vector<Entry> entries);

  // Entries [lo, hi), cut to `max_bytes`, at least one. REQUIRES: offset <= lo < hi <= last + 1.
  std::vector<Entry> Slice(Index lo, Index hi, uint64_t max_bytes) const;

 private:
  Index End() const { return offset_ + entries_.size(); }

  SnapshotPtr snapshot_;
  bool snapshot_in_progress_ = false;
  std::deque<Entry> entries_;  // [offset_, End())
  Index offset_;
  Index offset_in_progress_;
};

}  // namespace kvorum::raft
