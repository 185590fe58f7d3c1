#pragma once
// mvcc: the replicated state, a key space with history, and the other buckets that live beside it.
//
// What it is for. Every change gets a revision; any revision not yet compacted can be read, listed,
// counted, hashed and replayed as events. State is a pure function of the applied log.
//
// Parts, in the order a put meets them: WriteTxn (store_txn.h) collects the changes of one log
// entry; TreeIndex (tree_index.h) maps key -> KeyIndex, the key's revisions in memory; pending rows
// hold what is not yet in the backend; Backend (backend/backend.h) is RocksDB behind buckets; the
// EventSink hands the changes to the watch stage. Store (store.h) ties them together.
//
// What the caller must do, in this order, on one thread (the apply thread):
//   1. For each committed entry: Store::Begin, changes, WriteTxn::End; rows of other buckets
//      through backend().batch(). Compactions through Store::Compact.
//   2. At the end of the committed batch of entries: Store::Commit(index, term, conf state),
//      exactly one backend write. A ResourceExhausted answer (disk full) keeps everything: call
//      Commit again later, before any further entry. Any other error: end the process.
//   3. From time to time: RequestFlush; FlushedIndex() then tells what a crash cannot take away.
// Maintenance calls Compactor::Step (compaction.h) until it says done.
//
// Invariants.
//   1. Readers see the changes of a log entry all or none: the index, the current revision and the
//      pending rows change together under one exclusive hold of Store's lock, in WriteTxn::End.
//   2. A row that the index names can be read: it is in the value cache, else among the pending
//      rows, else in the backend. Commit writes the backend first and clears pending rows after.
//   3. A read at revision R is exact if R was not compacted when it began: what compaction C
//      removes, from the index or from disk, it removes after every read begun before C was applied
//      has ended.
//   4. Whoever reads rows rather than the index skips the logically dead ones (revision <= C and
//      not kept by C), so nothing observable depends on how far the physical purge has come.
//   5. An EventSink gets the changes after they are visible, in revision order, and compactions in
//      the same sequence.
//
// Threads: one apply thread writes; any number of threads read; one maintenance thread compacts.
// Durable: what FlushedIndex() covers, always a prefix of whole committed batches. Everything above
// is replayed from the raft log.
// Left out: leases (it only tells a LeaseAttacher), watchers, sort orders and revision filters,
// permission, quota.
//
// Follows etcd server/storage/mvcc (kvstore.go, kvstore_txn.go, index.go, key_index.go, hash.go).

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/bytes.h"
#include "base/status.h"
#include "base/types.h"
#include "mvcc/key_value_view.h"
#include "mvcc/revision.h"

namespace kvorum::mvcc {

// What is wrong with a client's request. Faults of the disk are a Status instead: they mean that
// this member can no longer be trusted and must stop.
enum class Error {
  kNone,
  kCompacted,       // the revision is below the compacted one
  kFutureRevision,  // the revision is above the current one
};

// The compacted revision of a store that was never compacted.
inline constexpr Revision kNeverCompacted{-1};
// The current revision of a fresh store.
inline constexpr Revision kFirstRevision{1};

// An interval of keys, in etcd's notation. The views must outlive the call they are given to.
struct KeyRange {
  std::string_view key;
  // Empty: only `key`. One zero byte: every key >= `key`. Else [key, end); nothing if end <= key.
  std::string_view end = {};

  bool single() const { return end.empty(); }
  bool unbounded() const { return end.size() == 1 && end[0] == '\0'; }
  bool Contains(std::string_view k) const {
    if (single()) return k == key;
    return k >= key && (unbounded() || k < end);
  }
};

struct Row {
  RowRevision revision;
  SharedBytes bytes;  // canonical KeyValue
};

struct RangeOptions {
  int64_t limit = 0;     // rows; 0 or less: all
  Revision revision{0};  // 0 or less: current
  bool count_only = false;
  bool uncounted = false;  // leaves RangeResult::count at 0, and so ends at the last row
  // Rows carry key, create and mod revision and version, but neither value nor lease; from memory.
  bool keys_only = false;
};

struct RangeResult {
  Error error = Error::kNone;  // when set, only `current` is meaningful
  std::vector<Row> rows;       // ascending by key
  int64_t count = 0;           // live keys in the interval, whatever the limit
  Revision current;            // of the store when the read began
};

// What the index knows of a live key, without its value.
struct KeyMeta {
  RowRevision modified;
  Revision created;
  int64_t version = 0;
  LeaseId lease;  // 0 when the revision asked for is not the key's latest
};

enum class EventType : uint8_t { kPut, kDelete };

struct Event {
  EventType type = EventType::kPut;
  RowRevision revision;
  // Put: the canonical KeyValue. Delete: the tombstone's row, which has only the key; the client
  // sees it with mod_revision = revision.main.
  SharedBytes row;
  // The key's revision just before this change, if it was live: ReadRow(*previous) is prev_kv. Not
  // set in events read back by ReadEvents.
  std::optional<RowRevision> previous;
  // Its bytes where the value cache had them; empty otherwise.
  SharedBytes previous_row;
};

// All events of one revision, or one compaction.
struct EventBatch {
  Revision revision;
  std::vector<Event> events;
  // Set instead of events: everything below was compacted at this point of the sequence.
  std::optional<Revision> compacted;
};

// Implemented by the watch stage. Called on the apply thread, must not block, after the change is
// visible to readers.
class EventSink {
 public:
  virtual ~EventSink() = default;
  // May be kept until the next Flush.
  virtual void Publish(EventBatch batch) = 0;
  // What was published belongs to a batch that is committed now.
  virtual void Flush() = 0;
};

// Implemented by server/lease: which keys a lease takes with it. Called on the apply thread, and on
// the thread of Store::Open for the keys found there. The store has checked nothing about the
// lease.
class LeaseAttacher {
 public:
  virtual ~LeaseAttacher() = default;
  virtual void Attach(LeaseId lease, std::string_view key) = 0;
  virtual void Detach(LeaseId lease, std::string_view key) = 0;
};

}  // namespace kvorum::mvcc
