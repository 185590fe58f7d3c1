#include "mvcc/watch_stage.h"

#include <algorithm>

#include "base/check.h"

namespace kvorum::mvcc {
namespace {

// What one Step takes on: events delivered, and bytes read back for a spill.
constexpr int64_t kEventsPerStep = 2000;
constexpr int64_t kSpillReadBytes = 1 << 20;

}  // namespace

int64_t WatchResponse::ByteSize() const {
  int64_t size = static_cast<int64_t>(sizeof(WatchResponse) + cancel_reason.size());
  for (const WatchEvent& event : events) {
    size += static_cast<int64_t>(sizeof(WatchEvent) + event.kv.size() + event.prev_kv.size());
  }
  return size;
}

std::unique_ptr<WatchableStore> WatchableStore::New(Random* random, const WatchOptions& options) {
  return std::make_unique<WatchStage>(random, options);
}

WatchStage::WatchStage(Random* random, const WatchOptions& options)
    : random_(random), options_(options), inbox_(options.event_queue_bytes) {}

void WatchStage::Attach(std::shared_ptr<const WatchSource> source) {
  const Revision current = source->current_revision();
  inbox_.PushAttach({.source = std::move(source), .current = current});
}

std::unique_ptr<WatchStream> WatchStage::NewStream(WatchSink* sink) {
  return NewWatchStream(sink, &inbox_);
}

StatusOr<TimePoint> WatchStage::Step(TimePoint now) {
  if (work_.inputs.empty() && (work_.requests.empty() || source_ == nullptr)) {
    WatchInbox::Contents taken = inbox_.Take();
    work_.inputs = std::move(taken.inputs);
    std::move(taken.requests.begin(), taken.requests.end(), std::back_inserter(work_.requests));
  }
  RETURN_IF_ERROR(HandleInputs());
  if (source_ == nullptr) return TimePoint::max();
  // Behind the batches that were queued when they were taken: who has seen a write acknowledged and
  // then asks for progress is told of that write's revision.
  if (work_.inputs.empty()) HandleRequests(now);
  RETURN_IF_ERROR(CatchUp());
  Tick(now);
  slow_count_.store(static_cast<int64_t>(unsynced_.size()) + victims_);
  if (!work_.empty() || !unsynced_.empty()) return now;
  return ticks_.empty() ? TimePoint::max() : ticks_.begin()->first.first;
}

WatchStats WatchStage::stats() const {
  return {.streams = streams_count_.load(),
          .watchers = watchers_count_.load(),
          .slow_watchers = slow_count_.load(),
          .events_sent = events_sent_.load(),
          .batches_dropped = inbox_.batches_dropped()};
}

Status WatchStage::HandleInputs() {
  int64_t budget = kEventsPerStep;
  while (!work_.inputs.empty() && budget > 0) {
    StatusOr<int64_t> cost =
        std::visit([this](auto& input) { return Handle(input); }, work_.inputs.front());
    if (!cost.ok()) return cost.status();
    budget -= std::max<int64_t>(*cost, 1);
    const auto* spill = std::get_if<Spill>(&work_.inputs.front());
    if (spill == nullptr || spill->first > spill->last) work_.inputs.pop_front();
  }
  return absl::OkStatus();
}

StatusOr<int64_t> WatchStage::Handle(EventBatch& batch) {
  if (source_ == nullptr) return 0;  // covered by the Attach that follows
  if (batch.compacted) {
    set_compacted(std::max(compacted_revision(), *batch.compacted));
    return 0;
  }
  if (batch.revision <= delivered_revision()) return 0;  // in the store when it was attached
  CHECK_EQ(batch.revision, delivered_revision() + 1) << "a revision was never published";
  RETURN_IF_ERROR(Notify(batch));
  return static_cast<int64_t>(batch.events.size());
}

// Reads a piece of what was dropped and delivers it as if it had been queued; `spill` shrinks.
StatusOr<int64_t> WatchStage::Handle(Spill& spill) {
  if (source_ == nullptr || spill.last <= delivered_revision()) {
    spill.first = spill.last + 1;
    return 0;
  }
  spill.first = std::max(spill.first, delivered_revision() + 1);
  // Compactions behind it in the queue do not count yet; their purge waits for this stage.
  ASSIGN_OR_RETURN(
      ReadEventsResult read,
      source_->ReadEvents(spill.first, spill.last, kSpillReadBytes, compacted_revision()));
  CHECK(read.error == Error::kNone) << "compacted below " << spill.first;
  for (const EventBatch& batch : read.batches) RETURN_IF_ERROR(Notify(batch));
  set_delivered(read.next - 1);
  spill.first = read.next;
  return kEventsPerStep;
}

StatusOr<int64_t> WatchStage::Handle(AttachSource& attach) {
  const bool first = source_ == nullptr;
  source_ = std::move(attach.source);
  if (!first) UnsyncAllThatNeed(attach.current);
  set_delivered(attach.current);
  set_compacted(std::max(compacted_revision(), source_->compacted_revision()));
  return 0;
}

// Synced watchers that need a revision <= `last` will read it from the store.
void WatchStage::UnsyncAllThatNeed(Revision last) {
  std::vector<Watcher*> behind;
  synced_.ForEach([&](Watcher& watcher) {
    watcher.min_revision = std::max(watcher.min_revision, delivered_revision() + 1);
    if (watcher.min_revision <= last) behind.push_back(&watcher);
  });
  for (Watcher* watcher : behind) {
    synced_.Remove(watcher);
    watcher->state = WatcherState::kUnsynced;
    unsynced_.insert(watcher);
  }
}

// One revision to the synced watchers.
Status WatchStage::Notify(const EventBatch& batch) {
  CHECK_GT(batch.revision, delivered_revision()) << "event batches out of order";
  RETURN_IF_ERROR(Collect(batch, synced_));
  set_delivered(batch.revision);
  for (Watcher* watcher : std::exchange(touched_, {})) {
    watcher->min_revision = batch.revision + 1;
    SendCollected(*watcher, batch.revision);
    if (watcher->state == WatcherState::kVictim) synced_.Remove(watcher);
  }
  return absl::OkStatus();
}

}  // namespace kvorum::mvcc
