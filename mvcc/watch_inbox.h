#pragma once
// WatchInbox: what waits for the watch stage, event batches and stream requests.
//
// Batches are bounded in bytes. At the bound a batch is dropped and only its revision kept, as part
// of a Spill item at its place in the sequence; compactions and attached stores are never dropped.
// Requests are bounded by their senders (WatchSink::Answer). Thread-safe, one consumer.

#include <absl/base/thread_annotations.h>
#include <absl/synchronization/mutex.h>

#include <cstdint>
#include <deque>
#include <memory>
#include <variant>
#include <vector>

#include "base/clock.h"
#include "base/types.h"
#include "mvcc/mvcc.h"
#include "mvcc/watchable_store.h"

namespace kvorum::mvcc {

struct WatchStreamCore;

// The dropped revisions [first, last]; to be read from the store.
struct Spill {
  Revision first;
  Revision last;
};
struct AttachSource {
  std::shared_ptr<const WatchSource> source;
  Revision current;  // of the source when it was attached
};
using WatchInput = std::variant<EventBatch, Spill, AttachSource>;

struct WatchRequest {
  enum class Kind { kOpen, kCreate, kCancel, kProgress, kRoom, kClose };
  Kind kind;
  std::shared_ptr<WatchStreamCore> stream;
  WatchCreate create;    // kCreate
  int64_t watch_id = 0;  // kCancel
};

class WatchInbox {
 public:
  explicit WatchInbox(int64_t event_bytes_max) : event_bytes_max_(event_bytes_max) {}

  // Wakes nobody: the stage may sleep until Flush, which comes once for many batches.
  void PushBatch(EventBatch batch);
  void Flush();
  void PushAttach(AttachSource attach);
  void PushRequest(WatchRequest request);

  struct Contents {
    std::deque<WatchInput> inputs;
    std::deque<WatchRequest> requests;
    bool empty() const { return inputs.empty() && requests.empty(); }
  };
  // Everything that is here, each kind in order.
  Contents Take();

  // Returns at once if something is here; else waits for it, for Wake or for the steady clock to
  // reach `deadline`.
  void Wait(TimePoint deadline);
  void Wake();

  int64_t batches_dropped() const;

 private:
  void Signal() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) { changed_.Signal(); }

  const int64_t event_bytes_max_;
  mutable absl::Mutex mutex_;
  absl::CondVar changed_;
  Contents contents_ ABSL_GUARDED_BY(mutex_);
  int64_t event_bytes_ ABSL_GUARDED_BY(mutex_) = 0;
  int64_t batches_dropped_ ABSL_GUARDED_BY(mutex_) = 0;
  bool woken_ ABSL_GUARDED_BY(mutex_) = false;
};

}  // namespace kvorum::mvcc
