#pragma once
// Endpoints: what the peer port answers, path by path. The raft paths are for members of the
// cluster and check versions and cluster; the others answer whoever asks.
//
// Threads: the accept loop. Follows etcd rafthttp/http.go, etcdhttp/peer.go, corrupt.go,
// lease/leasehttp/http.go.

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "server/peer/body_reader.h"
#include "server/peer/http_server.h"
#include "server/peer/peer_context.h"
#include "server/peer/snapshot_receiver.h"
#include "server/peer/stream_codec.h"

namespace kvorum::server::peer {

// The peers of the transport.
class PeerRegistry {
 public:
  virtual ~PeerRegistry() = default;
  virtual bool IsPeer(MemberId id) = 0;
  // Hands the exchange to the peer's writer.
  virtual void AttachStream(MemberId id, StreamKind kind,
                            const std::shared_ptr<HttpExchange>& exchange) = 0;
  virtual void AddRemoteFromNetwork(MemberId id, const std::vector<std::string>& urls) = 0;
  // Counts bytes of a message received outside of streams.
  virtual void CountReceived(MemberId from, size_t bytes) = 0;
};

class Endpoints {
 public:
  Endpoints(const PeerContext* context, PeerRegistry* registry);

  void Handle(const std::shared_ptr<HttpExchange>& exchange);
  // After the accept loop has ended.
  void Stop() { snapshots_.Stop(); }

 private:
  using Exchange = std::shared_ptr<HttpExchange>;

  bool HandleRaft(const Exchange& exchange);
  void Pipeline(const Exchange& exchange);
  void OnPipelineBody(const Exchange& exchange, StatusOr<std::string> body);
  void Snapshot(const Exchange& exchange);
  void Stream(const Exchange& exchange);
  void AcceptStream(const Exchange& exchange, MemberId from, StreamKind kind);
  void RefuseStream(const Exchange& exchange, int status, std::string_view text) const;
  void Probing(const Exchange& exchange);
  void Members(const Exchange& exchange);
  void Promote(const Exchange& exchange);
  void HashKv(const Exchange& exchange);
  void OnHashKvBody(const Exchange& exchange, const StatusOr<std::string>& body);
  void Lease(const Exchange& exchange);
  void OnLeaseBody(const Exchange& exchange, const StatusOr<std::string>& body);
  void RenewLease(const Exchange& exchange, const std::string& body);
  void LeaseTimeToLive(const Exchange& exchange, const std::string& body);
  void Version(const Exchange& exchange);
  void DowngradeEnabled(const Exchange& exchange);

  void RememberSender(const HttpRequest& request);
  // With the cluster's id.
  void Reply(const Exchange& exchange, HttpReply reply) const;

  const PeerContext* const context_;
  PeerRegistry* const registry_;
  BodyReader bodies_;
  SnapshotReceivers snapshots_;
};

// Whether the answer to another method names the right one: etcd's do not all.
enum class AllowHeader { kNo, kYes };
// False, and answered, if the method is another.
bool AllowMethod(const std::shared_ptr<HttpExchange>& exchange, std::string_view method,
                 AllowHeader header = AllowHeader::kYes);
HttpReply WithClusterId(const PeerContext& context, HttpReply reply);

}  // namespace kvorum::server::peer
