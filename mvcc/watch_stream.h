#pragma once
// The two sides of a WatchStream: the handle that api/ holds and the core that the stage knows.

#include <absl/base/thread_annotations.h>
#include <absl/synchronization/mutex.h>

#include <atomic>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <vector>

#include "base/clock.h"
#include "mvcc/watch_inbox.h"
#include "mvcc/watchable_store.h"
#include "mvcc/watcher.h"

namespace kvorum::mvcc {

// Shared by the handle and the stage. The sink is reached only under the mutex, and Close clears it
// under the same mutex: after Close has returned nobody touches the sink.
struct WatchStreamCore {
  explicit WatchStreamCore(WatchSink* sink) : sink(sink) {}

  // As WatchSink's; a closed stream takes and forgets everything.
  bool TrySend(WatchResponse&& response);
  void Answer(std::optional<WatchResponse> response);
  void Close();

  // An id nobody uses: the smallest from a counter that only goes up.
  int64_t TakeAutoId();

  absl::Mutex mutex;
  WatchSink* sink ABSL_GUARDED_BY(mutex);

  // A kRoom request is on its way already.
  std::atomic<bool> room_signalled{false};

  // The stage's thread only.
  std::map<int64_t, std::unique_ptr<Watcher>> watchers;
  std::vector<Watcher*> victims;  // in the order they became it
  int64_t next_auto_id = 0;
  uint64_t serial = 0;
  Duration tick_period{0};
  TimePoint next_tick;
};

// `inbox` must outlive the stream.
std::unique_ptr<WatchStream> NewWatchStream(WatchSink* sink, WatchInbox* inbox);

}  // namespace kvorum::mvcc
