#include "mvcc/watch_source.h"

#include <utility>

namespace kvorum::mvcc {
namespace {

class StoreWatchSource final : public WatchSource {
 public:
  explicit StoreWatchSource(std::shared_ptr<const Store> store) : store_(std::move(store)) {}

  Revision current_revision() const override { return store_->current_revision(); }
  Revision compacted_revision() const override { return store_->compacted_revision(); }
  StatusOr<ReadEventsResult> ReadEvents(Revision first, Revision last, int64_t max_bytes,
                                        std::optional<Revision> as_of) const override {
    return store_->ReadEvents(first, last, max_bytes, as_of);
  }
  StatusOr<std::optional<Row>> ReadRow(const RowRevision& revision) const override {
    return store_->ReadRow(revision);
  }
  StatusOr<std::optional<Row>> ReadKeyAt(std::string_view key, Revision revision) const override {
    if (revision < kFirstRevision) return std::nullopt;
    ASSIGN_OR_RETURN(RangeResult read,
                     store_->Range({.key = key}, {.limit = 1, .revision = revision}));
    if (read.error != Error::kNone || read.rows.empty()) return std::nullopt;
    return std::move(read.rows.front());
  }

 private:
  const std::shared_ptr<const Store> store_;
};

}  // namespace

std::shared_ptr<const WatchSource> NewStoreWatchSource(std::shared_ptr<const Store> store) {
  return std::make_shared<StoreWatchSource>(std::move(store));
}

}  // namespace kvorum::mvcc
