#pragma once
// Peers: the other members as this one reaches them; the seam between a server and its network. In
// production it is PeerNetwork (HTTP), in tests a network of the test's. A server that was lent
// none has nobody to talk to.
//
// Life: the Ask.. questions of bootstrap may be put at any time; Open once the member knows who it
// is; Start when it can take messages; Stop before what handles them goes away.
//
// Messages are lost as networks lose them; raft copes. What is known to be lost is reported to the
// peer::Handler.
//
// Threads: any, unless said otherwise.

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/status.h"
#include "base/types.h"
#include "raft/types.h"
#include "server/membership/member.h"
#include "server/peer/handler.h"

namespace kvorum::server {

class Peers {
 public:
  using Urls = std::vector<std::string>;
  virtual ~Peers() = default;

  // -- before this member knows who it is; they block, at most `timeout` for each URL ------------
  struct Cluster {
    ClusterId id;
    std::vector<MemberInfo> members;  // sorted by id
  };
  // Of the first of `urls` that answers.
  virtual StatusOr<Cluster> AskMembers(const Urls& urls, Duration timeout) = 0;
  virtual StatusOr<peer::Versions> AskVersions(const Urls& urls, Duration timeout) = 0;

  // -- life --------------------------------------------------------------------------------------
  virtual Status Open(MemberId self, ClusterId cluster) = 0;
  // `handler` must outlive Stop().
  virtual void Start(peer::Handler* handler) = 0;
  // Blocks; afterwards nothing reaches the handler. Questions that wait end with kStopped.
  virtual void Stop() = 0;

  // -- who there is; this member itself never is -------------------------------------------------
  // Adding a known one changes nothing.
  virtual void AddPeer(MemberId id, const Urls& urls) = 0;
  virtual void UpdatePeer(MemberId id, const Urls& urls) = 0;
  virtual void RemovePeer(MemberId id) = 0;

  // -- messages; never block ---------------------------------------------------------------------
  virtual void Send(std::vector<raft::Message> messages) = 0;
  virtual void SendSnapshot(raft::Message message,
                            std::unique_ptr<peer::SnapshotSource> source) = 0;
  // Since when a peer has been reachable without interruption; nothing if it is not.
  virtual std::optional<TimePoint> ActiveSince(MemberId id) const = 0;

  // -- questions; `done` is called once, on any thread, not under the call -----------------------
  // What server runs there ("3.7.1").
  virtual void AskServerVersion(const Urls& urls,
                                std::function<void(StatusOr<std::string>)> done) = 0;
  // The errors are those of the same calls to a server, or kNoLeader if nobody answered, kTimeout.
  virtual void PromoteMember(const Urls& urls, MemberId id, peer::Completion<bool> done) = 0;
  virtual void HashKv(const Urls& urls, Revision revision,
                      peer::Completion<peer::HashKvResult> done) = 0;
  virtual void RenewLease(const Urls& urls, LeaseId id, peer::Completion<int64_t> done) = 0;
  virtual void LeaseTimeToLive(const Urls& urls, LeaseId id, bool keys,
                               peer::Completion<peer::LeaseTtl> done) = 0;
};

}  // namespace kvorum::server
