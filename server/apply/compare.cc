#include "server/apply/compare.h"

#include "base/check.h"

namespace kvorum::server {
namespace {

using etcdserverpb::Compare;

int Order(int64_t a, int64_t b) { return a < b ? -1 : a > b ? 1 : 0; }

// `stored` against what the compare gives; a union that is not of the target counts as zero.
int OrderOf(const Compare& compare, const mvcc::KeyValueView& stored) {
  switch (compare.target()) {
    case Compare::VERSION:
      return Order(stored.version, compare.version());
    case Compare::CREATE:
      return Order(stored.create_revision.value(), compare.create_revision());
    case Compare::MOD:
      return Order(stored.mod_revision.value(), compare.mod_revision());
    case Compare::LEASE:
      return Order(stored.lease.value(), compare.lease());
    case Compare::VALUE:
      return stored.value.compare(compare.value());
    default:
      return 0;
  }
}

bool HoldsFor(const Compare& compare, const mvcc::KeyValueView& stored) {
  const int order = OrderOf(compare, stored);
  switch (compare.result()) {
    case Compare::EQUAL:
      return order == 0;
    case Compare::NOT_EQUAL:
      return order != 0;
    case Compare::GREATER:
      return order > 0;
    case Compare::LESS:
      return order < 0;
    default:
      return true;
  }
}

bool HoldsForNothing(const Compare& compare) {
  return compare.target() != Compare::VALUE && HoldsFor(compare, mvcc::KeyValueView{});
}

mvcc::KeyValueView FromMeta(const mvcc::KeyMeta& meta) {
  return {.create_revision = meta.created,
          .mod_revision = meta.modified.main,
          .version = meta.version,
          .lease = meta.lease};
}

}  // namespace

StatusOr<bool> Holds(const Compare& compare, TxnView& view) {
  const mvcc::KeyRange range{.key = compare.key(), .end = compare.range_end()};
  if (range.single() && compare.target() != Compare::VALUE) {
    ASSIGN_OR_RETURN(const auto meta, view.Find(compare.key()));
    return meta ? HoldsFor(compare, FromMeta(*meta)) : HoldsForNothing(compare);
  }
  // The index knows neither the values nor, in a listing, the leases.
  mvcc::RangeOptions options;
  options.keys_only = compare.target() != Compare::VALUE && compare.target() != Compare::LEASE;
  ASSIGN_OR_RETURN(const mvcc::RangeResult found, view.Range(range, options));
  if (found.error != mvcc::Error::kNone) return false;
  if (found.rows.empty()) return HoldsForNothing(compare);
  for (const mvcc::Row& row : found.rows) {
    const auto kv = mvcc::KeyValueView::Parse(row.bytes.view());
    CHECK(kv.has_value()) << "a row of the store is no KeyValue, at " << row.revision;
    if (!HoldsFor(compare, *kv)) return false;
  }
  return true;
}

}  // namespace kvorum::server
