#include "mvcc/boltfile/export.h"

#include <algorithm>
#include <iterator>
#include <utility>

#include "base/check.h"

namespace kvorum::mvcc::boltfile {

namespace {

StatusOr<uint64_t> Number(std::string_view key, std::string_view value) {
  if (value.size() == 8) return ReadBigEndian64(value);
  return absl::DataLossError("meta row " + std::string(key) + " is no number");
}

}  // namespace

DatabaseExport::DatabaseExport(std::unique_ptr<Iterator> rows)
    : rows_(std::move(rows)), writer_(std::make_unique<Writer>()) {}

StatusOr<bool> DatabaseExport::Step() {
  if (buckets_ > 0 && rows_->Valid() && rows_->bucket() == kEtcdBuckets[buckets_ - 1]) {
    RETURN_IF_ERROR(writer_->Add(rows_->key(), rows_->value()), BucketName(rows_->bucket()));
    rows_->Next();
    return true;
  }
  if (buckets_ < std::size(kEtcdBuckets)) {
    RETURN_IF_ERROR(writer_->StartBucket(BucketName(kEtcdBuckets[buckets_++])));
    return true;
  }
  if (rows_->Valid()) return absl::DataLossError("a row is in none of the buckets");
  RETURN_IF_ERROR(rows_->status());
  return false;
}

StatusOr<bool> DatabaseExport::Plan() {
  CHECK(!layout_);
  int64_t bytes = 0;
  for (int64_t rows = 0; rows < kPlanRows && bytes < kPlanBytes; ++rows) {
    if (rows_->Valid()) {
      bytes += static_cast<int64_t>(rows_->value().size());
      if (rows_->bucket() == Bucket::kMeta) RETURN_IF_ERROR(NotePosition());
    }
    ASSIGN_OR_RETURN(const bool more, Step());
    if (more) continue;
    ASSIGN_OR_RETURN(layout_, writer_->Finish());
    return true;
  }
  return false;
}

Status DatabaseExport::NotePosition() {
  const std::string_view key = rows_->key();
  const std::string_view value = rows_->value();
  if (key == kConsistentIndexKey) {
    ASSIGN_OR_RETURN(const uint64_t index, Number(key, value));
    position_.index = Index(index);
  } else if (key == kTermKey) {
    ASSIGN_OR_RETURN(const uint64_t term, Number(key, value));
    position_.term = Term(term);
  } else if (key == kConfStateKey) {
    position_.conf_state = std::string(value);
  }
  return absl::OkStatus();
}

Status DatabaseExport::BeginWriting() {
  CHECK(layout_);
  writing_ = true;
  buckets_ = 0;
  writer_ = std::make_unique<Writer>(*layout_, [this](std::string_view bytes) {
    ready_.append(bytes);
    return absl::OkStatus();
  });
  rows_->Seek("");
  return rows_->status();
}

StatusOr<std::string> DatabaseExport::Read(size_t size) {
  if (!writing_) RETURN_IF_ERROR(BeginWriting());
  while (!finished_ && ready_.size() - taken_ < size) {
    ASSIGN_OR_RETURN(const bool more, Step());
    if (more) continue;
    RETURN_IF_ERROR(writer_->Finish().status());
    finished_ = true;
  }
  std::string piece = ready_.substr(taken_, size);
  taken_ += piece.size();
  // Not each time: of a large row many pieces are taken.
  if (taken_ >= ready_.size() - taken_) {
    ready_ = ready_.substr(taken_);
    taken_ = 0;
  }
  return piece;
}

}  // namespace kvorum::mvcc::boltfile
