#pragma once
// RaftLog: the whole log as the core sees it, Storage and LogUnstable joined, with the marks on it.
//
//   applied <= applying <= committed <= last;  applying <= stable
//
//   applied    the state machine has reported it
//   applying   handed out for applying
//   stable     durable on this member: everything before LogUnstable's offset
//   committed  known to be held by a quorum
//
// Indices below FirstIndex() are compacted; the term at FirstIndex() - 1 is still known.
// Follows go.etcd.io/raft log.go.

#include <deque>
#include <optional>
#include <vector>

#include "raft/log_unstable.h"
#include "raft/storage.h"
#include "raft/types.h"

namespace kvorum::raft {

class RaftLog {
 public:
  // `storage` outlives the log. Starts with everything up to the storage's snapshot applied.
  RaftLog(MemoryStorage* storage, uint64_t max_applying_bytes);

  Index FirstIndex() const;
  Index LastIndex() const;
  // nullopt when compacted or not there (yet).
  std::optional<Term> TermAt(Index i) const;
  EntryId LastEntryId() const;
  bool Matches(EntryId id) const;
  // A log ending in `last` holds at least as much as ours: it may lead us.
  bool IsUpToDate(EntryId last) const;
  // Entries from `from` to the end, cut to `max_bytes` (at least one); empty beyond the end;
  // nullopt when `from` is compacted.
  std::optional<std::vector<Entry>> Entries(Index from, uint64_t max_bytes) const;

  // Follower's append: if `prev` matches, stores what is new of `entries` (truncating at the first
  // conflict), commits up to min(committed, last of entries) and returns that last index.
  std::optional<Index> MaybeAppend(EntryId prev, std::vector<Entry> entries, Index committed);
  // Leader's append, or what MaybeAppend found new. REQUIRES: first index > committed.
  void Append(std::vector<Entry> entries);
  // First of `entries` that is missing here or differs; index 0 if there is none.
  Index FindConflict(const std::vector<Entry>& entries) const;
  // The largest index <= `from` whose term is <= `term`: nothing between it and `from` can match a
  // log that has `term` at `from`. Term 0 in the result if the search ran into compacted indices.
  EntryId FindConflictByTerm(Index from, Term term) const;

  Index committed() const { return committed_; }
  // Never lowers. REQUIRES: `index` <= LastIndex(), or we lost part of our log.
  void CommitTo(Index index);
  // Commits up to `at` if that is an advance and our entry there has that term.
  bool MaybeCommit(EntryId at);
  // At start only.
  void LoadCommitted(Index index) { committed_ = index; }

  Index applied() const { return applied_; }
  Index applying() const { return applying_; }
  Index stable() const { return unstable_.offset() - 1; }
  bool HasNextCommitted() const;
  // The next batch to apply: durable, in order, cut to what may still be outstanding, and with
  // `split` behind the first configuration change. Does not hand it out yet.
  std::vector<Entry> NextCommitted(bool split) const;
  // The batch is handed out; `split` as before. Behind a batch split at a change the next one waits
  // until the change is applied.
  void AcceptApplying(const std::vector<Entry>& batch, bool split);
  // Applied up to `index`; lower than before is ignored. Returns the payload bytes of the batches
  // this finished.
  uint64_t AppliedTo(Index index);
  // At start only.
  void LoadApplied(Index index) { applied_ = applying_ = index; }
  // A configuration change in (applied, committed]: its effect is not in force yet.
  bool HasUnappliedConfChange() const;

  const LogUnstable& unstable() const { return unstable_; }
  void AcceptUnstable() { unstable_.AcceptInProgress(); }
  // Durable up to `last`, if `last` is still what the log holds there.
  void StableTo(EntryId last);
  // `snapshot` is durable, and becomes what Storage holds, even if a newer one has been received
  // since and is still waited for. False if Storage holds a newer one.
  bool StableSnapshotTo(const SnapshotPtr& snapshot);
  // A snapshot received and not yet durable.
  bool HasPendingSnapshot() const { return unstable_.snapshot() != nullptr; }
  // For sending: null if none can be given now.
  SnapshotPtr CurrentSnapshot() const { return storage_->CurrentSnapshot(); }
  // The log starts over at `snapshot`. REQUIRES: its index > committed.
  void Restore(SnapshotPtr snapshot);

 private:
  struct Batch {
    Index last;
    uint64_t encoded_bytes;
    uint64_t payload_bytes;
  };
  // End of what may be handed out.
  Index MaxAppliable() const;
  // REQUIRES: FirstIndex() <= lo < hi <= LastIndex() + 1.
  std::vector<Entry> Slice(Index lo, Index hi, uint64_t max_bytes) const;

  MemoryStorage* const storage_;
  LogUnstable unstable_;
  Index committed_;
  Index applying_;
  Index applied_;

  const uint64_t max_applying_bytes_;
  uint64_t applying_bytes_ = 0;   // sum of encoded_bytes over batches_
  bool applying_paused_ = false;  // until something is reported applied
  Index applying_until_;       // a change handed out last: nothing behind it before it is applied
  std::deque<Batch> batches_;  // handed out, not reported applied
};

}  // namespace kvorum::raft
