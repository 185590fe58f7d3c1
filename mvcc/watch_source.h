#pragma once
// What the watch stage reads of a store. A seam of its own, so that the stage is tested against a
// model and a store can be exchanged under it (mvcc/watchable_store.h, Attach).

#include <memory>
#include <optional>
#include <string_view>

#include "base/status.h"
#include "base/types.h"
#include "mvcc/mvcc.h"
#include "mvcc/store.h"

namespace kvorum::mvcc {

// Called on the stage's thread, the two revisions on the apply thread too. A Status is a fault of
// the disk.
class WatchSource {
 public:
  virtual ~WatchSource() = default;
  virtual Revision current_revision() const = 0;
  virtual Revision compacted_revision() const = 0;
  // As Store::ReadEvents.
  virtual StatusOr<ReadEventsResult> ReadEvents(Revision first, Revision last, int64_t max_bytes,
                                                std::optional<Revision> as_of) const = 0;
  // The row of exactly that revision; nothing if it is gone.
  virtual StatusOr<std::optional<Row>> ReadRow(const RowRevision& revision) const = 0;
  // The key's row as of `revision`; nothing if it did not exist or the revision is compacted.
  virtual StatusOr<std::optional<Row>> ReadKeyAt(std::string_view key, Revision revision) const = 0;
};

// Reads `store`.
std::shared_ptr<const WatchSource> NewStoreWatchSource(std::shared_ptr<const Store> store);

}  // namespace kvorum::mvcc
