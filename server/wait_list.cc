#include "server/wait_list.h"

#include <algorithm>
#include <utility>

namespace kvorum::server {
namespace {

TimePoint Now() { return std::chrono::steady_clock::now(); }

}  // namespace

void WaitList::Insert(uint64_t id, const Entry& entry) {
  entry.waiter->request_id = id;
  earliest_deadline_ = std::min(earliest_deadline_, entry.deadline);
  entries_.emplace(id, entry);
}

bool WaitList::Add(uint64_t id, TimePoint deadline, ProposalWaiter* waiter, Error answer,
                   Operation operation) {
  const TimePoint now = Now();
  absl::MutexLock lock(&mutex_);
  if (closed_) return false;
  Insert(id, {.waiter = waiter,
              .deadline = deadline,
              .answer = answer,
              .operation = operation,
              .since = now});
  return true;
}

bool WaitList::Contains(uint64_t id) const {
  absl::MutexLock lock(&mutex_);
  return entries_.contains(id);
}

void WaitList::Complete(std::vector<Result>& results) {
  std::vector<Waiter*> done;
  const TimePoint now = Now();
  {
    absl::MutexLock lock(&mutex_);
    for (Result& result : results) {
      const auto [first, last] = entries_.equal_range(result.id);
      for (auto it = first; it != last; ++it) {
        ProposalWaiter* const waiter = it->second.waiter;
        waiter->error = it->second.answer != Error::kOk ? it->second.answer : result.error;
        if (waiter->error == Error::kOk) waiter->response = std::move(result.response);
        // Refused or not: it went through the log.
        ObserveRequest(it->second.operation, /*success=*/true, now - it->second.since);
        done.push_back(waiter);
      }
      entries_.erase(first, last);
    }
  }
  ResumeAll(done);
}

void WaitList::CountFailure(const Entry& entry) {
  proposals_failed_total.Add();
  ObserveRequest(entry.operation, /*success=*/false, Now() - entry.since);
}

void WaitList::Redirect(uint64_t from, uint64_t to, Error answer) {
  absl::MutexLock lock(&mutex_);
  const auto [first, last] = entries_.equal_range(from);
  std::vector<Entry> moved;
  for (auto it = first; it != last; ++it) moved.push_back(it->second);
  entries_.erase(first, last);
  for (Entry& entry : moved) {
    if (entry.answer == Error::kOk) entry.answer = answer;
    Insert(to, entry);
  }
}

void WaitList::Fail(uint64_t id, Error error) {
  std::vector<Waiter*> done;
  {
    absl::MutexLock lock(&mutex_);
    const auto [first, last] = entries_.equal_range(id);
    for (auto it = first; it != last; ++it) {
      it->second.waiter->error = it->second.answer != Error::kOk ? it->second.answer : error;
      CountFailure(it->second);
      done.push_back(it->second.waiter);
    }
    entries_.erase(first, last);
  }
  ResumeAll(done);
}

void WaitList::Expire(TimePoint now, const std::function<Error()>& error_of) {
  std::vector<Waiter*> done;
  {
    absl::MutexLock lock(&mutex_);
    if (now < earliest_deadline_) return;
    earliest_deadline_ = TimePoint::max();
    for (auto it = entries_.begin(); it != entries_.end();) {
      const Entry& entry = it->second;
      if (entry.deadline > now) {
        earliest_deadline_ = std::min(earliest_deadline_, entry.deadline);
        ++it;
        continue;
      }
      entry.waiter->error = entry.answer != Error::kOk ? entry.answer : error_of();
      CountFailure(entry);
      done.push_back(entry.waiter);
      it = entries_.erase(it);
    }
  }
  ResumeAll(done);
}

bool WaitList::Abandon(ProposalWaiter* waiter) {
  absl::MutexLock lock(&mutex_);
  const auto [first, last] = entries_.equal_range(waiter->request_id);
  for (auto it = first; it != last; ++it) {
    if (it->second.waiter != waiter) continue;
    CountFailure(it->second);
    entries_.erase(it);
    return true;
  }
  return false;
}

void WaitList::Close(Error error) {
  {
    absl::MutexLock lock(&mutex_);
    closed_ = true;
  }
  FailAll(error);
}

void WaitList::FailAll(Error error) {
  std::vector<Waiter*> done;
  {
    absl::MutexLock lock(&mutex_);
    for (auto& [id, entry] : entries_) {
      entry.waiter->error = error;
      done.push_back(entry.waiter);
    }
    entries_.clear();
  }
  ResumeAll(done);
}

size_t WaitList::size() const {
  absl::MutexLock lock(&mutex_);
  return entries_.size();
}

}  // namespace kvorum::server
