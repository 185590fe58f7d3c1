#include "mvcc/boltfile/reader.h"

#include <absl/strings/escaping.h>

#include <algorithm>
#include <utility>

namespace kvorum::mvcc::boltfile {

void Cursor::Set(const Status& status) {
  if (!status.ok()) status_ = WithContext(status, "bucket " + absl::CEscape(bucket_.name));
}

void Cursor::SeekToFirst() {
  status_ = absl::OkStatus();
  tree_.emplace(file_, meta_, kValueBytesMax, observer_);
  Set(tree_->Begin(bucket_.root));
  CheckRow();
}

void Cursor::Next() {
  Set(tree_->Next());
  CheckRow();
}

void Cursor::CheckRow() {
  if (Valid() && tree_->row().is_bucket) Set(absl::DataLossError("has a bucket inside"));
}

StatusOr<Reader> Reader::Open(File& file, const PageObserver& observer) {
  ASSIGN_OR_RETURN(const Meta meta, ReadMeta(file));
  Reader reader(file, meta);
  // An inline bucket is never larger than a page.
  TreeCursor rows(file, meta, meta.page_bytes, observer);
  RETURN_IF_ERROR(rows.Begin({.page = meta.root}), "root bucket");
  while (rows.Valid()) {
    RETURN_IF_ERROR(reader.AddBucket(rows.row()), "root bucket");
    RETURN_IF_ERROR(rows.Next(), "root bucket");
  }
  return reader;
}

Status Reader::AddBucket(const LeafRow& row) {
  if (!row.is_bucket) return absl::DataLossError("has a row that is no bucket");
  if (row.value.size() < kBucketHeaderBytes) return absl::DataLossError("has a bucket cut short");
  if (buckets_.size() == kBucketsMax) return absl::DataLossError("has too many buckets");
  const auto header = Load<BucketHeader>(row.value);
  TreeRoot root{.page = header.root};
  if (header.root == 0) {
    root.inline_offset = row.value_offset + kBucketHeaderBytes;
    root.inline_bytes = row.value.size() - kBucketHeaderBytes;
  }
  buckets_.push_back({.name = std::string(row.key), .root = root});
  return absl::OkStatus();
}

const BucketInfo* Reader::FindBucket(std::string_view name) const {
  const auto it = std::ranges::lower_bound(buckets_, name, {}, &BucketInfo::name);
  return it != buckets_.end() && it->name == name ? &*it : nullptr;
}

}  // namespace kvorum::mvcc::boltfile
