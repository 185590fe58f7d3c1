#include "server/proposer.h"

#include <algorithm>
#include <utility>

#include "base/log.h"

namespace kvorum::server {
namespace {

bool IsServed(const etcdserverpb::InternalRaftRequest& request) {
  const RequestKind kind = KindOf(request);
  return kind != RequestKind::kNone && kind != RequestKind::kNotServed &&
         kind != RequestKind::kRange;
}

}  // namespace

TimePoint Proposer::LatestDeadline() const {
  return parts_.clock->Now() + parts_.config->request_timeout();
}

etcdserverpb::InternalRaftRequest Proposer::NoSpaceAlarm() const {
  etcdserverpb::InternalRaftRequest request;
  etcdserverpb::AlarmRequest* const alarm = request.mutable_alarm();
  alarm->set_action(etcdserverpb::AlarmRequest::ACTIVATE);
  alarm->set_memberid(parts_.self.value());
  alarm->set_alarm(etcdserverpb::NOSPACE);
  return request;
}

bool Proposer::RefusedForSpace(const etcdserverpb::InternalRaftRequest& request, TimePoint deadline,
                               ProposalWaiter* waiter) {
  if (parts_.quota->Fits(request)) return false;
  LOG_WARN("message exceeded backend quota; raising alarm");
  etcdserverpb::InternalRaftRequest alarm = NoSpaceAlarm();
  Submit(alarm, deadline, waiter, Error::kNoSpace);
  return true;
}

void Proposer::Refuse(const etcdserverpb::InternalRaftRequest& request, Error malformed,
                      TimePoint deadline, ProposalWaiter* waiter) {
  if (!RefusedForSpace(request, deadline, waiter)) ResumeOne(waiter, malformed);
}

void Proposer::Propose(std::unique_ptr<etcdserverpb::InternalRaftRequest> request,
                       TimePoint deadline, ProposalWaiter* waiter) {
  if (RefusedForSpace(*request, deadline, waiter)) return;
  // What is logged has to be applied, by this build as well.
  if (!IsServed(*request)) return ResumeOne(waiter, Error::kUnimplemented);
  // Nothing can be applied, and the log has need of what is left of the disk.
  if (parts_.apply->disk_full()) return ResumeOne(waiter, Error::kNoSpace);
  if (Overloaded(*request)) return ResumeOne(waiter, Error::kTooManyRequests);
  Submit(*request, deadline, waiter);
}

bool Proposer::Overloaded(const etcdserverpb::InternalRaftRequest& request) const {
  const bool priority = parts_.config->priority_request && request.has_lease_revoke();
  const uint64_t lag_max = priority ? kMaxPriorityApplyLag : kMaxApplyLag;
  return parts_.raft->committed().value() > parts_.apply->applied().value() + lag_max;
}

void Proposer::ProposeOwn(etcdserverpb::InternalRaftRequest request, OnDone done) {
  Submit(request, TimePoint::max(), NewOwnProposal(std::move(done)));
}

void Proposer::RaiseNoSpace(const std::vector<uint64_t>& ids) {
  if (parts_.alarms->Any(etcdserverpb::NOSPACE)) return;
  LOG_WARN("message exceeded backend quota; raising alarm");
  etcdserverpb::InternalRaftRequest alarm = NoSpaceAlarm();
  ProposalWaiter* const own = NewOwnProposal([](Error) {});
  Submit(alarm, TimePoint::max(), own);
  for (const uint64_t id : ids) {
    parts_.wait_list->Redirect(id, alarm.header().id(), Error::kNoSpace);
  }
}

void Proposer::Submit(etcdserverpb::InternalRaftRequest& request, TimePoint deadline,
                      ProposalWaiter* waiter, Error answer) {
  const uint64_t id = parts_.request_ids->Next();
  request.mutable_header()->set_id(id);
  std::string data = request.SerializeAsString();
  if (data.size() > parts_.config->max_request_bytes) {
    ObserveRequest(OperationOf(request), /*success=*/false, Duration::zero());
    return ResumeOne(waiter, Error::kRequestTooLarge);
  }
  deadline = std::min(deadline, LatestDeadline());
  if (!parts_.wait_list->Add(id, deadline, waiter, answer, OperationOf(request))) {
    return ResumeOne(waiter, Error::kStopped);
  }
  const bool queued = parts_.raft->Propose(
      {.request_id = id, .deadline = deadline, .data = SharedBytes(std::move(data))});
  if (!queued) parts_.wait_list->Fail(id, Error::kTooManyRequests);
}

}  // namespace kvorum::server
