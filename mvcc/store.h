#pragma once
// Store: the key space. See mvcc.h for the contract, store_txn.h for writing.

#include <absl/base/thread_annotations.h>
#include <absl/synchronization/mutex.h>

#include <atomic>
#include <cstdint>
#include <deque>
#include <memory>
#include <optional>
#include <set>
#include <string_view>
#include <vector>

#include "base/bytes.h"
#include "base/status.h"
#include "base/types.h"
#include "mvcc/backend/backend.h"
#include "mvcc/hash.h"
#include "mvcc/mvcc.h"
#include "mvcc/pending_rows.h"
#include "mvcc/read_epochs.h"
#include "mvcc/revision_set.h"
#include "mvcc/row_reader.h"
#include "mvcc/store_txn.h"
#include "mvcc/tree_index.h"
#include "mvcc/value_cache.h"

namespace kvorum::mvcc {

struct StoreOptions {
  int64_t value_cache_bytes = 64 << 20;
  // Both may be null; they must outlive the store.
  LeaseAttacher* leases = nullptr;
  EventSink* events = nullptr;
};

struct HashKvResult {
  Error error = Error::kNone;
  uint32_t hash = 0;
  Revision hashed;     // the revision hashed
  Revision compacted;  // as of the hash; -1 for never
  Revision current;
};

struct ReadEventsResult {
  Error error = Error::kNone;  // kCompacted: `first` is below the compacted revision
  // Whole revisions, ascending.
  std::vector<EventBatch> batches;
  // Where to go on; last + 1 when all was read.
  Revision next;
};

class Store {
 public:
  // Reads the index back from the rows (about 1 us a row) and tells the lease attacher about leased
  // keys. DataLoss when the rows are not as many as the last commit said.
  static StatusOr<std::unique_ptr<Store>> Open(std::unique_ptr<Backend> backend,
                                               const StoreOptions& options);
  ~Store();

  // --- Apply thread ---

  WriteTxn Begin() { return WriteTxn(*this); }
  // Writes everything since the last Commit as one; see mvcc.h for errors.
  Status Commit(const CommitPosition& position);
  // Reads below `revision` are refused from now on; removal is the Compactor's work.
  Error Compact(Revision revision);
  // The backend, for rows of other buckets: batch(), flushes.
  Backend& backend() { return *backend_; }

  // --- Any thread ---

  StatusOr<RangeResult> Range(const KeyRange& range, const RangeOptions& options = {}) const;
  // The same answer if it takes no disk and at most `max_rows` rows; else nothing. Never blocks for
  // longer than the index lock is held.
  std::optional<RangeResult> TryRangeInMemory(const KeyRange& range, const RangeOptions& options,
                                              int64_t max_rows = 64) const;
  // Keeps compactions applied from now on from removing anything while the guard lives, for who
  // reads in several steps. Each single call above and below does so by itself. Let go soon.
  ReadEpochs::Guard HoldRemovals() const { return epochs_.Enter(); }
  // The row of exactly that revision; nothing if it is gone (compacted) or was a deletion.
  StatusOr<std::optional<Row>> ReadRow(const RowRevision& revision) const;

  // Changes of the revisions [first, last], at least one revision's and no more than about
  // `max_bytes` of rows. For watchers catching up. first >= 1; `last` above current means current.
  // `as_of`: judged by that compaction instead of the last one; only for who holds back the purge
  // of later ones.
  StatusOr<ReadEventsResult> ReadEvents(Revision first, Revision last, int64_t max_bytes,
                                        std::optional<Revision> as_of = std::nullopt) const;

  // CRC-32C over the history up to `revision` (0: current), equal on all members.
  StatusOr<HashKvResult> HashKv(Revision revision) const;
  // The hashes HashKv answers from memory: of the last ten compactions, ascending.
  std::vector<CompactionHash> compaction_hashes() const;
  // CRC-32C over all buckets, of what is committed.
  StatusOr<uint32_t> Hash() const;
  // All committed rows of etcd's buckets in bucket order, without the logically dead ones: what a
  // snapshot holds. Index, term and ConfState are among them. At the end its status() is DataLoss
  // if rows were missing. Seek("") begins again, with the same rows.
  std::unique_ptr<Iterator> NewLogicalIterator() const;

