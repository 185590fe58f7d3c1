#pragma once
// TxnView: the state a txn looks at while it decides, before it changes anything. Either the store
// at one revision (a txn that only reads) or the open transaction of the apply stage.

#include <functional>
#include <optional>
#include <string_view>

#include "base/status.h"
#include "base/types.h"
#include "mvcc/metrics.h"
#include "mvcc/mvcc.h"
#include "mvcc/store.h"
#include "mvcc/store_txn.h"

namespace kvorum::server {

class TxnView {
 public:
  virtual ~TxnView() = default;

  // What Range reads when asked for revision 0.
  virtual Revision revision() const = 0;
  virtual Revision compacted_revision() const = 0;
  // What is known of a live key without reading its value.
  virtual StatusOr<std::optional<mvcc::KeyMeta>> Find(std::string_view key) = 0;
  virtual StatusOr<mvcc::RangeResult> Range(const mvcc::KeyRange& range,
                                            const mvcc::RangeOptions& options) = 0;
};

// The apply stage's transaction, whose own changes are visible. Both must outlive the view.
class WriteTxnView : public TxnView {
 public:
  WriteTxnView(const mvcc::Store& store, mvcc::WriteTxn& txn) : store_(store), txn_(txn) {}

  Revision revision() const override { return txn_.revision(); }
  Revision compacted_revision() const override { return store_.compacted_revision(); }
  StatusOr<std::optional<mvcc::KeyMeta>> Find(std::string_view key) override {
    return txn_.Find(key);
  }
  StatusOr<mvcc::RangeResult> Range(const mvcc::KeyRange& range,
                                    const mvcc::RangeOptions& options) override {
    return txn_.Range(range, options);
  }

 private:
  const mvcc::Store& store_;
  mvcc::WriteTxn& txn_;
};

// The store as of the view's making, however it changes meanwhile. A read comes back with
// kCompacted if a compaction overtook it; the caller then starts again with a new view. Any thread.
class StoreView : public TxnView {
 public:
  explicit StoreView(const mvcc::Store& store)
      : store_(store), revision_(store.current_revision()) {}
  StoreView(const StoreView&) = delete;
  ~StoreView() override { counts_.AddToTotals(); }

  Revision revision() const override { return revision_; }
  Revision compacted_revision() const override { return store_.compacted_revision(); }
  StatusOr<std::optional<mvcc::KeyMeta>> Find(std::string_view key) override;
  StatusOr<mvcc::RangeResult> Range(const mvcc::KeyRange& range,
                                    const mvcc::RangeOptions& options) override;

  // Whether a read at the view's own revision was refused because of a compaction.
  bool overtaken() const { return overtaken_; }

 protected:
  virtual StatusOr<mvcc::RangeResult> Read(const mvcc::KeyRange& range,
                                           const mvcc::RangeOptions& options);
  const mvcc::Store& store() const { return store_; }

 private:
  const mvcc::Store& store_;
  const Revision revision_;
  bool overtaken_ = false;
  mvcc::OperationCounts counts_;
};

// The same, for a thread that must not wait: a read that would touch the disk, or makes all reads
// together longer than the bounds below, fails with Unavailable.
class MemoryView final : public StoreView {
 public:
  static constexpr int64_t kRows = 256;
  static constexpr int64_t kBytes = 64 << 10;

  using StoreView::StoreView;

 private:
  StatusOr<mvcc::RangeResult> Read(const mvcc::KeyRange& range,
                                   const mvcc::RangeOptions& options) override;

  int64_t rows_left_ = kRows;
  int64_t bytes_left_ = kBytes;
};

}  // namespace kvorum::server
