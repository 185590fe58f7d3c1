#pragma once
// WriteTxn: the changes of one log entry to the key space, and the reads that decide them.
//
// Use: the apply thread makes one with Store::Begin, reads (compares, pre-checks, ranges), changes,
// and calls End once. Nothing is visible to other threads before End; reads inside the transaction
// see its own changes. Abandoning it without End forgets the changes.
//
//   WriteTxn txn = store.Begin();
//   if (!txn.Find("lock")) txn.Put("lock", "me", lease);
//   Revision r = txn.End();     // base + 1 if something changed, else base
//
// All changes share the main revision base + 1; sub revisions are 0, 1, 2... in the order of the
// calls. A transaction that changed nothing consumes no revision.
// Follows etcd server/storage/mvcc/kvstore_txn.go.

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/bytes.h"
#include "base/status.h"
#include "base/types.h"
#include "mvcc/metrics.h"
#include "mvcc/mvcc.h"

namespace kvorum::mvcc {

class Store;

// Apply thread only; at most one at a time for a store, which must outlive it.
class WriteTxn {
 public:
  explicit WriteTxn(Store& store);
  WriteTxn(const WriteTxn&) = delete;
  WriteTxn& operator=(const WriteTxn&) = delete;
  WriteTxn(WriteTxn&&) = default;

  // The store's revision before this transaction; what it takes if it changes something is + 1.
  Revision base_revision() const { return base_; }
  bool changed() const { return !changes_.empty(); }
  // base, or base + 1 once something changed: the revision of an operation's response header.
  Revision revision() const { return changed() ? base_ + 1 : base_; }

  // What is known of a live key as of now in this transaction; nothing if it does not exist.
  std::optional<KeyMeta> Find(std::string_view key);
  // The key's row as of now in this transaction (canonical KeyValue); nothing if it does not exist.
  StatusOr<std::optional<Row>> Get(std::string_view key);

  // As Store::Range, but with this transaction's changes visible when options.revision is 0 or
  // base + 1. An older revision reads history.
  StatusOr<RangeResult> Range(const KeyRange& range, const RangeOptions& options);

  // Writes `key`; the caller has checked that a lease other than 0 exists. `lease` 0 detaches.
  void Put(std::string_view key, std::string_view value, LeaseId lease);

  // Deletes every live key of the interval and returns how many. With `previous`, appends their
  // rows in key order, and the status may be the disk's.
  StatusOr<int64_t> DeleteRange(const KeyRange& range, std::vector<Row>* previous = nullptr);

  // Makes the changes visible, tells the lease attacher and the event sink. Returns revision().
  Revision End();

 private:
  struct Change {
    RowRevision revision;
    bool tombstone = false;
    std::string key;
    SharedBytes row;
    Revision created;                 // of the generation; puts only
    int64_t version = 0;              // puts only
    LeaseId lease;                    // puts only
    std::optional<KeyMeta> previous;  // the key's state just before
  };
  friend class Store;

  RowRevision NextRevision() const;
  std::optional<KeyMeta> Lookup(std::string_view key) const;
  StatusOr<RangeResult> Read(const KeyRange& range, const RangeOptions& options) const;
  void Delete(std::string_view key, const KeyMeta& previous);
  const Change* FindChange(std::string_view key) const;
  void Remember(Change change);
  void MergeOwnChanges(const KeyRange& range, const RangeOptions& options,
                       RangeResult* result) const;

  Store* store_;
  Revision base_;
  std::vector<Change> changes_;
  // Latest change of each key, for the reads that come after a change; built by the second change.
  std::map<std::string, size_t, std::less<>> latest_;
  OperationCounts counts_;
};

}  // namespace kvorum::mvcc
