#pragma once
// CompactionRunner: has the store's compactor remove what compactions made superfluous, and tells
// the calls that wait for that. A job of the maintenance stage.
//
// The purge waits for the watch stage: watches that catch up read the rows a compaction takes.
// Threads: Step on the maintenance stage, the rest on any.

#include <absl/base/thread_annotations.h>
#include <absl/synchronization/mutex.h>

#include <functional>
#include <vector>

#include "base/clock.h"
#include "mvcc/watchable_store.h"
#include "server/current_compactor.h"
#include "server/errors.h"
#include "server/store_slot.h"
#include "server/waiter.h"

namespace kvorum::server {

class CompactionRunner {
 public:
  // How long to wait for readers, watches, flushes and commits before looking again.
  static constexpr Duration kRetryInterval = std::chrono::milliseconds(10);
  static constexpr Duration kFullDiskInterval = std::chrono::seconds(1);

  // `request_commit` makes the apply stage commit. All must outlive this.
  CompactionRunner(const StoreSlot& store, const mvcc::WatchableStore& watches,
                   CurrentCompactor& compactor, const Clock& clock,
                   std::function<void()> request_commit);

  // Does a bounded piece of work; returns when to call again.
  TimePoint Step(TimePoint now);

  // Completes `waiter` when every compaction applied so far is done. True if the job should run
  // soon.
  [[nodiscard]] bool Wait(Waiter* waiter);
  bool Abandon(Waiter* waiter);
  // Ends every wait with `error`, and refuses new ones.
  void Close(Error error);

 private:
  struct Waiting {
    Revision revision;
    Waiter* waiter;
  };
  // Those whose compaction `is_done`.
  void Resume(const std::function<bool(Revision)>& is_done);

  const StoreSlot& store_;
  const mvcc::WatchableStore& watches_;
  CurrentCompactor& compactor_;
  uint64_t generation_ = 0;  // of the store compacted last
  const Clock& clock_;
  const std::function<void()> request_commit_;

  absl::Mutex mutex_;
  std::vector<Waiting> waiting_ ABSL_GUARDED_BY(mutex_);
  bool closed_ ABSL_GUARDED_BY(mutex_) = false;
};

}  // namespace kvorum::server
