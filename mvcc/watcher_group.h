#pragma once
// WatcherGroup: the watchers that want to hear of a key. Single keys by hash, ranges by an interval
// tree, so that a change costs what matches it and not what is registered.
//
// Holds pointers, owns nothing. A watcher is in at most one group at a time. Not thread-safe.
// Follows etcd server/storage/mvcc/watcher_group.go.

#include <functional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "mvcc/interval_tree.h"
#include "mvcc/watcher.h"

namespace kvorum::mvcc {

class WatcherGroup {
 public:
  // REQUIRES: in no group.
  void Add(Watcher* watcher);
  // REQUIRES: in this group.
  void Remove(Watcher* watcher);

  // Calls `visit(Watcher&)` for every watcher whose range covers `key`. `visit` must not change the
  // group.
  template <typename Visitor>
  void ForEachMatching(std::string_view key, Visitor&& visit) {
    if (auto it = keys_.find(key); it != keys_.end()) {
      for (Watcher* watcher : it->second) visit(*watcher);
    }
    ranges_.ForEachCovering(key, [&](std::vector<Watcher*>& watchers) {
      for (Watcher* watcher : watchers) visit(*watcher);
    });
  }

  // All of them; `visit` must not change the group.
  template <typename Visitor>
  void ForEach(Visitor&& visit) {
    for (auto& [key, watchers] : keys_) {
      for (Watcher* watcher : watchers) visit(*watcher);
    }
    ranges_.ForEach([&](std::vector<Watcher*>& watchers) {
      for (Watcher* watcher : watchers) visit(*watcher);
    });
  }

  size_t size() const { return size_; }

 private:
  struct Hash {
    using is_transparent = void;
    size_t operator()(std::string_view s) const { return std::hash<std::string_view>()(s); }
  };
  using Watchers = std::vector<Watcher*>;

  // A node-based map: `siblings` points into it.
  std::unordered_map<std::string, Watchers, Hash, std::equal_to<>> keys_;
  IntervalTree<Watchers> ranges_;
  size_t size_ = 0;
};

}  // namespace kvorum::mvcc
