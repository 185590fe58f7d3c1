#include "server/compaction_runner.h"

#include <algorithm>
#include <utility>

#include "server/fatal.h"
#include "server/job_stage.h"

namespace kvorum::server {

CompactionRunner::CompactionRunner(const StoreSlot& store, const mvcc::WatchableStore& watches,
                                   CurrentCompactor& compactor, const Clock& clock,
                                   std::function<void()> request_commit)
    : store_(store),
      watches_(watches),
      compactor_(compactor),
      clock_(clock),
      request_commit_(std::move(request_commit)) {}

TimePoint CompactionRunner::Step(TimePoint now) {
  using Progress = mvcc::Compactor::Progress;
  {
    absl::MutexLock lock(&mutex_);
    if (closed_) return TimePoint::max();  // what is left is for the next start
  }
  mvcc::Compactor& compactor = compactor_.Get();
  if (generation_ != compactor_.generation()) {
    if (generation_ > 0) Resume([](Revision) { return true; });
    generation_ = compactor_.generation();
  }
  if (watches_.compacted_revision() < store_->compacted_revision()) return now + kRetryInterval;
  const TimePoint began = clock_.Now();
  const StatusOr<Progress> progress = compactor.Step();
  // A full disk: writes tell the operator; this waits.
  if (absl::IsResourceExhausted(progress.status())) return now + kFullDiskInterval;
  if (!progress.ok()) Fatal("failed to compact the store", {{"error", progress.status()}});
  Resume([&](Revision revision) { return compactor.Done(revision); });
  switch (*progress) {
    case Progress::kIdle:
      return TimePoint::max();
    case Progress::kMore:
      return AfterRest(clock_, began);
    case Progress::kWaitCommit:
      request_commit_();
      break;
    case Progress::kWaitReaders:
    case Progress::kWaitDurable:
    case Progress::kWaitFiles:
      break;
  }
  return now + kRetryInterval;
}

void CompactionRunner::Resume(const std::function<bool(Revision)>& is_done) {
  std::vector<Waiter*> done;
  {
    absl::MutexLock lock(&mutex_);
    std::erase_if(waiting_, [&](const Waiting& waiting) {
      if (!is_done(waiting.revision)) return false;
      waiting.waiter->error = Error::kOk;
      done.push_back(waiting.waiter);
      return true;
    });
  }
  ResumeAll(done);
}

bool CompactionRunner::Wait(Waiter* waiter) {
  {
    absl::MutexLock lock(&mutex_);
    if (!closed_) {
      waiting_.push_back({.revision = store_->compacted_revision(), .waiter = waiter});
      return true;
    }
  }
  ResumeOne(waiter, Error::kStopped);
  return false;
}

bool CompactionRunner::Abandon(Waiter* waiter) {
  absl::MutexLock lock(&mutex_);
  return std::erase_if(waiting_, [&](const Waiting& w) { return w.waiter == waiter; }) > 0;
}

void CompactionRunner::Close(Error error) {
  std::vector<Waiter*> all;
  {
    absl::MutexLock lock(&mutex_);
    closed_ = true;
    for (const Waiting& waiting : std::exchange(waiting_, {})) {
      waiting.waiter->error = error;
      all.push_back(waiting.waiter);
    }
  }
  ResumeAll(all);
}

}  // namespace kvorum::server
