#pragma once
// The window of append messages sent to one follower and not yet acknowledged.

#include <cstdint>
#include <deque>

#include "base/types.h"

namespace kvorum::raft::tracker {

// Bounded in messages and, softly, in bytes: a message is let in while the sum before it is below
// the limit, so it may overshoot by one message.
class Inflights {
 public:
  // `max_bytes` 0: no byte limit. REQUIRES: max_messages > 0.
  Inflights(int max_messages, uint64_t max_bytes)
      : max_messages_(static_cast<size_t>(max_messages)), max_bytes_(max_bytes) {}

  // A message whose last entry is `last`. REQUIRES: !Full(), last not below the previous one.
  void Add(Index last, uint64_t bytes);
  // The follower has everything up to and including `index`.
  void FreeUpTo(Index index);
  bool Full() const;
  size_t count() const { return window_.size(); }
  uint64_t bytes() const { return bytes_; }
  void Reset();

 private:
  struct Message {
    Index last;
    uint64_t bytes;
  };
  size_t max_messages_;
  uint64_t max_bytes_;
  uint64_t bytes_ = 0;  // sum over window_
  std::deque<Message> window_;
};

}  // namespace kvorum::raft::tracker
