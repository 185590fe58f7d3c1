#pragma once
// Storage: the part of the log the core regards as durable, held in memory by the raft loop.
//
// Files belong to the WAL stage. Storage is what the core reads back: to send entries to a
// follower, to find an entry's term, to hand out committed entries. The core itself moves entries
// and received snapshots into it when their append is acknowledged (RawNode::OnAppended), so what
// Storage holds is on this member's disk, with one exception: a tail that was overwritten by a
// newer leader stays until the overwrite is acknowledged; the core never looks at it.
//
// What is left to the caller, on the thread that drives the node:
//   - before start: fill it (ApplySnapshot, Append, SetHardState);
//   - CreateSnapshot when the store has made one, then Compact to bound the memory.
// Not thread-safe. Ranges are half-open, [first, last).

#include <cstdint>
#include <deque>
#include <optional>
#include <vector>

#include "base/status.h"
#include "raft/types.h"

namespace kvorum::raft {

// What the core needs of a log. Never fails for a reason outside this member's memory.
class Storage {
 public:
  virtual ~Storage() = default;

  // Index of the first entry still held: last compacted (or snapshot) index + 1.
  virtual Index FirstIndex() const = 0;
  // FirstIndex() - 1 when no entry is held.
  virtual Index LastIndex() const = 0;
  // Term of entry `i`. Known for FirstIndex() - 1 too; nullopt outside [FirstIndex() - 1,
  // LastIndex()].
  virtual std::optional<Term> TermAt(Index i) const = 0;
  // Entries [lo, hi), cut to `max_bytes` encoded bytes but at least one; nullopt if lo is
  // compacted. REQUIRES: lo < hi <= LastIndex() + 1.
  virtual std::optional<std::vector<Entry>> Entries(Index lo, Index hi,
                                                    uint64_t max_bytes) const = 0;
  // The snapshot to send to a follower that needs compacted entries; null when none can be given
  // now, the core then asks again later. Covers at least FirstIndex() - 1.
  virtual SnapshotPtr CurrentSnapshot() const = 0;
};

// The only Storage outside tests.
class MemoryStorage : public Storage {
 public:
  MemoryStorage();

  Index FirstIndex() const override { return compacted_.index + 1; }
  Index LastIndex() const override { return compacted_.index + entries_.size(); }
  std::optional<Term> TermAt(Index i) const override;
  std::optional<std::vector<Entry>> Entries(Index lo, Index hi, uint64_t max_bytes) const override;
  SnapshotPtr CurrentSnapshot() const override { return snapshot_; }

  // Filling before start: the snapshot (its data may be empty), then the entries after it, then the
  // HardState. ApplySnapshot and Append below do the first two.
  void SetHardState(const HardState& state) { hard_state_ = state; }
  // What SetHardState was told; not kept up to date afterwards, that is the WAL's business.
  const HardState& initial_hard_state() const { return hard_state_; }
  // Of the newest snapshot.
  const ConfState& conf_state() const { return snapshot_->metadata.conf_state; }

  // Replaces everything by `snapshot`. FailedPrecondition if it is not newer than the one held; a
  // snapshot at index 0, configuration only, may be installed over an empty log.
  Status ApplySnapshot(SnapshotPtr snapshot);
  // Adds `entries`, which must not leave a gap; what they overlap is overwritten, what they overlap
  // of the compacted part is skipped.
  void Append(std::vector<Entry> entries);

  // Makes the snapshot at `i` the one to send from now on. FailedPrecondition if not newer than the
  // one held. REQUIRES: FirstIndex() <= i <= LastIndex(), i applied.
  Status CreateSnapshot(Index i, const ConfState& conf_state, SharedBytes data);
  // Forgets entries up to and including `i`. FailedPrecondition if already compacted. The snapshot
  // held must cover i, or a follower that needs older entries could not be served.
  // REQUIRES: i <= LastIndex(), i applied.
  Status Compact(Index i);

 private:
  HardState hard_state_;
  SnapshotPtr snapshot_;  // never null
  EntryId compacted_;     // identity of the entry just before entries_
  std::deque<Entry> entries_;
};

}  // namespace kvorum::raft
