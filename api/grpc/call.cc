#include "api/grpc/call.h"

#include <grpc/support/time.h>

namespace kvorum::api {

TimePoint DeadlineOf(const grpc::ServerContext& context) {
  const gpr_timespec deadline = context.raw_deadline();
  if (IsNever(deadline)) return TimePoint::max();
  const gpr_timespec monotonic = gpr_convert_clock_type(deadline, GPR_CLOCK_MONOTONIC);
  return TimePoint(std::chrono::seconds(monotonic.tv_sec) +
                   std::chrono::nanoseconds(monotonic.tv_nsec));
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

Detached StreamCall::StopAtDeadline() {
  const CallQueue::Hold hold(queue_);
  const gpr_timespec deadline = context.raw_deadline();
  if (!IsNever(deadline)) {
    deadline_.emplace();
    const bool passed =
        co_await Operation([&](void* tag) { deadline_->Set(queue_->grpc_queue(), deadline, tag); });
    if (passed) Stop(server::Error::kDeadlineExceeded);
  }
  deadline_over_.Set();  // may end *this
}

Detached StreamCall::Finish(grpc::Status status) {
  const CallQueue::Hold hold(queue_);
  finishing_ = true;
  co_await Operation([&](void* tag) { stream.Finish(status, tag); });
  finished_.Set();  // may end *this
}

Task<bool> StreamCall::End(grpc::Status status) {
  // Who leaves in the middle of a stream, as each of etcd's single renewals does, is noticed by the
  // failed Read first. To be given a status then would cost gRPC an error, and frames for nobody.
  if (!finishing_ && !done_.signal.is_set()) co_await queue_->Behind();
  if (!finishing_ && !done_.signal.is_set()) Finish(FinalStatus(status));
  if (finishing_) co_await finished_.Wait();
  co_await Done();
  if (deadline_) deadline_->Cancel();
  co_await deadline_over_.Wait();
  co_return true;
}

}  // namespace kvorum::api
