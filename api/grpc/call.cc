#include "api/grpc/call.h"

#include <grpc/support/time.h>

namespace kvorum::api {

TimePoint DeadlineOf(const grpc::ServerContext& context) {
  const gpr_timespec deadline = context.raw_deadline();
  if (gpr_time_cmp(deadline, gpr_inf_future(deadline.clock_type)) == 0) return TimePoint::max();
  const gpr_timespec monotonic = gpr_convert_clock_type(deadline, GPR_CLOCK_MONOTONIC);
  return TimePoint(std::chrono::seconds(monotonic.tv_sec) +
                   std::chrono::nanoseconds(monotonic.tv_nsec));
}

void ClientWatch::OnGone(std::function<bool()> leave, std::function<void()> resume) {
  bool gone = false;
  {
    absl::MutexLock lock(&mutex_);
    leave_ = std::move(leave);
    resume_ = std::move(resume);
    gone = gone_ && leave_ != nullptr;
  }
  if (gone) Leave();
}

void ClientWatch::Complete(bool /*ok*/) {
  {
    absl::MutexLock lock(&mutex_);
    gone_ = true;
  }
  Leave();
  over_.Set();  // may end *this
}

// A handler that goes on meanwhile waits in Clear() until it is known who resumes it.
void ClientWatch::Leave() {
  std::function<void()> resume;
  {
    absl::MutexLock lock(&mutex_);
    if (leave_ == nullptr || !std::exchange(leave_, nullptr)()) return;
    resume = std::exchange(resume_, nullptr);
  }
  resume();
}

StreamCall::StreamCall(CallQueue* queue, size_t max_request_bytes)
    : stream(&context), queue_(queue), max_request_bytes_(max_request_bytes) {
  context.AsyncNotifyWhenDone(static_cast<Tag*>(&done_));
}

void StreamCall::Stop(server::Error error) {
  if (stopped_ || finishing_) return;
  stopped_ = true;
  stop_status_ = ToStatus(error);
  FinishIfStopped();
}

Detached StreamCall::Finish(grpc::Status status) {
  const CallQueue::Hold hold(queue_);
  finishing_ = true;
  co_await Operation([&](void* tag) { stream.Finish(status, tag); });
  finished_.Set();  // may end *this
}

Task<bool> StreamCall::End(grpc::Status status) {
  if (!finishing_) Finish(FinalStatus(status));
  co_await finished_.Wait();
  co_await Done();
  co_return true;
}

}  // namespace kvorum::api
