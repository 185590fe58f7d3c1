#include "server/job_stage.h"

#include <algorithm>
#include <utility>

namespace kvorum::server {

TimePoint AfterRest(const Clock& clock, TimePoint began) {
  constexpr Duration kLongestRest = std::chrono::milliseconds(500);
  const TimePoint now = clock.Now();
  return now + std::min(now - began, kLongestRest);
}

size_t JobStage::Add(Job job) {
  jobs_.push_back({.job = std::move(job), .due = TimePoint::min()});
  return jobs_.size() - 1;
}

void JobStage::RunSoon(size_t job) { inbox_.Push(std::move(job)); }

TimePoint JobStage::NextDue() const {
  TimePoint next = TimePoint::max();
  for (const Entry& entry : jobs_) next = std::min(next, entry.due);
  return next;
}

bool JobStage::Step(Wait wait) {
  const std::vector<size_t> poked =
      wait == Wait::kYes ? inbox_.PopAll(NextDue()) : inbox_.TryPopAll();
  for (const size_t job : poked) jobs_[job].due = TimePoint::min();
  const TimePoint now = clock_.Now();
  bool ran = false;
  for (Entry& entry : jobs_) {
    if (entry.due > now) continue;
    entry.due = entry.job(now);
    ran = true;
  }
  return ran;
}

}  // namespace kvorum::server
