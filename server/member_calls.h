#pragma once
// MemberCalls: what clients ask of the membership. A change is checked against what would lose the
// quorum, goes through the log as a ConfChange, and is accepted or refused when it is applied.
// Whether a learner has caught up is known to the leader alone, so others pass promotions on to it.
//
// Threads: any. Follows etcd server/etcdserver/server.go AddMember, RemoveMember,
// UpdateMember, PromoteMember.

#include <string>

#include "base/clock.h"
#include "proto/raft.pb.h"
#include "server/apply_stage.h"
#include "server/config.h"
#include "server/membership/membership.h"
#include "server/membership/strict_reconfig.h"
#include "server/peers.h"
#include "server/raft_loop.h"
#include "server/request_id.h"
#include "server/server.h"
#include "server/wait_list.h"

namespace kvorum::server {

class MemberCalls {
 public:
  // All pointers must outlive this.
  struct Parts {
    const Config* config = nullptr;
    const Clock* clock = nullptr;
    const Membership* membership = nullptr;
    RequestIdGenerator* request_ids = nullptr;
    WaitList* wait_list = nullptr;
    RaftLoop* raft = nullptr;
    const ApplyStage* apply = nullptr;
    Peers* peers = nullptr;  // null: there is nobody else
  };
  explicit MemberCalls(const Parts& parts) : parts_(parts) {}

  // See Server::ChangeMember.
  void Change(const MemberChange& change, TimePoint deadline, ProposalWaiter* waiter);

 private:
  ReconfigView View() const;
  Error MayAdd(const MemberChange& change) const;
  Error MayRemove(MemberId id) const;
  Error MayPromote(const raft::NodeStatus& status, MemberId id) const;
  void Promote(MemberId id, TimePoint deadline, ProposalWaiter* waiter);
  void PassOnPromotion(MemberId id, ProposalWaiter* waiter);
  void Propose(const MemberChange& change, TimePoint deadline, ProposalWaiter* waiter);

  const Parts parts_;
};

}  // namespace kvorum::server
