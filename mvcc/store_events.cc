// Store::ReadEvents: history read back as events.
#include <algorithm>
#include <utility>

#include "mvcc/row_reader.h"
#include "mvcc/store.h"

namespace kvorum::mvcc {

std::unique_ptr<RowReader> Store::ReadRows(Revision first, Revision last, bool whole_scan) const {
  std::vector<PendingRow> pending;
  {
    absl::ReaderMutexLock lock(&mutex_);
    for (const PendingRow& row : pending_.From({.main = first})) {
      if (row.revision.main > last) break;
      pending.push_back(row);
    }
  }
  return std::make_unique<RowReader>(
      backend_->NewIterator(Bucket::kKey, EncodeRowKey({.main = first}),
                            EncodeRowKey({.main = last + 1}), whole_scan),
      std::move(pending));
}

StatusOr<ReadEventsResult> Store::ReadEvents(Revision first, Revision last, int64_t max_bytes,
                                             std::optional<Revision> as_of) const {
  const ReadEpochs::Guard guard = epochs_.Enter();
  const Revision compacted = std::min(compacted_revision(), as_of.value_or(compacted_revision()));
  last = std::min(last, current_revision());
  ReadEventsResult result{.next = std::max(first, last + 1)};
  if (first < compacted) {
    result.error = Error::kCompacted;
    return result;
  }
  if (first > last) return result;

  // Above the compacted revision every revision left a row, so a gap means that rows are lost: a
  // scan can end early, or skip, without an error. Revision 1 is the empty store's and has no row.
  Revision expected = std::max({first, compacted + 1, kFirstRevision + 1});
  int64_t bytes = 0;
  const std::unique_ptr<RowReader> rows = ReadRows(first, last, false);
  for (; rows->Valid(); rows->Next()) {
    const RowRevision revision = rows->key().revision;
    if (result.batches.empty() || result.batches.back().revision != revision.main) {
      if (bytes >= max_bytes && !result.batches.empty()) {
        result.next = revision.main;
        return result;
      }
      if (revision.main > compacted) {
        if (revision.main != expected) break;
        ++expected;
      }
      result.batches.push_back({.revision = revision.main});
    }
    bytes += static_cast<int64_t>(rows->value().size());
    result.batches.back().events.push_back(
        {.type = rows->key().tombstone ? EventType::kDelete : EventType::kPut,
         .revision = revision,
         .row = SharedBytes(std::string(rows->value()))});
  }
  RETURN_IF_ERROR(rows->status());
  if (expected != last + 1) {
    return absl::DataLossError("history lacks revision " + std::to_string(expected.value()));
  }
  return result;
}

}  // namespace kvorum::mvcc
