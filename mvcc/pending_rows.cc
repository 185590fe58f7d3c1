#include "mvcc/pending_rows.h"

#include <algorithm>

#include "base/check.h"

namespace kvorum::mvcc {

void PendingRows::Append(PendingRow row) {
  CHECK(rows_.empty() || rows_.back().revision < row.revision);
  rows_.push_back(std::move(row));
}

std::span<const PendingRow> PendingRows::From(const RowRevision& first) const {
  const auto it = std::lower_bound(
      rows_.begin(), rows_.end(), first,
      [](const PendingRow& row, const RowRevision& revision) { return row.revision < revision; });
  return {it, rows_.end()};
}

const PendingRow* PendingRows::Find(const RowRevision& revision) const {
  const auto rows = From(revision);
  return rows.empty() || rows.front().revision != revision ? nullptr : &rows.front();
}

std::vector<PendingRow> PendingRows::TakeAll() {
  std::vector<PendingRow> taken;
  taken.swap(rows_);
  return taken;
}

}  // namespace kvorum::mvcc
