#pragma once
// What a client's watch stream has yet to be sent: filled by the watch stage, emptied by the
// stream's writer, and the bound on both events and answers.
//
// Full means kWatchQueueResponses responses or kWatchQueueBytes bytes: events are refused until
// half of it is written, and the stage keeps the watches concerned as slow ones. Answers to
// requests are never refused; instead the reader awaits AnswersBelowLimit, so that a client that
// sends requests and reads nothing is read no further.
//
// TrySend and Answer come on the stage's thread; all else on the polling thread of the streams'
// queue.

#include <absl/base/thread_annotations.h>
#include <absl/synchronization/mutex.h>

#include <coroutine>
#include <cstdint>
#include <deque>
#include <optional>

#include "api/grpc/queue.h"
#include "mvcc/watchable_store.h"

namespace kvorum::api {

inline constexpr int64_t kWatchQueueResponses = 128;
inline constexpr int64_t kWatchQueueBytes = 8 << 20;
// Requests of one stream that are not answered, or whose answer is not written.
inline constexpr int64_t kWatchAnswersPending = 16;

class WatchQueue final : public mvcc::WatchSink {
  class Awaiter;

 public:
  explicit WatchQueue(CallQueue* queue) : call_queue_(queue) {}

  ~WatchQueue() override;

  bool TrySend(mvcc::WatchResponse&& response) override;
  void Answer(std::optional<mvcc::WatchResponse> response) override;

  // Before each request handed to the stage.
  void ExpectAnswer();
  // The next response to write; *more: another one is there. False: none, or closed.
  bool Pop(mvcc::WatchResponse* response, bool* more);
  // True once after TrySend was refused, when there is room again.
  bool TakeRoomWanted();
  // Nobody waits here any longer, nothing more is popped.
  void Close();

  // co_await Filled(): something to pop, or closed. For the writer.
  Awaiter Filled();
  // co_await AnswersBelowLimit(): another request may be read, or closed. For the reader.
  Awaiter AnswersBelowLimit();

 private:
  struct Item {
    mvcc::WatchResponse response;
    int64_t bytes;
    bool is_answer;
  };
  // A coroutine waiting for `ready`.
  struct Waiting {
    std::coroutine_handle<> handle;
  };
  class Awaiter {
   public:
    Awaiter(WatchQueue* queue, Waiting* waiting, bool (WatchQueue::*ready)() const)
        : queue_(queue), waiting_(waiting), ready_(ready) {}
    bool await_ready() const noexcept { return false; }
    bool await_suspend(std::coroutine_handle<> self);
    void await_resume() const noexcept {}

   private:
    WatchQueue* queue_;
    Waiting* waiting_;
    bool (WatchQueue::*ready_)() const;
  };

  bool IsFilled() const ABSL_SHARED_LOCKS_REQUIRED(mutex_) { return closed_ || !items_.empty(); }
  bool IsBelowLimit() const ABSL_SHARED_LOCKS_REQUIRED(mutex_) {
    return closed_ || answers_pending_ < kWatchAnswersPending;
  }
  void Append(mvcc::WatchResponse response, bool is_answer) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void WakeReady() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);

  CallQueue* const call_queue_;
  absl::Mutex mutex_;
  std::deque<Item> items_ ABSL_GUARDED_BY(mutex_);
  int64_t bytes_ ABSL_GUARDED_BY(mutex_) = 0;
  int64_t answers_pending_ ABSL_GUARDED_BY(mutex_) = 0;
  bool room_wanted_ ABSL_GUARDED_BY(mutex_) = false;
  bool closed_ ABSL_GUARDED_BY(mutex_) = false;
  Waiting writer_ ABSL_GUARDED_BY(mutex_);
  Waiting reader_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace kvorum::api
