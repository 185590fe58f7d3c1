#pragma once
// ExpiryQueue: for which lease something may have to be done, earliest first.
//
// A binary heap with at most one live entry a lease. A renewal does not touch it: the entry is
// looked at when its old time comes and pushed again for the new one. So keeping a million leases
// alive costs the heap nothing but one pop and push a TTL.
//
// Worked example, TTL 10: granted at 0 -> expiry 10, entry 10. Renewed at 4, 8 -> expiry 18, entry
// still 10. At 10 the entry is popped, found too early, pushed as 18.

#include <algorithm>
#include <functional>
#include <utility>
#include <vector>

#include "base/clock.h"
#include "base/types.h"

namespace kvorum::server {

// Not thread-safe.
class ExpiryQueue {
 public:
  struct Entry {
    TimePoint time;
    LeaseId id;
    friend bool operator>(const Entry& a, const Entry& b) {
      return a.time != b.time ? a.time > b.time : a.id > b.id;
    }
    friend bool operator<(const Entry& a, const Entry& b) { return b > a; }
  };

  void Push(TimePoint time, LeaseId id) {
    entries_.push_back({time, id});
    std::push_heap(entries_.begin(), entries_.end(), std::greater<>());
  }
  // REQUIRES for both: not empty.
  const Entry& front() const { return entries_.front(); }
  Entry Pop() {
    std::pop_heap(entries_.begin(), entries_.end(), std::greater<>());
    const Entry entry = entries_.back();
    entries_.pop_back();
    return entry;
  }

  // Replaces everything; linear.
  void Assign(std::vector<Entry> entries) {
    entries_ = std::move(entries);
    std::make_heap(entries_.begin(), entries_.end(), std::greater<>());
  }

  bool empty() const { return entries_.empty(); }
  size_t size() const { return entries_.size(); }

 private:
  std::vector<Entry> entries_;
};

}  // namespace kvorum::server
