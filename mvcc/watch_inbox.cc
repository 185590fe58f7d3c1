#include "mvcc/watch_inbox.h"

#include <utility>

#include "base/check.h"
#include "base/wait_until.h"

namespace kvorum::mvcc {
namespace {

// Allocations around the bytes of a row.
constexpr int64_t kEventOverheadBytes = 128;

int64_t CostOf(const EventBatch& batch) {
  int64_t cost = 0;
  for (const Event& event : batch.events) {
    cost +=
        kEventOverheadBytes + static_cast<int64_t>(event.row.size() + event.previous_row.size());
  }
  return cost;
}

// Remembers a dropped batch, in the spill that ends just before it if there is one.
void AppendSpill(std::deque<WatchInput>* inputs, Revision revision) {
  if (!inputs->empty()) {
    if (auto* spill = std::get_if<Spill>(&inputs->back())) {
      CHECK_EQ(spill->last + 1, revision) << "event batches out of order";
      spill->last = revision;
      return;
    }
  }
  inputs->push_back(Spill{.first = revision, .last = revision});
}

}  // namespace

void WatchInbox::PushBatch(EventBatch batch) {
  const int64_t cost = CostOf(batch);
  absl::MutexLock lock(&mutex_);
  if (!batch.compacted && event_bytes_ > 0 && event_bytes_ + cost > event_bytes_max_) {
    ++batches_dropped_;
    AppendSpill(&contents_.inputs, batch.revision);
  } else {
    event_bytes_ += cost;
    contents_.inputs.push_back(std::move(batch));
  }
}

void WatchInbox::Flush() {
  absl::MutexLock lock(&mutex_);
  if (!contents_.inputs.empty()) Signal();
}

void WatchInbox::PushAttach(AttachSource attach) {
  absl::MutexLock lock(&mutex_);
  contents_.inputs.push_back(std::move(attach));
  Signal();
}

void WatchInbox::PushRequest(WatchRequest request) {
  absl::MutexLock lock(&mutex_);
  contents_.requests.push_back(std::move(request));
  Signal();
}

WatchInbox::Contents WatchInbox::Take() {
  absl::MutexLock lock(&mutex_);
  event_bytes_ = 0;
  return std::exchange(contents_, {});
}

void WatchInbox::Wait(TimePoint deadline) {
  absl::MutexLock lock(&mutex_);
  while (contents_.empty() && !woken_ && WaitUntil(changed_, mutex_, deadline)) {
  }
  woken_ = false;
}

void WatchInbox::Wake() {
  absl::MutexLock lock(&mutex_);
  woken_ = true;
  Signal();
}

int64_t WatchInbox::batches_dropped() const {
  absl::MutexLock lock(&mutex_);
  return batches_dropped_;
}

}  // namespace kvorum::mvcc
