#pragma once
// PeerService: this member among the others. Outwards it keeps the network told who there is and
// hands it raft's messages; inwards it gives raft what arrives and answers other members'
// questions from the same calls that clients use.
//
// Threads: see peer::Handler for what the network calls; Send on the raft loop, OnConfChange on the
// apply stage, the rest on any. Follows etcd server/etcdserver/raft.go, api/etcdhttp/peer.go,
// server/etcdserver/server.go Process, applyConfChange.

#include <absl/base/thread_annotations.h>
#include <absl/synchronization/mutex.h>

#include <functional>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/env.h"
#include "proto/raft.pb.h"
#include "server/config.h"
#include "server/lease_calls.h"
#include "server/membership/membership.h"
#include "server/peer/handler.h"
#include "server/peers.h"
#include "server/raft_loop.h"
#include "server/server.h"
#include "server/store_slot.h"

namespace kvorum::server {

class PeerService final : public peer::Handler {
 public:
  // All pointers must outlive this; `peers` may be null: there is nobody else.
  struct Parts {
    const Config* config = nullptr;
    Env* env = nullptr;
    const Clock* clock = nullptr;
    std::string snap_dir;
    Membership* membership = nullptr;
    const StoreSlot* store = nullptr;
    RaftLoop* raft = nullptr;
    Peers* peers = nullptr;
    Server* server = nullptr;
    LeaseCalls* leases = nullptr;
    // This member was removed for good: it has a second left.
    std::function<void()> on_removed;
  };
  explicit PeerService(Parts parts) : parts_(std::move(parts)) {}

  // `neighbours`: whom to talk to besides the members known.
  void Start(const std::vector<MemberInfo>& neighbours);
  void Stop();

  void Send(std::vector<raft::Message> messages);
  // A change that was applied.
  void OnConfChange(const raftpb::ConfChange& change);
  // All members may be others than before: a snapshot was installed. Apply stage.
  void OnMembersReplaced();

  bool Receive(raft::Message message) override;
  bool IsRemoved(MemberId id) override;
  void OnUnreachable(MemberId id) override;
  void OnSnapshotSent(MemberId to, bool ok) override;
  void OnRemovedFromCluster() override;
  StatusOr<std::unique_ptr<peer::SnapshotReceiver>> BeginSnapshot(
      const raft::Message& message) override;
  std::vector<MemberInfo> Members() override;
  peer::Versions GetVersions() override;
  void DowngradeEnabled(peer::Completion<bool> done) override;
  void PromoteMember(MemberId id, const std::string& token,
                     peer::Completion<std::vector<MemberInfo>> done) override;
  void HashKv(Revision revision, peer::Completion<peer::HashKvResult> done) override;
  void RenewLease(LeaseId id, peer::Completion<int64_t> done) override;
  void LeaseTimeToLive(LeaseId id, bool keys, peer::Completion<peer::LeaseTtl> done) override;

 private:
  void SendSnapshot(raft::Message message);
  void AddPeer(const MemberInfo& member) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);

  TimePoint Deadline() const { return parts_.clock->Now() + parts_.config->request_timeout(); }

  const Parts parts_;

  absl::Mutex mutex_;
  std::set<MemberId> known_ ABSL_GUARDED_BY(mutex_);  // peers
};

}  // namespace kvorum::server
