#pragma once
// Backend: the durable rows under the store, an ordered map per bucket.
//
// One write is one Commit: everything put or deleted through batch() since the last one, together
// with the applied index, its term and the counters. A crash leaves a prefix of whole commits, at
// least up to FlushedIndex(). There is no log of its own; the raft log replays what is lost.
//
// Threads: batch(), Commit belong to the apply thread. Everything else may be called from any
// thread. Errors: ResourceExhausted, disk full: the batch is kept, Commit may be repeated, reads go
// on. DataLoss, a row or block is not what was written: stop using this member's store. Internal,
// anything else: the process must end.

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "base/bytes.h"
#include "base/env.h"
#include "base/status.h"
#include "base/types.h"
#include "mvcc/backend/schema.h"

namespace kvorum::mvcc {

class RevisionSet;

// Own bookkeeping, written with every commit.
struct Counters {
  Revision current_revision;
  // Rows of the `key` bucket that are logically there (the revisions in the index).
  int64_t key_rows = 0;
  // Logical size of all rows, and its high-water mark since the last defragmentation.
  int64_t size_in_use_bytes = 0;
  int64_t size_bytes = 0;

  std::string Encode() const;
  static std::optional<Counters> Parse(std::string_view bytes);
};

// Where in the raft log a commit stands.
struct CommitPosition {
  Index index;
  Term term;
  // The JSON of a ConfState, when a membership change was applied since the last commit.
  std::optional<std::string> conf_state;
};

// A consistent view of one bucket's interval (or of all rows) as of its creation; sees commits
// before, none after, and keeps its rows from being purged. Holds disk space: let go soon. One
// thread at a time. `status()` must be asked when Valid() turns false.
class Iterator {
 public:
  virtual ~Iterator() = default;
  virtual bool Valid() const = 0;
  virtual void Next() = 0;
  virtual void Seek(std::string_view key) = 0;  // to the first key >= `key` in the view's bucket
  virtual Bucket bucket() const = 0;
  virtual std::string_view key() const = 0;  // without the tag; valid until Next
  virtual std::string_view value() const = 0;
  virtual Status status() const = 0;
};

// The pending write of the apply thread.
class Batch {
 public:
  virtual ~Batch() = default;
  virtual void Put(Bucket bucket, std::string_view key, std::string_view value) = 0;
  virtual void Delete(Bucket bucket, std::string_view key) = 0;
  // The row as this batch leaves it: pending, else committed. Not for Bucket::kKey.
  virtual StatusOr<std::optional<std::string>> Get(Bucket bucket, std::string_view key) = 0;
  virtual bool empty() const = 0;
};

enum class PurgeResult {
  kRewrote,
  kBusy,     // what there is to rewrite is being rewritten already: look again in a moment
  kNothing,  // no file has that many purgeable rows
};

class Backend {
 public:
  virtual ~Backend() = default;

  virtual Batch& batch() = 0;
  // Writes the batch with `position` and `counters` at once; see the errors above.
  virtual Status Commit(const CommitPosition& position, const Counters& counters) = 0;
  // Net change of the logical size of all buckets but `key` since the last call; apply thread.
  virtual int64_t TakeSizeDelta() = 0;

  virtual StatusOr<std::optional<std::string>> Get(Bucket bucket, std::string_view key) = 0;
  // Rows with first <= key < last; `last` empty means to the bucket's end. Positioned on the first.
  // `whole_scan` reads ahead and does not displace what the block cache holds.
  virtual std::unique_ptr<Iterator> NewIterator(Bucket bucket, std::string_view first = {},
                                                std::string_view last = {},
                                                bool whole_scan = false) = 0;
  // All rows in bucket order, our own at the end.
  virtual std::unique_ptr<Iterator> NewFullIterator() = 0;

  // Applied index and term of the last commit a crash cannot take away; 0 for none yet. Cheap
  // unless a flush ended since the last call.
  virtual StatusOr<Index> FlushedIndex() = 0;
  // A row as it is after a crash now; nothing when absent.
  virtual StatusOr<std::optional<std::string>> GetFlushed(Bucket bucket, std::string_view key) = 0;
  // Starts writing the memory tables out, at once or as soon as there is room; does not wait.
  virtual Status RequestFlush() = 0;
  // The same, and waits: all commits before it are durable on return.
  virtual Status Flush() = 0;
  // Called after each flush on a thread of the backend: must be short, must not call back here. Set
  // before the first commit.
  virtual void SetFlushListener(std::function<void()> listener) = 0;

  // What the background rewrites may leave out: rows of the `key` bucket whose revision is in
  // `dead`. Replaces what was set before. See compaction.h for when a row may be named here.
  virtual void SetPurgeable(std::shared_ptr<const RevisionSet> dead) = 0;
  // Rewrites one file (or a few young overlapping ones together) in which at least one row and at
  // least `dead_share` of all are purgeable, about 50 ms for each 16 MB. kNothing at share 0: no
  // purgeable row is left. ResourceExhausted, with nothing begun, when the disk has no room for a
  // copy.
  virtual StatusOr<PurgeResult> PurgeOneFile(double dead_share) = 0;
};

struct BackendOptions {
  Env* env = nullptr;
  std::string directory;
  // May be created; otherwise a missing or empty directory is an error, so that a lost database is
  // never taken for a new member.
  bool create = false;
  int64_t memtable_bytes = 64 << 20;
  int64_t block_cache_bytes = 64 << 20;
};
StatusOr<std::unique_ptr<Backend>> OpenBackend(const BackendOptions& options);

}  // namespace kvorum::mvcc
