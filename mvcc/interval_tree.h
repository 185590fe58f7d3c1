#pragma once
// IntervalTree: half-open intervals of byte strings, each with a value; finds those that cover a
// key.
//
// A treap ordered by (begin, end) in which every node knows the greatest end below it, so that a
// search skips subtrees that end before the key: O(log n + found) expected. Priorities come from a
// fixed seed: the same operations give the same tree.
//
// Not thread-safe. Values stay where they are until erased.

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <utility>

namespace kvorum::mvcc {

template <typename Value>
class IntervalTree {
 public:
  // The value of [begin, end), made if it is not there. `end` empty: no upper bound.
  Value& FindOrInsert(std::string_view begin, std::string_view end) {
    if (Value* found = Find(begin, end)) return *found;
    auto node = std::make_unique<Node>();
    node->begin = begin;
    node->end = end;
    node->unbounded = end.empty();
    node->priority = NextPriority();
    Value& value = node->value;
    root_ = Insert(std::move(root_), std::move(node));
    ++size_;
    return value;
  }

  // Null when that very interval is not there.
  Value* Find(std::string_view begin, std::string_view end) {
    Node* node = root_.get();
    while (node != nullptr) {
      const int order = Compare(begin, end, *node);
      if (order == 0) return &node->value;
      node = (order < 0 ? node->left : node->right).get();
    }
    return nullptr;
  }

  // Does nothing when that interval is not there.
  void Erase(std::string_view begin, std::string_view end) {
    root_ = Erase(std::move(root_), begin, end);
  }

  // Calls `visit(value)` for every interval that covers `key`, in the order of (begin, end).
  template <typename Visitor>
  void ForEachCovering(std::string_view key, Visitor&& visit) {
    Visit(root_.get(), key, visit);
  }

  // All values, in the order of (begin, end).
  template <typename Visitor>
  void ForEach(Visitor&& visit) {
    VisitAll(root_.get(), visit);
  }

  size_t size() const { return size_; }

 private:
  struct Node {
    std::string begin;
    std::string end;
    bool unbounded = false;
    uint64_t priority = 0;
    Value value;
    std::unique_ptr<Node> left;
    std::unique_ptr<Node> right;
    // The node of this subtree whose interval ends last; may be the node itself.
    const Node* last_end = nullptr;
  };
  using Link = std::unique_ptr<Node>;

  static bool EndsAfter(const Node& node, std::string_view key) {
    return node.unbounded || node.end > key;
  }
  static bool EndsBefore(const Node& a, const Node& b) {
    if (a.unbounded || b.unbounded) return !a.unbounded;
    return a.end < b.end;
  }
  // Negative, zero or positive: where (begin, end) stands relative to `node`.
  static int Compare(std::string_view begin, std::string_view end, const Node& node) {
    const int order = begin.compare(node.begin);
    return order != 0 ? order : end.compare(node.end);
  }

  static Link Update(Link node) {
    node->last_end = node.get();
    for (const Link* child : {&node->left, &node->right}) {
      if (*child && EndsBefore(*node->last_end, *(*child)->last_end)) {
        node->last_end = (*child)->last_end;
      }
    }
    return node;
  }

  static Link RotateRight(Link node) {
    Link top = std::move(node->left);
    node->left = std::move(top->right);
    top->right = Update(std::move(node));
    return Update(std::move(top));
  }
  static Link RotateLeft(Link node) {
    Link top = std::move(node->right);
    node->right = std::move(top->left);
    top->left = Update(std::move(node));
    return Update(std::move(top));
  }

  static Link Insert(Link into, Link node) {
    if (!into) return Update(std::move(node));
    if (Compare(node->begin, node->end, *into) < 0) {
      into->left = Insert(std::move(into->left), std::move(node));
      if (into->left->priority > into->priority) return RotateRight(std::move(into));
    } else {
      into->right = Insert(std::move(into->right), std::move(node));
      if (into->right->priority > into->priority) return RotateLeft(std::move(into));
    }
    return Update(std::move(into));
  }

  Link Erase(Link from, std::string_view begin, std::string_view end) {
    if (!from) return from;
    const int order = Compare(begin, end, *from);
    if (order == 0) {
      --size_;
      return Join(std::move(from->left), std::move(from->right));
    }
    Link& side = order < 0 ? from->left : from->right;
    side = Erase(std::move(side), begin, end);
    return Update(std::move(from));
  }

  // One tree of two, where everything in `left` is before everything in `right`.
  static Link Join(Link left, Link right) {
    if (!left) return right;
    if (!right) return left;
    if (left->priority > right->priority) {
      left->right = Join(std::move(left->right), std::move(right));
      return Update(std::move(left));
    }
    right->left = Join(std::move(left), std::move(right->left));
    return Update(std::move(right));
  }

  template <typename Visitor>
  static void Visit(Node* node, std::string_view key, Visitor& visit) {
    if (node == nullptr || !EndsAfter(*node->last_end, key)) return;
    Visit(node->left.get(), key, visit);
    if (key < node->begin) return;  // so is everything to the right
    if (EndsAfter(*node, key)) visit(node->value);
    Visit(node->right.get(), key, visit);
  }

  template <typename Visitor>
  static void VisitAll(Node* node, Visitor& visit) {
    if (node == nullptr) return;
    VisitAll(node->left.get(), visit);
    visit(node->value);
    VisitAll(node->right.get(), visit);
  }

  // splitmix64.
  uint64_t NextPriority() {
    uint64_t z = (seed_ += 0x9e3779b97f4a7c15);
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
    z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
    return z ^ (z >> 31);
  }

  Link root_;
  size_t size_ = 0;
  uint64_t seed_ = 0;
};

}  // namespace kvorum::mvcc
