#include "server/read_index.h"

#include <algorithm>
#include <utility>

#include "server/metrics.h"

namespace kvorum::server {

void ReadIndexQueue::Finish(Batch batch, Error error) {
  std::vector<Waiter*> waiters;
  waiters.reserve(batch.size());
  for (const Read& read : batch) {
    read.waiter->error = error;
    waiters.push_back(read.waiter);
  }
  ResumeAll(waiters);
}

template <typename F>
void ReadIndexQueue::ForEachBatch(F f) {
  f(next_);
  f(asking_);
  for (auto& [index, batch] : confirmed_) f(batch);
}

ReadIndexQueue::Added ReadIndexQueue::Add(TimePoint deadline, Waiter* waiter) {
  absl::MutexLock lock(&mutex_);
  if (closed_) return Added::kClosed;
  next_.push_back({.waiter = waiter, .deadline = deadline});
  earliest_deadline_ = std::min(earliest_deadline_, deadline);
  // While a round runs the loop looks here again when that ends.
  return next_.size() == 1 && asked_ids_.empty() ? Added::kWakeRaft : Added::kQueued;
}

bool ReadIndexQueue::Abandon(Waiter* waiter) {
  absl::MutexLock lock(&mutex_);
  bool found = false;
  ForEachBatch([&](Batch& batch) {
    found |= std::erase_if(batch, [&](const Read& r) { return r.waiter == waiter; }) > 0;
  });
  return found;
}

bool ReadIndexQueue::StartRound(TimePoint now, uint64_t next_id, bool retry_now) {
  absl::MutexLock lock(&mutex_);
  if (asked_ids_.empty()) {
    if (next_.empty()) return false;
    asking_.swap(next_);
    round_deadline_ = now + round_timeout_;
  } else if (now < retry_at_ && !retry_now) {
    return false;
  }
  asked_ids_.push_back(next_id);
  retry_at_ = now + kRetryInterval;
  return true;
}

void ReadIndexQueue::OnAnswer(uint64_t id, Index index) {
  Batch done;
  {
    absl::MutexLock lock(&mutex_);
    if (std::find(asked_ids_.begin(), asked_ids_.end(), id) == asked_ids_.end()) return;
    asked_ids_.clear();
    Batch& waiting = confirmed_[index];
    waiting.insert(waiting.end(), asking_.begin(), asking_.end());
    asking_.clear();
    TakeApplied(applied_, &done);
  }
  Finish(std::move(done), Error::kOk);
}

void ReadIndexQueue::OnLeaderChange() {
  Batch failed;
  {
    absl::MutexLock lock(&mutex_);
    asked_ids_.clear();
    failed.swap(asking_);
  }
  if (!failed.empty()) read_indexes_failed_total.Add();
  Finish(std::move(failed), Error::kLeaderChanged);
}

void ReadIndexQueue::Expire(TimePoint now) {
  Batch late;
  Batch unanswered;
  {
    absl::MutexLock lock(&mutex_);
    if (!asked_ids_.empty() && now >= round_deadline_) {
      asked_ids_.clear();
      unanswered.swap(asking_);
    }
    if (now >= earliest_deadline_) {
      earliest_deadline_ = TimePoint::max();
      ForEachBatch([&](Batch& batch) {
        std::erase_if(batch, [&](const Read& read) {
          if (read.deadline <= now) late.push_back(read);
          return read.deadline <= now;
        });
        for (const Read& read : batch) {
          earliest_deadline_ = std::min(earliest_deadline_, read.deadline);
        }
      });
    }
  }
  if (!unanswered.empty()) {
    slow_read_indexes_total.Add();
    read_indexes_failed_total.Add();
  }
  Finish(std::move(late), Error::kDeadlineExceeded);
  Finish(std::move(unanswered), Error::kTimeout);
}

void ReadIndexQueue::TakeApplied(Index applied, Batch* done) {
  const auto last = confirmed_.upper_bound(applied);
  for (auto it = confirmed_.begin(); it != last; ++it) {
    done->insert(done->end(), it->second.begin(), it->second.end());
  }
  confirmed_.erase(confirmed_.begin(), last);
}

void ReadIndexQueue::OnApplied(Index applied) {
  Batch done;
  {
    absl::MutexLock lock(&mutex_);
    applied_ = applied;
    TakeApplied(applied, &done);
  }
  Finish(std::move(done), Error::kOk);
}

void ReadIndexQueue::Close(Error error) {
  Batch all;
  {
    absl::MutexLock lock(&mutex_);
    closed_ = true;
    ForEachBatch([&](Batch& batch) { all.insert(all.end(), batch.begin(), batch.end()); });
    next_.clear();
    asking_.clear();
    asked_ids_.clear();
    confirmed_.clear();
  }
  Finish(std::move(all), error);
}

}  // namespace kvorum::server
