#pragma once
// RowReader: rows of the `key` bucket in revision order, those not yet in the backend included.

#include <memory>
#include <string_view>
#include <vector>

#include "base/bytes.h"
#include "base/status.h"
#include "mvcc/backend/backend.h"
#include "mvcc/pending_rows.h"
#include "mvcc/revision.h"

namespace kvorum::mvcc {

// First the backend's rows, then the pending ones behind the last of them. It does not matter if a
// commit came between the taking of the two: rows in both are given once, from the backend.
// One thread. Pins the backend's files while it lives.
class RowReader {
 public:
  // `pending` must have been taken before `committed` was made.
  RowReader(std::unique_ptr<Iterator> committed, std::vector<PendingRow> pending);

  bool Valid() const { return valid_; }
  void Next();
  // Of the current row; the view lives until Next.
  const RowKey& key() const { return key_; }
  std::string_view key_bytes() const { return key_bytes_; }
  std::string_view value() const { return value_; }
  // To be asked when Valid() turns false.
  const Status& status() const { return status_; }

 private:
  void Load();

  const std::unique_ptr<Iterator> committed_;
  const std::vector<PendingRow> pending_;
  size_t next_pending_ = 0;
  bool in_pending_ = false;

  bool valid_ = false;
  RowKey key_;
  std::string pending_key_;
  std::string_view key_bytes_;
  std::string_view value_;
  Status status_;
};

}  // namespace kvorum::mvcc
