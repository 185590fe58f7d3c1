#include "raft/tracker/inflights.h"

#include "base/check.h"

namespace kvorum::raft::tracker {

void Inflights::Add(Index last, uint64_t bytes) {
  CHECK(!Full()) << "append beyond the window of " << max_messages_;
  CHECK(window_.empty() || window_.back().last <= last);
  window_.push_back({.last = last, .bytes = bytes});
  bytes_ += bytes;
}

void Inflights::FreeUpTo(Index index) {
  while (!window_.empty() && window_.front().last <= index) {
    bytes_ -= window_.front().bytes;
    window_.pop_front();
  }
}

bool Inflights::Full() const {
  return window_.size() >= max_messages_ || (max_bytes_ != 0 && bytes_ >= max_bytes_);
}

void Inflights::Reset() {
  window_.clear();
  bytes_ = 0;
}

}  // namespace kvorum::raft::tracker
