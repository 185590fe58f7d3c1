#pragma once
// WatchStage: the WatchableStore. See mvcc/watchable_store.h for the contract.
//
// Files: watch_stage.cc has Step and the event side (batches, spills, stores, compaction);
// watch_requests.cc the streams' requests and progress; watch_delivery.cc collecting, sending,
// victims and catch-up.

#include <atomic>
#include <cstdint>
#include <map>
#include <memory>
#include <set>
#include <utility>
#include <vector>

#include "mvcc/watch_event.h"
#include "mvcc/watch_inbox.h"
#include "mvcc/watch_stream.h"
#include "mvcc/watchable_store.h"
#include "mvcc/watcher.h"
#include "mvcc/watcher_group.h"

namespace kvorum::mvcc {

class WatchStage final : public WatchableStore {
 public:
  WatchStage(Random* random, const WatchOptions& options);

  void Publish(EventBatch batch) override { inbox_.PushBatch(std::move(batch)); }
  void Flush() override { inbox_.Flush(); }
  void Attach(std::shared_ptr<const WatchSource> source) override;
  std::unique_ptr<WatchStream> NewStream(WatchSink* sink) override;
  StatusOr<TimePoint> Step(TimePoint now) override;
  void Wait(TimePoint deadline) override { inbox_.Wait(deadline); }
  void Wake() override { inbox_.Wake(); }
  Revision delivered_revision() const override { return Revision(delivered_.load()); }
  Revision compacted_revision() const override { return Revision(compacted_.load()); }
  WatchStats stats() const override;

 private:
  // Order of the unsynced watchers, so that those with near needs share a scan.
  struct ByNeed {
    using Place = std::pair<Revision, uint64_t>;
    using is_transparent = void;
    static Place Of(const Watcher* w) { return {w->min_revision, w->serial}; }
    static Place Of(const Place& place) { return place; }
    template <typename A, typename B>
    bool operator()(const A& a, const B& b) const {
      return Of(a) < Of(b);
    }
  };

  // Inputs from the apply stage.
  Status HandleInputs();
  StatusOr<int64_t> Handle(EventBatch& batch);
  StatusOr<int64_t> Handle(Spill& spill);
  StatusOr<int64_t> Handle(AttachSource& attach);
  Status Notify(const EventBatch& batch);
  void UnsyncAllThatNeed(Revision last);
  void set_delivered(Revision revision) { delivered_.store(revision.value()); }
  void set_compacted(Revision revision) { compacted_.store(revision.value()); }

  // Requests of streams.
  void HandleRequests(TimePoint now);
  void Open(const std::shared_ptr<WatchStreamCore>& stream, TimePoint now);
  void Close(WatchStreamCore& stream);
  WatchResponse Create(WatchStreamCore& stream, WatchCreate& create);
  std::optional<WatchResponse> Cancel(WatchStreamCore& stream, int64_t watch_id);
  std::optional<WatchResponse> Progress(const WatchStreamCore& stream) const;
  bool KnowsProgress(const Watcher& watcher) const;
  void Tick(TimePoint now);
  void SendProgress(WatchStreamCore& stream);

  // Delivery.
  Status Collect(const EventBatch& batch, WatcherGroup& group);
  Status CollectOne(PreparedEvent& event, Watcher& watcher);
  void SendCollected(Watcher& watcher, Revision header);
  void SendOrHold(Watcher& watcher, WatchResponse&& response);
  void RetryVictims(WatchStreamCore& stream);
  void Park(Watcher& watcher);
  void Unpark(Watcher& watcher);
  void Place(Watcher& watcher);
  void RemoveFromGroups(Watcher& watcher);

  // Catch-up.
  Status CatchUp();
  void CancelCompacted();
  std::vector<Watcher*> ChooseForScan();
  void FinishScan(const std::vector<Watcher*>& chosen, Revision scanned);

  // Constant after construction.
  Random* const random_;
  const WatchOptions options_;

  // Synchronises itself.
  WatchInbox inbox_;

  // Written by the stage's thread, read by any.
  std::atomic<int64_t> delivered_{0};
  std::atomic<int64_t> compacted_{-1};
  std::atomic<int64_t> streams_count_{0};
  std::atomic<int64_t> watchers_count_{0};
  std::atomic<int64_t> slow_count_{0};
  std::atomic<int64_t> events_sent_{0};

  // The stage's thread only.
  std::shared_ptr<const WatchSource> source_;
  WatchInbox::Contents work_;
  std::map<const WatchStreamCore*, std::shared_ptr<WatchStreamCore>> streams_;
  std::map<std::pair<TimePoint, uint64_t>, WatchStreamCore*> ticks_;
  WatcherGroup synced_;
  std::set<Watcher*, ByNeed> unsynced_;
  int64_t victims_ = 0;
  ByNeed::Place scan_cursor_;      // where the next scan begins
  std::vector<Watcher*> touched_;  // with something collected
  uint64_t next_serial_ = 0;
};

}  // namespace kvorum::mvcc
