#include "api/grpc/client_watch.h"

namespace kvorum::api {

bool IsNever(gpr_timespec deadline) {
  return gpr_time_cmp(deadline, gpr_inf_future(deadline.clock_type)) == 0;
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

}  // namespace kvorum::api
