#include "mvcc/boltfile/tree_writer.h"

#include <array>
#include <utility>

namespace kvorum::mvcc::boltfile {

namespace {

// bbolt's threshold.
constexpr size_t kInlineBytesMax = kPageBytes / 4;
constexpr size_t kBranchChildrenMin = 2;

// Where the data of element `i` begins, counted from that element.
uint32_t Position(size_t i, size_t count, size_t data_offset) {
  return static_cast<uint32_t>((count - i) * kElementBytes + data_offset);
}

}  // namespace

std::string TreeWriter::Leaf::EncodeElements() const {
  std::string out;
  out.reserve(rows.size() * kElementBytes);
  size_t offset = 0;
  for (size_t i = 0; i < rows.size(); ++i) {
    LeafElement row = rows[i];
    row.pos = Position(i, rows.size(), offset);
    offset += row.key_bytes + row.value_bytes;
    Append(&out, row);
  }
  return out;
}

Status TreeWriter::CheckRow(std::string_view key, std::string_view value) const {
  if (key.empty()) return absl::InvalidArgumentError("key required");
  if (key.size() > kKeyBytesMax) return absl::InvalidArgumentError("key too large");
  if (value.size() > kValueBytesMax) return absl::InvalidArgumentError("value too large");
  if (key <= last_key_) return absl::InvalidArgumentError("keys out of order");
  return absl::OkStatus();
}

Status TreeWriter::Add(uint32_t flags, std::string_view key, std::string_view value) {
  RETURN_IF_ERROR(CheckRow(key, value));
  last_key_ = key;
  const size_t row_bytes = kElementBytes + key.size() + value.size();
  if (!leaf_.rows.empty() && leaf_.bytes() + row_bytes > kPageBytes) RETURN_IF_ERROR(WriteLeaf());
  if (kPageHeaderBytes + row_bytes > kPageBytes) return WriteLargeRow(flags, key, value);
  if (leaf_.rows.empty()) leaf_.first_key = key;
  leaf_.rows.push_back({.flags = flags,
                        .key_bytes = static_cast<uint32_t>(key.size()),
                        .value_bytes = static_cast<uint32_t>(value.size())});
  leaf_.data.append(key).append(value);
  return absl::OkStatus();
}

Status TreeWriter::WriteLeaf() {
  const std::string elements = leaf_.EncodeElements();
  const std::array<std::string_view, 2> pieces = {elements, leaf_.data};
  ASSIGN_OR_RETURN(const PageId id, output_.Write(kLeafPage, leaf_.rows.size(), pieces));
  Child child{.first_key = leaf_.first_key, .page = id};
  leaf_.rows.clear();
  leaf_.data.clear();
  return AddChild(0, std::move(child));
}

Status TreeWriter::WriteLargeRow(uint32_t flags, std::string_view key, std::string_view value) {
  std::string element;
  Append(&element, LeafElement{.flags = flags,
                               .pos = Position(0, 1, 0),
                               .key_bytes = static_cast<uint32_t>(key.size()),
                               .value_bytes = static_cast<uint32_t>(value.size())});
  const std::array<std::string_view, 3> pieces = {element, key, value};
  ASSIGN_OR_RETURN(const PageId id, output_.Write(kLeafPage, 1, pieces));
  return AddChild(0, {.first_key = std::string(key), .page = id});
}

Status TreeWriter::AddChild(size_t at, Child child) {
  if (at == levels_.size()) levels_.emplace_back();
  Level& level = levels_[at];
  std::vector<Child> complete;
  if (level.open.size() >= kBranchChildrenMin && level.open_bytes + child.bytes() > kPageBytes) {
    complete = std::exchange(level.complete, std::exchange(level.open, {}));
    level.open_bytes = kPageHeaderBytes;
  }
  level.open_bytes += child.bytes();
  level.open.push_back(std::move(child));
  return complete.empty() ? absl::OkStatus() : WriteBranch(at, std::move(complete));
}

Status TreeWriter::WriteBranch(size_t level, std::vector<Child> children) {
  std::string elements;
  std::string keys;
  for (size_t i = 0; i < children.size(); ++i) {
    const Child& child = children[i];
    Append(&elements, BranchElement{.pos = Position(i, children.size(), keys.size()),
                                    .key_bytes = static_cast<uint32_t>(child.first_key.size()),
                                    .child = child.page});
    keys.append(child.first_key);
  }
  const std::array<std::string_view, 2> pieces = {elements, keys};
  ASSIGN_OR_RETURN(const PageId id, output_.Write(kBranchPage, children.size(), pieces));
  return AddChild(level + 1, {.first_key = std::move(children[0].first_key), .page = id});
}

// REQUIRES: the level has more than one child, here or written before.
Status TreeWriter::FinishLevel(size_t at) {
  std::vector<Child> complete = std::move(levels_[at].complete);
  std::vector<Child> open = std::move(levels_[at].open);
  levels_[at] = Level();
  if (open.size() < kBranchChildrenMin && complete.size() > kBranchChildrenMin) {
    open.insert(open.begin(), std::move(complete.back()));
    complete.pop_back();
  } else if (open.size() < kBranchChildrenMin) {
    complete.push_back(std::move(open.front()));
    open.clear();
  }
  if (!complete.empty()) RETURN_IF_ERROR(WriteBranch(at, std::move(complete)));
  if (!open.empty()) RETURN_IF_ERROR(WriteBranch(at, std::move(open)));
  return absl::OkStatus();
}

std::optional<std::string> TreeWriter::InlineImage() const {
  if (!levels_.empty() || leaf_.bytes() > kInlineBytesMax) return std::nullopt;
  std::string image;
  Append(&image, PageHeader{.flags = kLeafPage, .count = static_cast<uint16_t>(leaf_.rows.size())});
  return image + leaf_.EncodeElements() + leaf_.data;
}

StatusOr<PageId> TreeWriter::Finish() {
  if (!leaf_.rows.empty() || levels_.empty()) RETURN_IF_ERROR(WriteLeaf());
  for (size_t at = 0;; ++at) {
    const Level& level = levels_[at];
    // A level above that has had more nodes holds back the one before.
    if (level.complete.empty() && level.open.size() == 1) return level.open[0].page;
    RETURN_IF_ERROR(FinishLevel(at));
  }
}

size_t TreeWriter::memory_bytes() const {
  size_t bytes = last_key_.capacity() + leaf_.first_key.capacity() + leaf_.data.capacity() +
                 leaf_.rows.capacity() * sizeof(LeafElement);
  for (const Level& level : levels_) {
    for (const auto* children : {&level.complete, &level.open}) {
      bytes += children->capacity() * sizeof(Child);
      for (const Child& child : *children) bytes += child.first_key.capacity();
    }
  }
  return bytes;
}

}  // namespace kvorum::mvcc::boltfile
