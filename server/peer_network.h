#pragma once
// PeerNetwork: Peers over HTTP: the transport for messages, and threads that wait for the answers
// to questions. The port is bound first, so that a start that cannot have it fails before anything
// is written.

#include <memory>
#include <string>
#include <vector>

#include "server/config.h"
#include "server/peer/peer_client.h"
#include "server/peer/transport.h"
#include "server/peers.h"
#include "server/read_pool.h"

namespace kvorum::server {

class PeerNetwork final : public Peers {
 public:
  // Questions that wait for an answer at a time; more wait in a queue, beyond whose length they are
  // refused as kTooManyRequests.
  static constexpr size_t kThreads = 8;

  // Binds --listen-peer-urls; Unavailable if an address is taken. `config` must outlive this.
  static StatusOr<std::unique_ptr<PeerNetwork>> Listen(const Config& config);
  ~PeerNetwork() override;

  const std::vector<std::string>& addresses() const;

  StatusOr<Cluster> AskMembers(const Urls& urls, Duration timeout) override;
  StatusOr<peer::Versions> AskVersions(const Urls& urls, Duration timeout) override;
  Status Open(MemberId self, ClusterId cluster) override;
  void Start(peer::Handler* handler) override;
  void Stop() override;
  void AddPeer(MemberId id, const Urls& urls) override;
  void UpdatePeer(MemberId id, const Urls& urls) override;
  void RemovePeer(MemberId id) override;
  void Send(std::vector<raft::Message> messages) override;
  void SendSnapshot(raft::Message message, std::unique_ptr<peer::SnapshotSource> source) override;
  std::optional<TimePoint> ActiveSince(MemberId id) const override;
  void AskServerVersion(const Urls& urls, std::function<void(StatusOr<std::string>)> done) override;
  void PromoteMember(const Urls& urls, MemberId id, peer::Completion<bool> done) override;
  void HashKv(const Urls& urls, Revision revision,
              peer::Completion<peer::HashKvResult> done) override;
  void RenewLease(const Urls& urls, LeaseId id, peer::Completion<int64_t> done) override;
  void LeaseTimeToLive(const Urls& urls, LeaseId id, bool keys,
                       peer::Completion<peer::LeaseTtl> done) override;

 private:
  PeerNetwork(const Config& config, std::unique_ptr<peer::Transport::Port> port);
  template <typename T>
  void Ask(peer::Completion<T> done, std::function<peer::Answer<T>()> ask);

  const Config& config_;
  std::unique_ptr<peer::Transport::Port> port_;  // until Open
  ClusterId cluster_;                            // since Open
  peer::PeerClient client_;
  ReadPool askers_;
  std::unique_ptr<peer::Transport> transport_;  // since Open
};

}  // namespace kvorum::server
