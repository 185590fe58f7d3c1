#include "mvcc/boltfile/tree_cursor.h"

#include <utility>

namespace kvorum::mvcc::boltfile {

Status TreeCursor::Begin(const TreeRoot& root) {
  StatusOr<Node> node = root.page != 0
                            ? ReadPage(root.page)
                            : Node::ReadInline(file_, root.inline_offset, root.inline_bytes);
  RETURN_IF_ERROR(node.status());
  if (node->count() == 0) {
    if (node->leaf()) return absl::OkStatus();
    return absl::DataLossError("branch page " + std::to_string(root.page) + " has no children");
  }
  frames_.push_back({.node = *std::move(node)});
  return Descend();
}

StatusOr<Node> TreeCursor::ReadPage(PageId id) {
  ASSIGN_OR_RETURN(Node node, Node::ReadPage(file_, meta_, id, value_bytes_max_));
  if (observer_) RETURN_IF_ERROR(observer_(id, node.pages()));
  return node;
}

Status TreeCursor::Next() {
  last_key_ = row_.key;
  while (++frames_.back().at == frames_.back().node.count()) {
    frames_.pop_back();
    if (frames_.empty()) return absl::OkStatus();
  }
  return Descend();
}

Status TreeCursor::Descend() {
  while (!frames_.back().node.leaf()) RETURN_IF_ERROR(DescendOnce());
  return ReadRow();
}

Status TreeCursor::DescendOnce() {
  Frame& top = frames_.back();
  if (frames_.size() == kDepthMax) return absl::DataLossError("tree is too deep, or a circle");
  ASSIGN_OR_RETURN(const Branch branch, top.node.BranchAt(top.at));
  const PageId child = branch.child;
  if (branch.key < least_ || (top.end && branch.key >= *top.end)) {
    return absl::DataLossError("keys out of order in the branch to page " + std::to_string(child));
  }
  least_ = branch.key;
  std::optional<std::string> end = top.end;
  if (top.at + 1 < top.node.count()) {
    ASSIGN_OR_RETURN(const Branch next, top.node.BranchAt(top.at + 1));
    if (next.key <= least_) {
      return absl::DataLossError("keys out of order behind the branch to page " +
                                 std::to_string(child));
    }
    end = std::string(next.key);
  }
  ASSIGN_OR_RETURN(Node node, ReadPage(child));
  if (node.count() == 0) return absl::DataLossError("page " + std::to_string(child) + " is empty");
  frames_.push_back({.node = std::move(node), .end = std::move(end)});
  return absl::OkStatus();
}

Status TreeCursor::ReadRow() {
  Frame& leaf = frames_.back();
  ASSIGN_OR_RETURN(row_, leaf.node.Row(leaf.at));
  if (row_.key <= last_key_ || row_.key < least_ || (leaf.end && row_.key >= *leaf.end)) {
    return absl::DataLossError("keys out of order in a leaf");
  }
  return absl::OkStatus();
}

size_t TreeCursor::memory_bytes() const {
  size_t bytes = least_.capacity() + last_key_.capacity();
  for (const Frame& frame : frames_) {
    bytes += sizeof(Frame) + frame.node.memory_bytes() + (frame.end ? frame.end->capacity() : 0);
  }
  return bytes;
}

}  // namespace kvorum::mvcc::boltfile
