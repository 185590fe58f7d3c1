#include "server/peer/message_queue.h"

#include <utility>

#include "server/peer/codec.h"

namespace kvorum::server::peer {

MessageQueue::Result MessageQueue::Push(raft::Message&& message) {
  const size_t bytes = MessageSize(message);
  absl::MutexLock lock(&mutex_);
  if (!open_) return Result::kClosed;
  if (items_.size() >= max_messages_) return Result::kFull;
  if (!items_.empty() && bytes_ + bytes > max_bytes_) return Result::kFull;
  items_.push_back({std::move(message), bytes});
  bytes_ += bytes;
  return std::exchange(taker_told_, true) ? Result::kQueued : Result::kQueuedFirst;
}

std::vector<raft::Message> MessageQueue::Take(size_t max_messages, size_t max_bytes) {
  absl::MutexLock lock(&mutex_);
  std::vector<raft::Message> taken;
  size_t taken_bytes = 0;
  while (!items_.empty() && taken.size() < max_messages) {
    const size_t bytes = items_.front().bytes;
    if (!taken.empty() && taken_bytes + bytes > max_bytes) break;
    taken_bytes += bytes;
    bytes_ -= bytes;
    taken.push_back(std::move(items_.front().message));
    items_.pop_front();
  }
  if (taken.empty()) taker_told_ = false;
  return taken;
}

void MessageQueue::Open() {
  absl::MutexLock lock(&mutex_);
  open_ = true;
  taker_told_ = false;
}

bool MessageQueue::Close() {
  std::deque<Item> dropped;
  absl::MutexLock lock(&mutex_);
  open_ = false;
  bytes_ = 0;
  dropped.swap(items_);
  return !dropped.empty();
}

bool MessageQueue::is_open() const {
  absl::MutexLock lock(&mutex_);
  return open_;
}

size_t MessageQueue::bytes() const {
  absl::MutexLock lock(&mutex_);
  return bytes_;
}

}  // namespace kvorum::server::peer
