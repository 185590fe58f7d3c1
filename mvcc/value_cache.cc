#include "mvcc/value_cache.h"

namespace kvorum::mvcc {

SharedBytes ValueCache::Get(const KeyIndex& key) {
  const KeyIndex::CacheSlot& slot = key.cache();
  if (slot.position < 0) return {};
  // Written only when it changes, so that readers do not fight for the cache line.
  if (!slot.used.load(std::memory_order_relaxed)) slot.used.store(true, std::memory_order_relaxed);
  return slot.row;
}

void ValueCache::Put(KeyIndex& key, SharedBytes row) {
  Remove(key);
  const int64_t cost = Cost(row);
  if (row.empty() || cost > capacity_bytes_ / 64) return;
  MakeRoom(cost);
  PutIfRoom(key, std::move(row));
}

void ValueCache::PutIfRoom(KeyIndex& key, SharedBytes row) {
  KeyIndex::CacheSlot& slot = key.cache();
  if (slot.position >= 0 || row.empty()) return;
  const int64_t cost = Cost(row);
  if (bytes_ + cost > capacity_bytes_) return;
  bytes_ += cost;
  slot.position = static_cast<int32_t>(clock_.size());
  slot.row = std::move(row);
  slot.used.store(false, std::memory_order_relaxed);
  clock_.push_back(&key);
}

void ValueCache::Remove(KeyIndex& key) {
  KeyIndex::CacheSlot& slot = key.cache();
  if (slot.position < 0) return;
  bytes_ -= Cost(slot.row);
  slot.row = SharedBytes();
  // The last one of the clock takes its place.
  KeyIndex* last = clock_.back();
  clock_[slot.position] = last;
  last->cache().position = slot.position;
  clock_.pop_back();
  slot.position = -1;
}

void ValueCache::MakeRoom(int64_t bytes) {
  while (bytes_ + bytes > capacity_bytes_ && !clock_.empty()) {
    if (hand_ >= clock_.size()) hand_ = 0;
    KeyIndex& candidate = *clock_[hand_];
    if (candidate.cache().used.exchange(false, std::memory_order_relaxed)) {
      ++hand_;
    } else {
      Remove(candidate);
    }
  }
}

}  // namespace kvorum::mvcc
