#include "api/grpc/queue.h"

#include <grpc/grpc.h>
#include <grpc/support/time.h>
#include <pthread.h>

#include <utility>

#include "base/check.h"

namespace kvorum::api {

std::unique_ptr<grpc::CompletionQueue> NewNonPollingQueue() {
  grpc_init();  // until the wrapper counts as a user itself
  const grpc_completion_queue_attributes attributes = {.version = GRPC_CQ_CURRENT_VERSION,
                                                       .cq_completion_type = GRPC_CQ_NEXT,
                                                       .cq_polling_type = GRPC_CQ_NON_POLLING,
                                                       .cq_shutdown_cb = nullptr};
  auto queue = std::make_unique<grpc::CompletionQueue>(grpc_completion_queue_create(
      grpc_completion_queue_factory_lookup(&attributes), &attributes, nullptr));
  grpc_shutdown();
  return queue;
}

CallQueue::CallQueue(std::unique_ptr<grpc::CompletionQueue> queue, Options options)
    : options_(std::move(options)),
      queue_(std::move(queue)),
      alarms_{BatchAlarm(this), BatchAlarm(this)} {}

CallQueue::~CallQueue() { CHECK(!thread_.joinable()) << "Finish() was not called"; }

void CallQueue::Start() {
  thread_ = std::thread([this] { Poll(); });
  pthread_setname_np(thread_.native_handle(), options_.thread_name.c_str());
}

void CallQueue::Finish() {
  {
    absl::MutexLock lock(&mutex_);
    const auto idle = [this]()
                          ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) { return holds_ == 0 && !armed_; };
    mutex_.Await(absl::Condition(&idle));
  }
  queue_->Shutdown();
  if (thread_.joinable()) {
    thread_.join();
    return;
  }
  Poll();  // never started: drained here, as gRPC demands
}

void CallQueue::Poll() {
  WakeupBatch wakeups;
  void* tag = nullptr;
  bool ok = false;
  while (NextCompletion(wakeups, &tag, &ok)) static_cast<Tag*>(tag)->Complete(ok);
}

bool CallQueue::NextCompletion(WakeupBatch& wakeups, void** tag, bool* ok) {
  using Status = grpc::CompletionQueue::NextStatus;
  if (!wakeups.empty() && ++since_wakeup_ >= kCompletionsBetweenWakeups) Flush(wakeups);
  if (!behind_.empty() && ++since_behind_ >= kCompletionsBeforeBehind) RunBehind();
  if (!wakeups.empty() || !behind_.empty()) {
    const Status status = queue_->AsyncNext(tag, ok, gpr_time_0(GPR_CLOCK_MONOTONIC));
    if (status == Status::GOT_EVENT) return true;
    RunBehind();
    Flush(wakeups);
  }
  return queue_->Next(tag, ok);
}

void CallQueue::Flush(WakeupBatch& wakeups) {
  since_wakeup_ = 0;
  wakeups.Flush();
}

void CallQueue::RunBehind() {
  since_behind_ = 0;
  std::vector<std::coroutine_handle<>> batch;
  while (!behind_.empty()) {
    batch.clear();
    batch.swap(behind_);
    for (const std::coroutine_handle<> handle : batch) handle.resume();
  }
}

void CallQueue::Resume(std::span<const std::coroutine_handle<>> batch) {
  if (batch.size() > options_.direct_resumes) {
    Post(batch);
    return;
  }
  for (const std::coroutine_handle<> handle : batch) handle.resume();
}

void CallQueue::Post(std::span<const std::coroutine_handle<>> batch) {
  absl::MutexLock lock(&mutex_);
  pending_.insert(pending_.end(), batch.begin(), batch.end());
  if (armed_) return;
  armed_ = true;
  alarms_[next_alarm_].Set();
  next_alarm_ = 1 - next_alarm_;
}

void CallQueue::BatchAlarm::Set() {
  alarm_.Set(queue_->grpc_queue(), gpr_time_0(GPR_CLOCK_MONOTONIC), static_cast<Tag*>(this));
}

void CallQueue::BatchAlarm::Complete(bool /*ok*/) { queue_->RunPending(); }

void CallQueue::RunPending() {
  std::vector<std::coroutine_handle<>> batch;
  {
    absl::MutexLock lock(&mutex_);
    batch.swap(pending_);
    armed_ = false;
  }
  for (const std::coroutine_handle<> handle : batch) handle.resume();
}

void CallQueue::Acquire() {
  absl::MutexLock lock(&mutex_);
  ++holds_;
}

void CallQueue::Release() {
  absl::MutexLock lock(&mutex_);
  CHECK_GT(holds_, 0);
  --holds_;
}

}  // namespace kvorum::api
