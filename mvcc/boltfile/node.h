#pragma once
// Node: one node of a tree in a bbolt file, a page with those that overflow it, or the image of an
// inline bucket. Internal to the reader.
//
// Nothing in the file is believed before it is checked: reading a node makes sure that its elements
// lie in it one behind the other, so that no byte of it can be handed out twice. Memory: the
// element table and a page's beginning, at most kBufferBytesMax, and rows that do not lie in there
// when they are asked for.

#include <cstdint>
#include <string>
#include <string_view>

#include "base/env.h"
#include "base/status.h"
#include "mvcc/boltfile/format.h"
#include "mvcc/boltfile/meta.h"

namespace kvorum::mvcc::boltfile {

struct LeafRow {
  bool is_bucket = false;
  std::string_view key;
  std::string_view value;
  uint64_t value_offset = 0;  // in the file
};

struct Branch {
  std::string_view key;
  PageId child = 0;
};

// One thread. `file` must outlive it.
class Node {
 public:
  // The largest table: 65,535 elements behind the header.
  static constexpr size_t kBufferBytesMax = kPageHeaderBytes + 65535 * kElementBytes;

  // DataLoss when it is no branch or leaf of the file that `meta` describes, or has a value of more
  // than `value_bytes_max`.
  static StatusOr<Node> ReadPage(File& file, const Meta& meta, PageId id, size_t value_bytes_max);
  // The image of `bytes` bytes at `offset`: a leaf, without buckets.
  static StatusOr<Node> ReadInline(File& file, uint64_t offset, uint64_t bytes);

  bool leaf() const { return header_.flags == kLeafPage; }
  size_t count() const { return header_.count; }
  // How many pages it takes; 1 for an inline one.
  uint64_t pages() const { return uint64_t{header_.overflow} + 1; }

  // REQUIRES: leaf(), i < count(). The views live until the next call.
  StatusOr<LeafRow> Row(size_t i);
  // REQUIRES: !leaf(), i < count(). Likewise.
  StatusOr<Branch> BranchAt(size_t i);

  // What is held at present.
  size_t memory_bytes() const { return buffer_.capacity() + row_.capacity(); }

 private:
  struct Extent {
    uint64_t begin = 0;  // of the key, from the node's beginning
    uint64_t key_bytes = 0;
    uint64_t value_bytes = 0;
  };

  Node(File& file, std::string name, uint64_t offset)
      : file_(&file), name_(std::move(name)), offset_(offset) {}

  Status Error(std::string_view what) const;
  // Makes the first `size` bytes of the node present.
  Status Fill(size_t size);
  Status CheckHeader(const Meta& meta, PageId id);
  // Reads the element table and checks all of it. `header_` and `bytes_` are set.
  Status ReadElements(size_t value_bytes_max);
  Extent ExtentOf(size_t i) const;
  // Bytes of the node; from the buffer where they are there.
  StatusOr<std::string_view> Bytes(uint64_t begin, uint64_t size);
  std::string_view ElementAt(size_t i) const {
    return std::string_view(buffer_).substr(kPageHeaderBytes + i * kElementBytes);
  }

  File* file_;
  std::string name_;  // for messages: "page 7"
  uint64_t offset_;   // of the node in the file
  uint64_t bytes_ = 0;
  PageHeader header_;
  std::string buffer_;  // the node's beginning
  std::string row_;     // what was asked for last beyond it
};

}  // namespace kvorum::mvcc::boltfile
