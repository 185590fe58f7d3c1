#pragma once
// MemberCalls: what clients ask of the membership. A change is checked against what would lose the
// quorum, goes through the log as a ConfChange, and is accepted or refused when it is applied.
// Members are not added yet: there is no way to reach a second one.
//
// Threads: any. Follows etcd server/etcdserver/server.go RemoveMember, UpdateMember, PromoteMember.

#include <string>

#include "base/clock.h"
#include "proto/raft.pb.h"
#include "server/config.h"
#include "server/membership/membership.h"
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
  };
  explicit MemberCalls(const Parts& parts) : parts_(parts) {}

  // See Server::ChangeMember.
  void Change(const MemberChange& change, TimePoint deadline, ProposalWaiter* waiter);

 private:
  Error MayRemove(MemberId id) const;
  Error MayPromote(MemberId id) const;

  const Parts parts_;
};

}  // namespace kvorum::server
