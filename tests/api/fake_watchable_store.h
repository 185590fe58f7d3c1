#pragma once
// A watch stage that does what the test says: creates and cancels are answered at once, responses
// are pushed by Send.

#include <absl/synchronization/mutex.h>

#include <atomic>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "mvcc/watchable_store.h"

namespace kvorum::api {

class FakeWatchableStore final : public mvcc::WatchableStore {
 public:
  // Requests are not answered any more, as after the stage's end.
  std::atomic<bool> mute{false};

  // Pushes into the only stream; its sink's verdict.
  bool Send(mvcc::WatchResponse response);
  // Blocks until that many streams are open.
  void AwaitStreams(size_t count);
  // Blocks until OnRoom was called.
  void AwaitRoom();
  std::vector<mvcc::WatchCreate> creates();

  // -- mvcc::WatchableStore
  // ------------------------------------------------------------------------
  std::unique_ptr<mvcc::WatchStream> NewStream(mvcc::WatchSink* sink) override;
  void Attach(std::shared_ptr<const mvcc::WatchSource>) override {}
  void Publish(mvcc::EventBatch) override {}
  void Flush() override {}
  StatusOr<TimePoint> Step(TimePoint) override { return TimePoint::max(); }
  void Wait(TimePoint) override {}
  void Wake() override {}
  Revision delivered_revision() const override { return Revision(5); }
  Revision compacted_revision() const override { return Revision(-1); }
  mvcc::WatchStats stats() const override { return {}; }

 private:
  class Stream;

  absl::Mutex mutex_;
  std::set<Stream*> streams_;
  std::vector<mvcc::WatchCreate> creates_;
  bool room_ = false;
};

}  // namespace kvorum::api
