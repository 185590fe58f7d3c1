#include "mvcc/logical_rows.h"

#include <utility>

#include "mvcc/mvcc.h"
#include "mvcc/revision.h"

namespace kvorum::mvcc {

LogicalRows::LogicalRows(std::unique_ptr<Iterator> rows, std::shared_ptr<const RevisionSet> dead,
                         std::optional<Revision> settled)
    : rows_(std::move(rows)), dead_(std::move(dead)), settled_(settled) {
  SkipDead();
}

void LogicalRows::Next() {
  rows_->Next();
  SkipDead();
}

void LogicalRows::Seek(std::string_view key) {
  counting_ = key.empty();
  key_rows_ = 0;
  skipped_rows_ = 0;
  scheduled_.clear();
  finished_.clear();
  rows_->Seek(key);
  SkipDead();
}

void LogicalRows::SkipDead() {
  for (; Valid() && bucket() == Bucket::kKey && !dead_->empty(); rows_->Next()) {
    const std::optional<RowKey> row = ParseRowKey(key());
    if (!row || !dead_->Contains(row->revision)) break;
    ++skipped_rows_;
  }
  if (Valid()) {
    Note();
  } else if (counting_) {
    CheckCount();
  }
}

void LogicalRows::Note() {
  if (bucket() == Bucket::kKey) ++key_rows_;
  if (bucket() != Bucket::kMeta) return;
  if (key() == kScheduledCompactKey) scheduled_ = value();
  if (key() == kFinishedCompactKey) finished_ = value();
}

// Whether rows and set may be of different stages of a compaction.
bool LogicalRows::Compacting() const {
  if (!settled_ || scheduled_ != finished_) return true;
  if (finished_.empty()) return *settled_ != kNeverCompacted;
  const std::optional<RowKey> finished = ParseRowKey(finished_);
  return !finished || finished->revision.main != *settled_;
}

// Our own rows follow etcd's, so the counters come from the same view as what was counted.
void LogicalRows::CheckCount() {
  counting_ = false;
  std::optional<Counters> counters;
  for (; rows_->Valid(); rows_->Next()) {
    if (rows_->key() == kCountersKey) counters = Counters::Parse(rows_->value());
  }
  if (!rows_->status().ok()) return;
  if (!counters) {
    status_ = absl::DataLossError("scan ended before the counters");
    return;
  }
  // In the middle of a compaction the counters may be of before or after it, the set as well.
  if (Compacting() ? key_rows_ + skipped_rows_ >= counters->key_rows
                   : key_rows_ == counters->key_rows) {
    return;
  }
  status_ = absl::DataLossError("scanned " + std::to_string(key_rows_) + " revisions, expected " +
                                std::to_string(counters->key_rows));
}

}  // namespace kvorum::mvcc