  Revision current_revision() const {
    return Revision(current_revision_.load(std::memory_order_acquire));
  }
  // kNeverCompacted before the first compaction.
  Revision compacted_revision() const;
  // Logical bytes in use, and their high-water mark until a defragmentation. Never 0.
  int64_t size_in_use_bytes() const { return size_in_use_.load(std::memory_order_relaxed); }
  int64_t size_bytes() const { return size_.load(std::memory_order_relaxed); }
  // What the last commit stored, read back at Open: where replay begins. 0 for a new store.
  CommitPosition opened_at() const { return opened_at_; }
  // Reads under way.
  int64_t open_reads() const { return epochs_.open(); }
  // Live keys at the current revision.
  int64_t key_count() const;

 private:
  friend class WriteTxn;
  friend class Compactor;
  struct Scan;
  struct Loader;
  class HistoryHash;

  // A compaction whose removal has not begun.
  struct ScheduledCompaction {
    Revision revision;
    Revision previous;         // the one before
    bool hash_wanted = false;  // the one before was finished when this one was applied
    int64_t epoch = 0;         // reads of earlier epochs must have ended
  };

  Store(std::unique_ptr<Backend> backend, const StoreOptions& options);

  // store_read.cc
  void StartScan(Scan* scan) const ABSL_SHARED_LOCKS_REQUIRED(mutex_);
  void ScanSlice(Scan* scan, int64_t max_keys) const ABSL_SHARED_LOCKS_REQUIRED(mutex_);
  void Visit(const KeyIndex& key, Scan* scan) const ABSL_SHARED_LOCKS_REQUIRED(mutex_);
  SharedBytes RowInMemory(const KeyIndex& key, const RowRevision& revision) const
      ABSL_SHARED_LOCKS_REQUIRED(mutex_);
  Status FetchMissing(Scan* scan) const;
  Status FetchByScan(const std::vector<size_t>& missing, std::vector<Row>* rows) const;
  void FillCache(const std::vector<Row>& rows, const std::vector<size_t>& fetched) const;
  StatusOr<SharedBytes> FetchRow(const RowRevision& revision) const;

  // store_events.cc: all rows with first <= main <= last, dead ones included. The caller is in an
  // epoch.
  std::unique_ptr<RowReader> ReadRows(Revision first, Revision last, bool whole_scan) const;

  // store.cc
  void Publish(WriteTxn& txn);
  EventBatch ApplyToIndex(WriteTxn& txn) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void TellLeases(const WriteTxn& txn);
  Counters MakeCounters();
  void NoteFinishedCompaction();
  void PutDead(const RevisionSet& dead, const std::set<int64_t>& stale,
               const std::set<int64_t>& unsaved);

  // Constant after Open.
  const StoreOptions options_;
  const std::unique_ptr<Backend> backend_;
  CommitPosition opened_at_;

  // Written by the apply thread, read by any; in-use bytes are also lowered by the compactor.
  std::atomic<int64_t> current_revision_{kFirstRevision.value()};
  std::atomic<int64_t> size_in_use_{kEmptyStoreBytes};
  std::atomic<int64_t> size_{kEmptyStoreBytes};
  // The next commit sets the high-water mark down.
  std::atomic<bool> defragmented_{false};

  // Synchronises itself.
  mutable ReadEpochs epochs_;

  // Lock order: no other lock of this module is taken while this one is held.
  mutable absl::Mutex mutex_;
  TreeIndex index_ ABSL_GUARDED_BY(mutex_);
  mutable ValueCache cache_ ABSL_GUARDED_BY(mutex_);
  PendingRows pending_ ABSL_GUARDED_BY(mutex_);
  Revision compacted_ ABSL_GUARDED_BY(mutex_) = kNeverCompacted;
  std::deque<ScheduledCompaction> scheduled_ ABSL_GUARDED_BY(mutex_);
  // The last compaction the apply thread has noted as finished, and one the compactor wants noted.
  Revision finished_ ABSL_GUARDED_BY(mutex_) = kNeverCompacted;
  std::optional<Revision> finish_wanted_ ABSL_GUARDED_BY(mutex_);
  CompactionHashes compaction_hashes_ ABSL_GUARDED_BY(mutex_);
  // Rows logically gone but perhaps still in the backend. Never null.
  std::shared_ptr<const RevisionSet> dead_ ABSL_GUARDED_BY(mutex_);
  // Chunks of its earlier generation, to be removed from the backend.
  std::set<int64_t> stale_dead_ ABSL_GUARDED_BY(mutex_);
  // Its chunks that differ from what is stored.
  std::set<int64_t> unsaved_dead_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace kvorum::mvcc
