#pragma once
// TreeCursor: the rows of one tree of a bbolt file, in key order. Internal to the reader.
//
// It ends whatever the file says: keys must ascend strictly from row to row and lie between those
// of the branches above, every node below the root has a row, and a path has at most kDepthMax
// nodes. So a page that is met twice, in a circle or from two parents, is an error.

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "base/env.h"
#include "base/status.h"
#include "mvcc/boltfile/meta.h"
#include "mvcc/boltfile/node.h"

namespace kvorum::mvcc::boltfile {

// Where a tree begins: a page, or an inline image in the file.
struct TreeRoot {
  PageId page = 0;  // 0: inline
  uint64_t inline_offset = 0;
  uint64_t inline_bytes = 0;
};

// Told of each page of the tree before what is on it: its id, and how many pages the node takes.
using PageObserver = std::function<Status(PageId, uint64_t)>;

// One thread. `file` must outlive it.
class TreeCursor {
 public:
  // Deeper than any tree whose branches have two children and that fits a disk.
  static constexpr size_t kDepthMax = 48;

  TreeCursor(File& file, const Meta& meta, size_t value_bytes_max, PageObserver observer)
      : file_(file), meta_(meta), value_bytes_max_(value_bytes_max), observer_(observer) {}

  // Goes to the first row.
  Status Begin(const TreeRoot& root);
  // False behind the last row.
  bool Valid() const { return !frames_.empty(); }
  // REQUIRES: Valid(). After an error the cursor must not be used.
  Status Next();
  // REQUIRES: Valid(). The views live until Next.
  const LeafRow& row() const { return row_; }

  // What is held at present.
  size_t memory_bytes() const;

 private:
  struct Frame {
    Node node;
    size_t at = 0;
    std::optional<std::string> end;  // all keys of the node are below it
  };

  StatusOr<Node> ReadPage(PageId id);
  // From the branch on top down to the leaf of its current child, and that leaf's first row.
  Status Descend();
  Status DescendOnce();
  Status ReadRow();

  File& file_;
  const Meta meta_;
  const size_t value_bytes_max_;
  const PageObserver observer_;
  std::vector<Frame> frames_;  // from the root to a leaf
  std::string least_;          // no later key is below it
  std::string last_key_;       // of the row before; "" for none
  LeafRow row_;
};

}  // namespace kvorum::mvcc::boltfile
