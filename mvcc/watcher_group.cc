#include "mvcc/watcher_group.h"

#include "base/check.h"

namespace kvorum::mvcc {
namespace {

// The tree's notation of an open end is the empty string, etcd's is one zero byte.
std::string_view TreeEnd(const Watcher& watcher) {
  return watcher.range().unbounded() ? std::string_view() : std::string_view(watcher.range_end);
}

}  // namespace

void WatcherGroup::Add(Watcher* watcher) {
  CHECK(watcher->siblings == nullptr);
  Watchers& siblings = watcher->range().single()
                           ? keys_[watcher->key]
                           : ranges_.FindOrInsert(watcher->key, TreeEnd(*watcher));
  watcher->siblings = &siblings;
  watcher->slot = siblings.size();
  siblings.push_back(watcher);
  ++size_;
}

void WatcherGroup::Remove(Watcher* watcher) {
  Watchers& siblings = *watcher->siblings;
  CHECK(siblings[watcher->slot] == watcher);
  siblings[watcher->slot] = siblings.back();
  siblings[watcher->slot]->slot = watcher->slot;
  siblings.pop_back();
  if (siblings.empty()) {
    if (watcher->range().single()) {
      keys_.erase(keys_.find(watcher->key));
    } else {
      ranges_.Erase(watcher->key, TreeEnd(*watcher));
    }
  }
  watcher->siblings = nullptr;
  --size_;
}

}  // namespace kvorum::mvcc
