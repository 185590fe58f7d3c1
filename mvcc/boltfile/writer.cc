#include "mvcc/boltfile/writer.h"

#include <array>
#include <limits>
#include <utility>

#include "base/check.h"
#include "mvcc/boltfile/meta.h"

namespace kvorum::mvcc::boltfile {

namespace {
constexpr PageId kFreelist = kFirstDataPage;
// Page 0 has it, page 1 the one before. Even, as a transaction writes page `txid % 2`: the first
// change of the file overwrites the older meta.
constexpr uint64_t kTxid = 2;
}  // namespace

Writer::Writer() : output_(nullptr, std::numeric_limits<uint64_t>::max()), root_(output_) {}

Writer::Writer(const FileLayout& layout, Sink sink)
    : layout_(layout), output_(std::move(sink), layout.pages), root_(output_) {}

// The metas and the freelist.
Status Writer::WriteHead() {
  const FileLayout layout = layout_.value_or(FileLayout());
  Meta meta{.page_bytes = kPageBytes,
            .root = layout.root,
            .freelist = kFreelist,
            .pages = layout.pages,
            .txid = kTxid};
  for (; output_.next() < kFirstDataPage; --meta.txid) {
    const std::string bytes = EncodeMeta(meta);
    const std::array<std::string_view, 1> pieces = {bytes};
    RETURN_IF_ERROR(output_.Write(kMetaPage, 0, pieces).status());
  }
  return output_.Write(kFreelistPage, 0, {}).status();
}

Status Writer::StartBucket(std::string_view name) {
  if (output_.next() == 0) RETURN_IF_ERROR(WriteHead());
  RETURN_IF_ERROR(FinishBucket());
  bucket_name_ = name;
  bucket_.emplace(output_);
  return absl::OkStatus();
}

Status Writer::Add(std::string_view key, std::string_view value) {
  CHECK(bucket_);
  return bucket_->Add(0, key, value);
}

Status Writer::FinishBucket() {
  if (!bucket_) return absl::OkStatus();
  std::string value;
  if (const std::optional<std::string> image = bucket_->InlineImage()) {
    Append(&value, BucketHeader{});
    value += *image;
  } else {
    ASSIGN_OR_RETURN(const PageId page, bucket_->Finish());
    Append(&value, BucketHeader{.root = page});
  }
  bucket_.reset();
  return root_.Add(kBucketElement, bucket_name_, value);
}

StatusOr<FileLayout> Writer::Finish() {
  if (output_.next() == 0) RETURN_IF_ERROR(WriteHead());
  RETURN_IF_ERROR(FinishBucket());
  ASSIGN_OR_RETURN(const PageId root, root_.Finish());
  const FileLayout layout{.pages = output_.next(), .root = root};
  if (layout_ && layout != *layout_) {
    return absl::InternalError("other rows than when the database was sized");
  }
  return layout;
}

size_t Writer::memory_bytes() const {
  return root_.memory_bytes() + bucket_name_.capacity() + (bucket_ ? bucket_->memory_bytes() : 0);
}

}  // namespace kvorum::mvcc::boltfile
