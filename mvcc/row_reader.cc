#include "mvcc/row_reader.h"

#include <utility>

namespace kvorum::mvcc {

RowReader::RowReader(std::unique_ptr<Iterator> committed, std::vector<PendingRow> pending)
    : committed_(std::move(committed)), pending_(std::move(pending)) {
  Load();
}

void RowReader::Next() {
  if (in_pending_) {
    ++next_pending_;
  } else {
    committed_->Next();
  }
  Load();
}

// Sets the current row from where the two sources stand.
void RowReader::Load() {
  const RowRevision before = valid_ ? key_.revision : RowRevision{};
  valid_ = false;
  if (!in_pending_ && committed_->Valid()) {
    const std::optional<RowKey> key = ParseRowKey(committed_->key());
    if (!key) {
      status_ = absl::DataLossError("damaged row key in bucket key");
      return;
    }
    key_ = *key;
    key_bytes_ = committed_->key();
    value_ = committed_->value();
    valid_ = true;
    return;
  }
  if (!in_pending_) {
    status_ = committed_->status();
    if (!status_.ok()) return;
    in_pending_ = true;
    while (next_pending_ < pending_.size() && pending_[next_pending_].revision <= before) {
      ++next_pending_;
    }
  }
  if (next_pending_ == pending_.size()) return;
  const PendingRow& row = pending_[next_pending_];
  key_ = {row.revision, row.tombstone};
  pending_key_ = EncodeRowKey(row.revision, row.tombstone);
  key_bytes_ = pending_key_;
  value_ = row.bytes.view();
  valid_ = true;
}

}  // namespace kvorum::mvcc
