#pragma once
// Proposer: the gates a write passes before it enters the log, in the order clients observe them:
// space, kind, overload, size. Then it is given an id, encoded once, entered in the wait list and
// queued for the raft loop. Follows etcd server/etcdserver/v3_server.go and api/v3rpc/quota.go.

#include <cstdint>
#include <memory>
#include <vector>

#include "base/clock.h"
#include "proto/raft_internal.pb.h"
#include "server/alarm/alarm_store.h"
#include "server/apply/quota.h"
#include "server/apply_stage.h"
#include "server/config.h"
#include "server/own_call.h"
#include "server/raft_loop.h"
#include "server/request_id.h"
#include "server/wait_list.h"

namespace kvorum::server {

// Committed entries that may wait to be applied before new requests are refused.
inline constexpr uint64_t kMaxApplyLag = 5000;
// The same for revocations of leases with the PriorityRequest gate: they make room.
inline constexpr uint64_t kMaxPriorityApplyLag = 10000;

class Proposer {
 public:
  // All pointers must outlive this.
  struct Parts {
    const Config* config = nullptr;
    MemberId self;
    const Clock* clock = nullptr;
    const Quota* quota = nullptr;
    const AlarmStore* alarms = nullptr;
    RequestIdGenerator* request_ids = nullptr;
    WaitList* wait_list = nullptr;
    RaftLoop* raft = nullptr;
    ApplyStage* apply = nullptr;
  };
  explicit Proposer(const Parts& parts) : parts_(parts) {}

  // A client's request; see Server::Propose. Any thread.
  void Propose(std::unique_ptr<etcdserverpb::InternalRaftRequest> request, TimePoint deadline,
               ProposalWaiter* waiter);
  // A client's request that is malformed; see Server::Refuse. Any thread.
  void Refuse(const etcdserverpb::InternalRaftRequest& request, Error malformed, TimePoint deadline,
              ProposalWaiter* waiter);
  // The server's own request: only its size is looked at. Any thread.
  void ProposeOwn(etcdserverpb::InternalRaftRequest request, OnDone done);
  // Raises the alarm that this member is out of space, unless it is on, and has the calls with
  // these ids wait for it. Apply stage.
  void RaiseNoSpace(const std::vector<uint64_t>& ids);

 private:
  // True: there is no space for it, and the waiter is told so once the alarm is raised.
  bool RefusedForSpace(const etcdserverpb::InternalRaftRequest& request, TimePoint deadline,
                       ProposalWaiter* waiter);
  // `answer`: what the waiter is told in place of the result.
  void Submit(etcdserverpb::InternalRaftRequest& request, TimePoint deadline,
              ProposalWaiter* waiter, Error answer = Error::kOk);
  bool Overloaded(const etcdserverpb::InternalRaftRequest& request) const;
  // The deadline of a request that must end with the server's own patience.
  TimePoint LatestDeadline() const;
  etcdserverpb::InternalRaftRequest NoSpaceAlarm() const;

  const Parts parts_;
};

}  // namespace kvorum::server
