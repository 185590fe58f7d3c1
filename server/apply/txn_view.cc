#include "server/apply/txn_view.h"

#include <algorithm>
#include <utility>

#include "base/check.h"

namespace kvorum::server {

StatusOr<mvcc::RangeResult> StoreView::Range(const mvcc::KeyRange& range,
                                             const mvcc::RangeOptions& options) {
  mvcc::RangeOptions pinned = options;
  ++counts_.ranges;
  const bool at_view = options.revision <= Revision(0) || options.revision == revision_;
  if (at_view) pinned.revision = revision_;
  ASSIGN_OR_RETURN(mvcc::RangeResult result, Read(range, pinned));
  if (at_view && result.error == mvcc::Error::kCompacted) overtaken_ = true;
  result.current = revision_;
  return result;
}

StatusOr<mvcc::RangeResult> StoreView::Read(const mvcc::KeyRange& range,
                                            const mvcc::RangeOptions& options) {
  return store_.Range(range, options);
}

StatusOr<mvcc::RangeResult> MemoryView::Read(const mvcc::KeyRange& range,
                                             const mvcc::RangeOptions& options) {
  if (rows_left_ <= 0) return absl::UnavailableError("too long");
  std::optional<mvcc::RangeResult> result = store().TryRangeInMemory(range, options, rows_left_);
  if (!result) return absl::UnavailableError("not in memory, or too long");
  for (const mvcc::Row& row : result->rows) bytes_left_ -= static_cast<int64_t>(row.bytes.size());
  rows_left_ -= std::max<int64_t>(static_cast<int64_t>(result->rows.size()), 1);
  if (rows_left_ < 0 || bytes_left_ < 0) return absl::UnavailableError("too long");
  return *std::move(result);
}

StatusOr<std::optional<mvcc::KeyMeta>> StoreView::Find(std::string_view key) {
  ASSIGN_OR_RETURN(const mvcc::RangeResult found, Range({.key = key}, {}));
  if (found.rows.empty()) return std::nullopt;
  const auto kv = mvcc::KeyValueView::Parse(found.rows[0].bytes.view());
  CHECK(kv.has_value());
  return mvcc::KeyMeta{.modified = found.rows[0].revision,
                       .created = kv->create_revision,
                       .version = kv->version,
                       .lease = kv->lease};
}

}  // namespace kvorum::server
