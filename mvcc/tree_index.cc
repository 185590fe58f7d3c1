#include "mvcc/tree_index.h"

#include <algorithm>
#include <vector>

#include "base/check.h"

namespace kvorum::mvcc {

namespace {
constexpr size_t kMaxChildren = 64;
// Neighbours are joined when they fit into this much; below the maximum, so that the next insert
// does not split them again.
constexpr size_t kJoinBelow = 48;
}  // namespace

struct TreeIndex::Node {
  explicit Node(bool is_leaf) : leaf(is_leaf) {}

  bool leaf;
  // Leaf: the keys in order, and the neighbour to the right.
  std::vector<std::unique_ptr<KeyIndex>> keys;
  Node* next = nullptr;
  // Inner: children in order; separators[i] is the lowest key child i may hold (that of the first
  // child is not looked at), live[i] the live keys below it.
  std::vector<std::unique_ptr<Node>> children;
  std::vector<std::string> separators;
  std::vector<int64_t> live;

  size_t size() const { return leaf ? keys.size() : children.size(); }

  // Leaf: position of the first key >= `key`.
  size_t LowerBound(std::string_view key) const {
    return std::lower_bound(keys.begin(), keys.end(), key,
                            [](const auto& k, std::string_view x) { return k->key() < x; }) -
           keys.begin();
  }
  // Inner: the child that may hold `key`.
  size_t ChildOf(std::string_view key) const {
    const auto it = std::upper_bound(separators.begin() + 1, separators.end(), key);
    return it - separators.begin() - 1;
  }
  int64_t CountLive() const {
    int64_t n = 0;
    if (leaf) {
      for (const auto& k : keys) n += k->live() ? 1 : 0;
    } else {
      for (const int64_t l : live) n += l;
    }
    return n;
  }
};

using Node = TreeIndex::Node;

namespace {

// Moves the upper half of `node` into a new right neighbour; `separator` gets its lowest key.
std::unique_ptr<Node> SplitNode(Node& node, std::string* separator) {
  auto right = std::make_unique<Node>(node.leaf);
  const auto half = static_cast<std::ptrdiff_t>(node.size() / 2);
  const auto move_tail = [half](auto& from, auto& to) {
    to.assign(std::make_move_iterator(from.begin() + half), std::make_move_iterator(from.end()));
    from.resize(half);
  };
  if (node.leaf) {
    move_tail(node.keys, right->keys);
    *separator = right->keys.front()->key();
    right->next = node.next;
    node.next = right.get();
  } else {
    move_tail(node.children, right->children);
    move_tail(node.separators, right->separators);
    move_tail(node.live, right->live);
    *separator = right->separators.front();
  }
  return right;
}

// Puts `right` behind child `at` of `parent` and sets both counts anew.
void AddSibling(Node& parent, size_t at, std::unique_ptr<Node> right, std::string separator) {
  const auto behind = static_cast<std::ptrdiff_t>(at) + 1;
  parent.live[at] = parent.children[at]->CountLive();
  parent.live.insert(parent.live.begin() + behind, right->CountLive());
  parent.separators.insert(parent.separators.begin() + behind, std::move(separator));
  parent.children.insert(parent.children.begin() + behind, std::move(right));
}

// Appends child `at + 1` to child `at` of `parent`.
void JoinWithNext(Node& parent, size_t at) {
  Node& left = *parent.children[at];
  Node& right = *parent.children[at + 1];
  const auto append = [](auto& to, auto& from) {
    std::move(from.begin(), from.end(), std::back_inserter(to));
  };
  if (left.leaf) {
    append(left.keys, right.keys);
    left.next = right.next;
  } else {
    right.separators.front() = parent.separators[at + 1];
    append(left.children, right.children);
    append(left.separators, right.separators);
    append(left.live, right.live);
  }
  parent.live[at] += parent.live[at + 1];
  const auto gone = static_cast<std::ptrdiff_t>(at) + 1;
  parent.children.erase(parent.children.begin() + gone);
  parent.separators.erase(parent.separators.begin() + gone);
  parent.live.erase(parent.live.begin() + gone);
}

// Joins child `at` with its right neighbour if they are small, or if one has become too small to
// stand alone (an empty leaf, an inner node of one child); halves the result if it is too large.
void Rebalance(Node& parent, size_t at) {
  const size_t a = parent.children[at]->size();
  const size_t b = parent.children[at + 1]->size();
  const size_t least = parent.children[at]->leaf ? 1 : 2;
  if (a + b > kJoinBelow && std::min(a, b) >= least) return;
  JoinWithNext(parent, at);
  Node& joined = *parent.children[at];
  if (joined.size() <= kMaxChildren) return;
  std::string separator;
  auto right = SplitNode(joined, &separator);
  AddSibling(parent, at, std::move(right), std::move(separator));
}

// Finds or makes the key below `node`; the caller splits `node` if it got too large.
KeyIndex& InsertBelow(Node& node, std::string_view key) {
  if (node.leaf) {
    const size_t at = node.LowerBound(key);
    if (at < node.keys.size() && node.keys[at]->key() == key) return *node.keys[at];
    return **node.keys.insert(node.keys.begin() + static_cast<std::ptrdiff_t>(at),
                              std::make_unique<KeyIndex>(key));
  }
  const size_t at = node.ChildOf(key);
  Node& child = *node.children[at];
  KeyIndex& found = InsertBelow(child, key);
  if (child.size() > kMaxChildren) {
    std::string separator;
    auto right = SplitNode(child, &separator);
    AddSibling(node, at, std::move(right), std::move(separator));
  }
  return found;
}

// Removes the key below `node`; afterwards `node` may be as small as empty.
void EraseBelow(Node& node, std::string_view key) {
  if (node.leaf) {
    const size_t at = node.LowerBound(key);
    CHECK(at < node.keys.size() && node.keys[at]->key() == key) << "erasing " << key;
    CHECK(!node.keys[at]->live()) << "erasing " << key;
    node.keys.erase(node.keys.begin() + static_cast<std::ptrdiff_t>(at));
    return;
  }
  const size_t at = node.ChildOf(key);
  EraseBelow(*node.children[at], key);
  if (at + 1 < node.children.size()) Rebalance(node, at);
  if (at > 0 && at < node.children.size()) Rebalance(node, at - 1);
}

}  // namespace

TreeIndex::TreeIndex() : root_(std::make_unique<Node>(true)) {}
TreeIndex::~TreeIndex() = default;

const KeyIndex* TreeIndex::Find(std::string_view key) const {
  const Node* node = root_.get();
  while (!node->leaf) node = node->children[node->ChildOf(key)].get();
  const size_t at = node->LowerBound(key);
  return at < node->keys.size() && node->keys[at]->key() == key ? node->keys[at].get() : nullptr;
}

KeyIndex* TreeIndex::Find(std::string_view key) {
  return const_cast<KeyIndex*>(std::as_const(*this).Find(key));
}

KeyIndex& TreeIndex::FindOrInsert(std::string_view key) {
  KeyIndex& found = InsertBelow(*root_, key);
  if (root_->size() <= kMaxChildren) return found;
  std::string separator;
  auto right = SplitNode(*root_, &separator);
  auto root = std::make_unique<Node>(false);
  root->live.push_back(0);
  root->separators.emplace_back();
  root->children.push_back(std::move(root_));
  AddSibling(*root, 0, std::move(right), std::move(separator));
  root_ = std::move(root);
  return found;
}

void TreeIndex::AddLive(std::string_view key, int64_t delta) {
  if (delta == 0) return;
  live_keys_ += delta;
  for (Node* node = root_.get(); !node->leaf;) {
    const size_t at = node->ChildOf(key);
    node->live[at] += delta;
    node = node->children[at].get();
  }
}

KeyIndex& TreeIndex::Put(std::string_view key, const IndexPut& put) {
  KeyIndex& found = FindOrInsert(key);
  const int64_t before = found.live() ? 1 : 0;
  found.Put(put);
  AddLive(key, 1 - before);
  ++revisions_;
  return found;
}

KeyIndex& TreeIndex::Tombstone(std::string_view key, const RowRevision& revision) {
  KeyIndex& found = FindOrInsert(key);
  const int64_t before = found.live() ? 1 : 0;
  found.Tombstone(revision);
  AddLive(key, -before);
  ++revisions_;
  return found;
}

void TreeIndex::Compact(KeyIndex& key, Revision at, const KeyIndex::Dropped& dropped) {
  const size_t before = key.size();
  key.Compact(at, dropped);
  revisions_ -= static_cast<int64_t>(before - key.size());
}

KeyIndex::Entries TreeIndex::DropOldest(KeyIndex& key, size_t n) {
  revisions_ -= static_cast<int64_t>(n);
  return key.DropOldest(n);
}

void TreeIndex::DropHistory(KeyIndex& key, const KeyIndex::Dropped& dropped) {
  AddLive(key.key(), key.live() ? -1 : 0);
  revisions_ -= static_cast<int64_t>(key.size());
  key.DropAll(dropped);
}

void TreeIndex::Erase(std::string_view key) {
  EraseBelow(*root_, key);
  while (!root_->leaf && root_->children.size() == 1) {
    root_ = std::unique_ptr<Node>(std::move(root_->children.front()));
  }
}

int64_t TreeIndex::LiveBelow(std::string_view key) const {
  int64_t below = 0;
  const Node* node = root_.get();
  while (!node->leaf) {
    const size_t at = node->ChildOf(key);
    for (size_t i = 0; i < at; ++i) below += node->live[i];
    node = node->children[at].get();
  }
  const size_t at = node->LowerBound(key);
  for (size_t i = 0; i < at; ++i) below += node->keys[i]->live() ? 1 : 0;
  return below;
}

int64_t TreeIndex::CountLive(const KeyRange& range) const {
  if (range.single()) {
    const KeyIndex* found = Find(range.key);
    return found != nullptr && found->live() ? 1 : 0;
  }
  if (range.unbounded()) return live_keys_ - LiveBelow(range.key);
  if (range.end <= range.key) return 0;
  return LiveBelow(range.end) - LiveBelow(range.key);
}

TreeIndex::Cursor TreeIndex::Seek(std::string_view key) const {
  Node* node = root_.get();
  while (!node->leaf) node = node->children[node->ChildOf(key)].get();
  Cursor cursor;
  cursor.at_ = static_cast<int>(node->LowerBound(key));
  if (cursor.at_ == static_cast<int>(node->keys.size())) {
    node = node->next;
    cursor.at_ = 0;
  }
  // An emptied tree is one empty leaf.
  cursor.node_ = node != nullptr && node->keys.empty() ? nullptr : node;
  return cursor;
}

KeyIndex& TreeIndex::Cursor::operator*() const { return *node_->keys[at_]; }

void TreeIndex::Cursor::Next() {
  if (++at_ < static_cast<int>(node_->keys.size())) return;
  node_ = node_->next;
  at_ = 0;
}

}  // namespace kvorum::mvcc
