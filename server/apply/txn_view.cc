#include "server/apply/txn_view.h"

#include "base/check.h"

namespace kvorum::server {

StatusOr<mvcc::RangeResult> StoreView::Range(const mvcc::KeyRange& range,
                                             const mvcc::RangeOptions& options) {
  mvcc::RangeOptions pinned = options;
  const bool at_view = options.revision <= Revision(0) || options.revision == revision_;
  if (at_view) pinned.revision = revision_;
  ASSIGN_OR_RETURN(mvcc::RangeResult result, store_.Range(range, pinned));
  if (at_view && result.error == mvcc::Error::kCompacted) overtaken_ = true;
  result.current = revision_;
  return result;
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
