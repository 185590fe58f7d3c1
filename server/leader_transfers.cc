#include "server/leader_transfers.h"

#include "base/log.h"

namespace kvorum::server {

Error LeaderTransfers::Refusal(MemberId target) const {
  if (parts_.leader() != parts_.self) return Error::kNotLeader;
  return parts_.is_voter(target) ? Error::kOk : Error::kBadLeaderTransferee;
}

// Raft is asked even if the member leads that is to lead, who then stays.
void LeaderTransfers::Begin(MemberId target, TimePoint deadline, Waiter* waiter) {
  if (const Error error = Refusal(target); error != Error::kOk) return ResumeOne(waiter, error);
  LOG_INFO("leadership transfer starting", {"local-member-id", HexId(parts_.self)},
           {"current-leader-member-id", HexId(parts_.self)},
           {"transferee-member-id", HexId(target)});
  {
    absl::MutexLock lock(&mutex_);
    if (!closed_) {
      transfers_.push_back({.from = parts_.self,
                            .to = target,
                            .began = parts_.clock->Now(),
                            .deadline = deadline,
                            .waiter = waiter});
      waiter = nullptr;
    }
  }
  if (waiter != nullptr) return ResumeOne(waiter, Error::kStopped);
  parts_.transfer(target);
  parts_.run_soon();
}

bool LeaderTransfers::Abandon(Waiter* waiter) {
  absl::MutexLock lock(&mutex_);
  return std::erase_if(transfers_, [&](const Transfer& t) { return t.waiter == waiter; }) > 0;
}

void LeaderTransfers::Close(Error error) {
  std::vector<Waiter*> all;
  {
    absl::MutexLock lock(&mutex_);
    closed_ = true;
    for (const Transfer& transfer : std::exchange(transfers_, {})) {
      transfer.waiter->error = error;
      all.push_back(transfer.waiter);
    }
  }
  ResumeAll(all);
}

TimePoint LeaderTransfers::Step(TimePoint now) {
  const MemberId leader = parts_.leader();
  std::vector<Transfer> ended;
  bool more = false;
  {
    absl::MutexLock lock(&mutex_);
    std::erase_if(transfers_, [&](const Transfer& transfer) {
      const bool over = transfer.to == leader || transfer.deadline <= now;
      if (over) ended.push_back(transfer);
      return over;
    });
    more = !transfers_.empty();
  }
  std::vector<Waiter*> waiters;
  for (const Transfer& transfer : ended) {
    const bool finished = transfer.to == leader;
    if (finished) LogFinished(transfer, now);
    transfer.waiter->error = finished ? Error::kOk : Error::kTimeoutLeaderTransfer;
    waiters.push_back(transfer.waiter);
  }
  ResumeAll(waiters);
  return more ? now + parts_.interval : TimePoint::max();
}

void LeaderTransfers::LogFinished(const Transfer& transfer, TimePoint now) const {
  LOG_INFO("leadership transfer finished", {"local-member-id", HexId(parts_.self)},
           {"old-leader-member-id", HexId(transfer.from)},
           {"new-leader-member-id", HexId(transfer.to)}, {"took", now - transfer.began});
}

}  // namespace kvorum::server
