#pragma once
// Defragmenter: runs the calls of Server::Defragment. A job of the maintenance stage.
//
// Files are rewritten one at a time, each followed by a rest as long as the rewrite took, so
// writers keep at least half of disk and processor, and compactions go on in between. A run first
// lets the compactions that were applied before it end, as what they free is what it is after; but
// not for long if these wait for a slow reader.
//
// One run at a time; a call that comes during a run belongs to the next.
// Threads: Step on the maintenance stage, the rest on any.

#include <absl/base/thread_annotations.h>
#include <absl/synchronization/mutex.h>

#include <functional>
#include <string>
#include <vector>

#include "base/clock.h"
#include "server/current_compactor.h"
#include "server/errors.h"
#include "server/store_slot.h"
#include "server/waiter.h"

namespace kvorum::server {

class Defragmenter {
 public:
  // How long to wait for compactions and files before looking again, and for slow readers in all.
  static constexpr Duration kRetryInterval = std::chrono::milliseconds(10);
  static constexpr Duration kReaderGrace = std::chrono::seconds(3);

  struct Options {
    const StoreSlot* store = nullptr;
    CurrentCompactor* compactor = nullptr;
    const Clock* clock = nullptr;
    std::string path;                      // of the store, for the log
    std::function<void()> request_commit;  // makes the apply stage commit
  };
  // What the options point to must outlive this.
  explicit Defragmenter(Options options) : options_(std::move(options)) {}

  // Does a bounded piece of work; returns when to call again.
  TimePoint Step(TimePoint now);

  // Completes `waiter` when a run that begins after this call has set the sizes down. True if the
  // job should run soon.
  [[nodiscard]] bool Wait(Waiter* waiter);
  // At start: asks for a run, to be run soon, if it would free `threshold_bytes`; else says in the
  // log that it would not and returns false.
  [[nodiscard]] bool WantAtStart(uint64_t threshold_bytes);
  bool Abandon(Waiter* waiter);
  // Ends every wait with `error` and the run with them, and refuses new ones.
  void Close(Error error);

 private:
  // What the log tells of a run.
  struct Sizes {
    int64_t total = 0;
    int64_t in_use = 0;
  };

  // Takes the waiting calls into a new run; false if there are none.
  bool Begin(TimePoint now);
  bool HeldUp(TimePoint now);
  TimePoint RewriteOne(TimePoint now);
  void End(Error error);
  Sizes SizesNow() const;

  const Options options_;

  // Of the maintenance stage: the run.
  bool running_ = false;
  uint64_t generation_ = 0;  // of the store it is about
  TimePoint began_;
  TimePoint readers_only_since_;
  Sizes before_;

  absl::Mutex mutex_;
  std::vector<Waiter*> next_ ABSL_GUARDED_BY(mutex_);     // belong to the run to come
  std::vector<Waiter*> waiting_ ABSL_GUARDED_BY(mutex_);  // belong to this run
  bool closed_ ABSL_GUARDED_BY(mutex_) = false;
};

}  // namespace kvorum::server
