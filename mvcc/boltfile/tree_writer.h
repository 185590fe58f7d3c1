#pragma once
// TreeWriter: rows in key order become the nodes of one tree. Internal to the writer.
//
// Leaves are filled to the page's end, as rows of `key` only ever come behind them; a row larger
// than a page is a leaf of its own. A branch is written once its children are, so all ids are known
// when they are needed and memory is what is open: a leaf's rows of at most a page, and on each
// level of branches two nodes of a page, or of two children with longer keys. The node before the
// last is held back because bbolt wants two children at least in every branch: what is left over at
// the end may have to take one from it.
//
//   rows  a b | c d | e          leaves 3, 4, 6; the branch of a and c went out as 5 or waits
//
// Follows go.etcd.io/bbolt node.go.

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/status.h"
#include "mvcc/boltfile/format.h"
#include "mvcc/boltfile/page_output.h"

namespace kvorum::mvcc::boltfile {

// One thread. `output` must outlive it.
class TreeWriter {
 public:
  explicit TreeWriter(PageOutput& output) : output_(output) {}

  // InvalidArgument when the key is empty, not above the one before, or key or value is too long.
  Status Add(uint32_t flags, std::string_view key, std::string_view value);
  // The whole tree as the image of an inline bucket, if it is as small as bbolt wants one to be.
  std::optional<std::string> InlineImage() const;
  // Writes what is left; the root's page.
  StatusOr<PageId> Finish();

  // What is held at present.
  size_t memory_bytes() const;

 private:
  struct Leaf {
    std::string first_key;
    std::vector<LeafElement> rows;  // `pos` is set when it is written
    std::string data;

    size_t bytes() const { return kPageHeaderBytes + rows.size() * kElementBytes + data.size(); }
    std::string EncodeElements() const;
  };
  struct Child {
    std::string first_key;
    PageId page = 0;
    size_t bytes() const { return kElementBytes + first_key.size(); }
  };
  struct Level {
    std::vector<Child> complete;  // a node that only waits; empty if none was begun behind it yet
    std::vector<Child> open;
    size_t open_bytes = kPageHeaderBytes;
  };

  Status CheckRow(std::string_view key, std::string_view value) const;
  Status WriteLeaf();
  Status WriteLargeRow(uint32_t flags, std::string_view key, std::string_view value);
  Status AddChild(size_t level, Child child);
  // Writes the branch and makes it a child on the next level.
  Status WriteBranch(size_t level, std::vector<Child> children);
  Status FinishLevel(size_t level);

  PageOutput& output_;
  std::string last_key_;
  Leaf leaf_;
  std::vector<Level> levels_;  // branches, from those above the leaves up
};

}  // namespace kvorum::mvcc::boltfile
