#include "server/range.h"

#include <algorithm>
#include <limits>
#include <utility>

#include "base/check.h"

namespace kvorum::server {
namespace {

using etcdserverpb::RangeRequest;

// A row with the fields that filters and sorts look at.
struct SortRow {
  mvcc::KeyValueView view;
  mvcc::Row row;
};

bool HasFilter(const RangeRequest& request) {
  return request.min_mod_revision() != 0 || request.max_mod_revision() != 0 ||
         request.min_create_revision() != 0 || request.max_create_revision() != 0;
}

// NONE with a target other than KEY sorts ascending, but only what the limit let through.
RangeRequest::SortOrder EffectiveOrder(const RangeRequest& request) {
  if (request.sort_order() == RangeRequest::NONE && request.sort_target() != RangeRequest::KEY) {
    return RangeRequest::ASCEND;
  }
  return request.sort_order();
}

bool NeedsSort(const RangeRequest& request) {
  const auto order = EffectiveOrder(request);
  const bool natural = request.sort_target() == RangeRequest::KEY && order == RangeRequest::ASCEND;
  return order != RangeRequest::NONE && !natural;
}

bool NeedsAllRows(const RangeRequest& request) {
  const bool ascending_keys =
      request.sort_order() == RangeRequest::ASCEND && request.sort_target() == RangeRequest::KEY;
  return HasFilter(request) || (request.sort_order() != RangeRequest::NONE && !ascending_keys);
}

bool PassesFilters(const RangeRequest& request, const mvcc::KeyValueView& kv) {
  const auto within = [](int64_t value, int64_t min, int64_t max) {
    return (max == 0 || value <= max) && (min == 0 || value >= min);
  };
  return within(kv.mod_revision.value(), request.min_mod_revision(), request.max_mod_revision()) &&
         within(kv.create_revision.value(), request.min_create_revision(),
                request.max_create_revision());
}

bool Less(RangeRequest::SortTarget target, const mvcc::KeyValueView& a,
          const mvcc::KeyValueView& b) {
  switch (target) {
    case RangeRequest::VERSION:
      return a.version < b.version;
    case RangeRequest::CREATE:
      return a.create_revision < b.create_revision;
    case RangeRequest::MOD:
      return a.mod_revision < b.mod_revision;
    case RangeRequest::VALUE:
      return a.value < b.value;
    default:
      return a.key < b.key;
  }
}

void Sort(const RangeRequest& request, std::vector<SortRow>* rows) {
  const auto target = request.sort_target();
  const bool descending = EffectiveOrder(request) == RangeRequest::DESCEND;
  std::sort(rows->begin(), rows->end(), [&](const SortRow& a, const SortRow& b) {
    return descending ? Less(target, b.view, a.view) : Less(target, a.view, b.view);
  });
}

std::vector<mvcc::Row> FilterAndSort(const RangeRequest& request, std::vector<mvcc::Row> found) {
  std::vector<SortRow> rows;
  rows.reserve(found.size());
  for (mvcc::Row& row : found) {
    const auto view = mvcc::KeyValueView::Parse(row.bytes.view());
    CHECK(view.has_value()) << "a row of the store is no KeyValue, at " << row.revision;
    if (PassesFilters(request, *view)) rows.push_back({.view = *view, .row = std::move(row)});
  }
  if (NeedsSort(request)) Sort(request, &rows);
  std::vector<mvcc::Row> kept;
  kept.reserve(rows.size());
  for (SortRow& row : rows) kept.push_back(std::move(row.row));
  return kept;
}

// keys_only by way of a value sort: the row was read whole, only its value is not to be seen.
void DropValues(std::vector<mvcc::Row>* rows) {
  for (mvcc::Row& row : *rows) {
    auto view = mvcc::KeyValueView::Parse(row.bytes.view());
    CHECK(view.has_value());
    view->value = {};
    row.bytes = SharedBytes(view->Encode());
  }
}

}  // namespace

Error FromStore(mvcc::Error error) {
  switch (error) {
    case mvcc::Error::kNone:
      return Error::kOk;
    case mvcc::Error::kCompacted:
      return Error::kCompacted;
    case mvcc::Error::kFutureRevision:
      return Error::kFutureRevision;
  }
  return Error::kInternal;
}

mvcc::RangeOptions StoreOptionsOf(const RangeRequest& request) {
  mvcc::RangeOptions options;
  options.revision = Revision(request.revision());
  options.count_only = request.count_only();
  options.keys_only = request.keys_only() && request.sort_target() != RangeRequest::VALUE;
  // One row more than asked for tells whether there are more.
  const bool bounded = request.limit() > 0 && request.limit() < std::numeric_limits<int64_t>::max();
  if (bounded && !NeedsAllRows(request)) options.limit = request.limit() + 1;
  return options;
}

void FinishRange(const RangeRequest& request, mvcc::RangeResult found, RangeResult* result) {
  result->revision = found.current;
  result->count = found.count;
  result->kvs = std::move(found.rows);
  result->more = false;
  if (request.count_only()) {
    result->kvs.clear();
    return;
  }
  if (HasFilter(request) || NeedsSort(request)) {
    result->kvs = FilterAndSort(request, std::move(result->kvs));
  }
  const auto limit = static_cast<size_t>(std::max<int64_t>(request.limit(), 0));
  if (limit > 0 && result->kvs.size() > limit) {
    result->kvs.resize(limit);
    result->more = true;
  }
  if (request.keys_only() && request.sort_target() == RangeRequest::VALUE) DropValues(&result->kvs);
}

StatusOr<Error> ExecuteRange(const RangeRequest& request, RangeSource source, RangeResult* result) {
  const mvcc::KeyRange range{.key = request.key(), .end = request.range_end()};
  ASSIGN_OR_RETURN(mvcc::RangeResult found, source(range, StoreOptionsOf(request)));
  if (found.error != mvcc::Error::kNone) return FromStore(found.error);
  FinishRange(request, std::move(found), result);
  return Error::kOk;
}

void FillRangeResponse(const RangeResult& result, etcdserverpb::RangeResponse* response) {
  response->mutable_header()->set_revision(result.revision.value());
  response->set_count(result.count);
  response->set_more(result.more);
  for (const mvcc::Row& row : result.kvs) {
    const std::string_view bytes = row.bytes.view();
    CHECK(response->add_kvs()->ParseFromArray(bytes.data(), static_cast<int>(bytes.size())));
  }
}

}  // namespace kvorum::server
