#pragma once
// TreeIndex: ordered map key -> KeyIndex that counts live keys of an interval in O(log n).
//
// A B-tree: leaves hold up to 64 keys, inner nodes up to 64 children with, for each child, its
// first possible key and the number of live keys below it. A KeyIndex stays at its address until it
// is erased.
//
//   inner   [ ""  : 3 live | "m" : 2 live ]        CountLive("b", "n") = rank("n") - rank("b")
//            /                    \                  = (3 + live below "n" in the second leaf) -
//            ...
//   leaf   a  b(dead)  c  d      m  z
//
// Invariants: (1) keys ascend through the leaves; (2) every key of child i is >= separator i and
// below separator i + 1; (3) no leaf but a lone root is empty, and
// inner nodes have two children or more; (4) a child's count is the sum of its
// subtree. Follows in purpose etcd server/storage/mvcc/index.go.

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "mvcc/key_index.h"

namespace kvorum::mvcc {

// Not synchronised: the store's lock guards it.
class TreeIndex {
 public:
  TreeIndex();
  ~TreeIndex();
  TreeIndex(const TreeIndex&) = delete;
  TreeIndex& operator=(const TreeIndex&) = delete;

  // Null when the key has no revisions here.
  const KeyIndex* Find(std::string_view key) const;
  KeyIndex* Find(std::string_view key);

  // Record a change of the key, making its entry if needed.
  KeyIndex& Put(std::string_view key, const IndexPut& put);
  KeyIndex& Tombstone(std::string_view key, const RowRevision& revision);
  // As of KeyIndex; the key may be empty afterwards and must then be erased.
  void Compact(KeyIndex& key, Revision at, const KeyIndex::Dropped& dropped);
  KeyIndex::Entries DropOldest(KeyIndex& key, size_t n);
  // Empties the key's history; the caller records a change of it next, or erases it.
  void DropHistory(KeyIndex& key, const KeyIndex::Dropped& dropped);
  // REQUIRES: the key is there and not live.
  void Erase(std::string_view key);

  // Live keys in the interval, O(log n).
  int64_t CountLive(const KeyRange& range) const;
  int64_t live_keys() const { return live_keys_; }
  // All revisions of all keys.
  int64_t revisions() const { return revisions_; }

  struct Node;

  // A position in key order. Any change of the tree's keys makes it invalid.
  class Cursor {
   public:
    bool valid() const { return node_ != nullptr; }
    KeyIndex& operator*() const;
    KeyIndex* operator->() const { return &**this; }
    void Next();

   private:
    friend class TreeIndex;
    Node* node_ = nullptr;  // a leaf
    int at_ = 0;
  };
  // The first key >= `key`.
  Cursor Seek(std::string_view key) const;

 private:
  KeyIndex& FindOrInsert(std::string_view key);
  void AddLive(std::string_view key, int64_t delta);
  int64_t LiveBelow(std::string_view key) const;

  std::unique_ptr<Node> root_;
  int64_t live_keys_ = 0;
  int64_t revisions_ = 0;
};

}  // namespace kvorum::mvcc
