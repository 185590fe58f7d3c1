#include "mvcc/boltfile/node.h"

#include <algorithm>
#include <utility>

namespace kvorum::mvcc::boltfile {

namespace {
// What is read of a node at first: a page of the usual size, or its beginning.
constexpr size_t kFirstReadBytes = 16 << 10;
}  // namespace

Status Node::Error(std::string_view what) const {
  return absl::DataLossError(name_ + ": " + std::string(what));
}

Status Node::Fill(size_t size) {
  const size_t have = buffer_.size();
  if (size <= have) return absl::OkStatus();
  buffer_.resize(size);
  ASSIGN_OR_RETURN(const size_t n, file_->ReadAt(offset_ + have, std::span(buffer_).subspan(have)));
  return n == size - have ? absl::OkStatus() : Error("beyond the end of the file");
}

StatusOr<Node> Node::ReadPage(File& file, const Meta& meta, PageId id, size_t value_bytes_max) {
  Node node(file, "page " + std::to_string(id), id * meta.page_bytes);
  if (id < kFirstDataPage || id >= meta.pages) {
    return node.Error("not among the " + std::to_string(meta.pages) + " of the database");
  }
  RETURN_IF_ERROR(node.Fill(std::min<size_t>(meta.page_bytes, kFirstReadBytes)));
  RETURN_IF_ERROR(node.CheckHeader(meta, id));
  node.bytes_ = node.pages() * meta.page_bytes;
  RETURN_IF_ERROR(node.ReadElements(value_bytes_max));
  return node;
}

Status Node::CheckHeader(const Meta& meta, PageId id) {
  header_ = Load<PageHeader>(buffer_);
  if (header_.id != id) return Error("identifies itself as " + std::to_string(header_.id));
  if (header_.flags != kBranchPage && header_.flags != kLeafPage) {
    return Error("neither branch nor leaf: flags " + std::to_string(header_.flags));
  }
  if (pages() > meta.pages - id) return Error("overflows the database");
  return absl::OkStatus();
}

StatusOr<Node> Node::ReadInline(File& file, uint64_t offset, uint64_t bytes) {
  Node node(file, "inline bucket at " + std::to_string(offset), offset);
  if (bytes < kPageHeaderBytes) return node.Error("too short");
  RETURN_IF_ERROR(node.Fill(std::min<size_t>(bytes, kFirstReadBytes)));
  node.header_ = Load<PageHeader>(node.buffer_);
  node.bytes_ = bytes;
  if (node.header_.id != 0 || node.header_.flags != kLeafPage || node.header_.overflow != 0) {
    return node.Error("not a leaf");
  }
  RETURN_IF_ERROR(node.ReadElements(kValueBytesMax));
  return node;
}

Node::Extent Node::ExtentOf(size_t i) const {
  const uint64_t element = kPageHeaderBytes + i * kElementBytes;
  if (leaf()) {
    const auto e = Load<LeafElement>(ElementAt(i));
    return {element + e.pos, e.key_bytes, e.value_bytes};
  }
  const auto e = Load<BranchElement>(ElementAt(i));
  return {element + e.pos, e.key_bytes, 0};
}

Status Node::ReadElements(size_t value_bytes_max) {
  uint64_t end = kPageHeaderBytes + count() * kElementBytes;
  if (end > bytes_) return Error("too many elements: " + std::to_string(count()));
  RETURN_IF_ERROR(Fill(end));
  for (size_t i = 0; i < count(); ++i) {
    const Extent e = ExtentOf(i);
    const auto error = [&](std::string_view what) {
      return Error("element " + std::to_string(i) + std::string(what));
    };
    if (e.begin < end) return error(" overlaps what is before it");
    end = e.begin + e.key_bytes + e.value_bytes;
    if (end > bytes_) return error(" ends outside");
    if (e.key_bytes == 0) return error(" has no key");
    if (e.key_bytes > kKeyBytesMax) return error(" has too long a key");
    if (e.value_bytes > value_bytes_max) return error(" has too long a value");
    if (leaf() && (Load<LeafElement>(ElementAt(i)).flags & ~kBucketElement) != 0) {
      return error(" has unknown flags");
    }
  }
  return absl::OkStatus();
}

StatusOr<std::string_view> Node::Bytes(uint64_t begin, uint64_t size) {
  if (begin + size <= buffer_.size()) return std::string_view(buffer_).substr(begin, size);
  // A long one is not kept for the next.
  if (row_.capacity() > kBufferBytesMax && size <= kBufferBytesMax) std::string().swap(row_);
  row_.resize(size);
  ASSIGN_OR_RETURN(const size_t n, file_->ReadAt(offset_ + begin, row_));
  if (n < size) return Error("beyond the end of the file");
  return row_;
}

StatusOr<LeafRow> Node::Row(size_t i) {
  const Extent e = ExtentOf(i);
  ASSIGN_OR_RETURN(const std::string_view bytes, Bytes(e.begin, e.key_bytes + e.value_bytes));
  return LeafRow{.is_bucket = Load<LeafElement>(ElementAt(i)).flags == kBucketElement,
                 .key = bytes.substr(0, e.key_bytes),
                 .value = bytes.substr(e.key_bytes),
                 .value_offset = offset_ + e.begin + e.key_bytes};
}

StatusOr<Branch> Node::BranchAt(size_t i) {
  const Extent e = ExtentOf(i);
  ASSIGN_OR_RETURN(const std::string_view key, Bytes(e.begin, e.key_bytes));
  return Branch{.key = key, .child = Load<BranchElement>(ElementAt(i)).child};
}

}  // namespace kvorum::mvcc::boltfile
