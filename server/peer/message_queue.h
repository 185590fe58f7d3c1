#pragma once
// MessageQueue: messages waiting for one channel to one peer; bounded in number and in bytes on
// the wire, and open only while the channel is there.
//
// Threads: any number push, one takes.

#include <absl/base/thread_annotations.h>
#include <absl/synchronization/mutex.h>

#include <cstddef>
#include <deque>
#include <vector>

#include "raft/types.h"

namespace kvorum::server::peer {

class MessageQueue {
 public:
  MessageQueue(size_t max_messages, size_t max_bytes)
      : max_messages_(max_messages), max_bytes_(max_bytes) {}

  enum class Result {
    kQueued,
    kQueuedFirst,  // and the taker, who found nothing or was never told, is to be told
    kFull,         // `message` is untouched; so with kClosed
    kClosed,
  };
  // A message of any size finds room in an empty queue.
  Result Push(raft::Message&& message);

  // The next messages, up to `max_messages` and as many as fit into `max_bytes`, but one at least.
  // Nothing: the taker will be told.
  std::vector<raft::Message> Take(size_t max_messages, size_t max_bytes);

  // Empty at first, and after Close.
  void Open();
  // What was queued is dropped; true if that was something.
  bool Close();
  bool is_open() const;
  size_t bytes() const;

 private:
  struct Item {
    raft::Message message;
    size_t bytes;
  };

  const size_t max_messages_;
  const size_t max_bytes_;
  mutable absl::Mutex mutex_;
  bool open_ ABSL_GUARDED_BY(mutex_) = false;
  bool taker_told_ ABSL_GUARDED_BY(mutex_) = false;
  std::deque<Item> items_ ABSL_GUARDED_BY(mutex_);
  size_t bytes_ ABSL_GUARDED_BY(mutex_) = 0;
};

}  // namespace kvorum::server::peer
