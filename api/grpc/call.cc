#include "api/grpc/call.h"

#include <grpc/support/time.h>

namespace kvorum::api {
namespace {

bool IsNever(gpr_timespec deadline) {
  return gpr_time_cmp(deadline, gpr_inf_future(deadline.clock_type)) == 0;
}

}  // namespace

TimePoint DeadlineOf(const grpc::ServerContext& context) {
  const gpr_timespec deadline = context.raw_deadline();
  if (IsNever(deadline)) return TimePoint::max();
  const gpr_timespec monotonic = gpr_convert_clock_type(deadline, GPR_CLOCK_MONOTONIC);
  return TimePoint(std::chrono::seconds(monotonic.tv_sec) +
                   std::chrono::nanoseconds(monotonic.tv_nsec));
}

void ClientWatch::OnGone(std::function<bool()> leave, Resume resume) {
  server::Error reason = server::Error::kOk;
  {
    absl::MutexLock lock(&mutex_);
    leave_ = std::move(leave);
    resume_ = std::move(resume);
    if (leave_ != nullptr) reason = reason_;
  }
  if (reason != server::Error::kOk) Leave(reason);
}

Detached ClientWatch::WatchDeadline(CallQueue* queue, gpr_timespec deadline) {
  const CallQueue::Hold hold(queue);
  if (!IsNever(deadline)) {
    deadline_.emplace();
    const bool passed =
        co_await Operation([&](void* tag) { deadline_->Set(queue->grpc_queue(), deadline, tag); });
    if (passed) Leave(server::Error::kDeadlineExceeded);
  }
  deadline_over_.Set();  // may end *this
}

Task<bool> ClientWatch::End() {
  if (deadline_) deadline_->Cancel();
  co_await deadline_over_.Wait();
  co_await over_.Wait();
  co_return true;
}

void ClientWatch::Complete(bool /*ok*/) {
  Leave(server::Error::kContextCanceled);
  over_.Set();  // may end *this
}

// A handler that goes on meanwhile waits in Clear() until it is known who resumes it.
void ClientWatch::Leave(server::Error reason) {
  Resume resume;
  {
    absl::MutexLock lock(&mutex_);
    if (reason_ == server::Error::kOk) reason_ = reason;
    if (leave_ == nullptr || !std::exchange(leave_, nullptr)()) return;
    resume = std::exchange(resume_, nullptr);
  }
  resume(reason);
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
