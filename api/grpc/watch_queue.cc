#include "api/grpc/watch_queue.h"

#include <utility>

#include "base/metrics.h"

namespace kvorum::api {
namespace {

metrics::Gauge& pending_events = metrics::Default().AddGauge(
    "etcd_debugging_mvcc_pending_events_total", "Total number of pending events to be sent.");

int64_t EventsOf(const mvcc::WatchResponse& response) {
  return static_cast<int64_t>(response.events.size());
}

}  // namespace

WatchQueue::~WatchQueue() {
  for (const Item& item : items_) pending_events.Add(-EventsOf(item.response));
}

bool WatchQueue::TrySend(mvcc::WatchResponse&& response) {
  absl::MutexLock lock(&mutex_);
  const bool full = static_cast<int64_t>(items_.size()) >= kWatchQueueResponses ||
                    bytes_ + response.ByteSize() > kWatchQueueBytes;
  if (full && !items_.empty()) {
    room_wanted_ = true;
    return false;
  }
  Append(std::move(response), /*is_answer=*/false);
  return true;
}

void WatchQueue::Answer(std::optional<mvcc::WatchResponse> response) {
  absl::MutexLock lock(&mutex_);
  if (response) {
    Append(*std::move(response), /*is_answer=*/true);
  } else {
    --answers_pending_;
    WakeReady();
  }
}

void WatchQueue::Append(mvcc::WatchResponse response, bool is_answer) {
  const int64_t bytes = response.ByteSize();
  bytes_ += bytes;
  pending_events.Add(EventsOf(response));
  items_.push_back(Item{std::move(response), bytes, is_answer});
  WakeReady();
}

void WatchQueue::WakeReady() {
  if (writer_.handle && IsFilled()) {
    const std::coroutine_handle<> handle = std::exchange(writer_.handle, nullptr);
    call_queue_->Post({&handle, 1});
  }
  if (reader_.handle && IsBelowLimit()) {
    const std::coroutine_handle<> handle = std::exchange(reader_.handle, nullptr);
    call_queue_->Post({&handle, 1});
  }
}

void WatchQueue::ExpectAnswer() {
  absl::MutexLock lock(&mutex_);
  ++answers_pending_;
}

bool WatchQueue::Pop(mvcc::WatchResponse* response, bool* more) {
  absl::MutexLock lock(&mutex_);
  if (closed_ || items_.empty()) return false;
  Item& item = items_.front();
  *response = std::move(item.response);
  pending_events.Add(-EventsOf(*response));
  bytes_ -= item.bytes;
  if (item.is_answer) --answers_pending_;
  items_.pop_front();
  *more = !items_.empty();
  WakeReady();
  return true;
}

bool WatchQueue::TakeRoomWanted() {
  absl::MutexLock lock(&mutex_);
  const bool half_empty = static_cast<int64_t>(items_.size()) <= kWatchQueueResponses / 2 &&
                          bytes_ <= kWatchQueueBytes / 2;
  return half_empty && std::exchange(room_wanted_, false);
}

void WatchQueue::Close() {
  absl::MutexLock lock(&mutex_);
  closed_ = true;
  WakeReady();
}

WatchQueue::Awaiter WatchQueue::Filled() { return Awaiter(this, &writer_, &WatchQueue::IsFilled); }

WatchQueue::Awaiter WatchQueue::AnswersBelowLimit() {
  return Awaiter(this, &reader_, &WatchQueue::IsBelowLimit);
}

bool WatchQueue::Awaiter::await_suspend(std::coroutine_handle<> self) {
  absl::MutexLock lock(&queue_->mutex_);
  if ((queue_->*ready_)()) return false;
  waiting_->handle = self;
  return true;
}

}  // namespace kvorum::api
