#pragma once
// Peer: all channels to one other member, and the choice among them.
//
// Threads: any, but for Attach; Update and Stop wait for the IO threads, and Stop comes before the
// end. Follows etcd
// rafthttp/peer.go, remote.go.

#include <atomic>
#include <memory>
#include <optional>
#include <string_view>
#include <vector>

#include "raft/types.h"
#include "server/peer/peer_context.h"
#include "server/peer/peer_status.h"
#include "server/peer/pipeline.h"
#include "server/peer/prober.h"
#include "server/peer/stream_reader.h"
#include "server/peer/stream_writer.h"
#include "server/peer/url_picker.h"

namespace kvorum::server::peer {

class Peer {
 public:
  Peer(const PeerContext* context, MemberId id, std::vector<PeerUrl> urls);

  // Begins to dial and to probe.
  void Start();
  // Ends everything; nothing of this peer reaches the handler after it.
  void Stop();
  void Update(std::vector<PeerUrl> urls);

  // Never blocks. What finds no room is dropped and reported.
  void Send(raft::Message message);
  // The answer to the peer's dial. On the accept loop.
  void Attach(StreamKind kind, std::shared_ptr<HttpExchange> exchange);

  void SetPaused(bool paused);
  const std::shared_ptr<PeerStatus>& status() const { return status_; }
  const std::shared_ptr<UrlPicker>& picker() const { return picker_; }

 private:
  // Hands the message to the first channel that is there; its name if that has no room.
  std::optional<std::string_view> TryChannels(raft::Message* message);

  const PeerContext* const context_;
  const MemberId id_;
  const std::shared_ptr<PeerStatus> status_;
  const std::shared_ptr<UrlPicker> picker_;
  const std::shared_ptr<StreamWriter> msgapp_writer_;
  const std::shared_ptr<StreamWriter> message_writer_;
  const std::shared_ptr<StreamReader> msgapp_reader_;
  const std::shared_ptr<StreamReader> message_reader_;
  const std::shared_ptr<Pipeline> pipeline_;
  const std::vector<std::shared_ptr<Prober>> probers_;
  std::atomic<bool> paused_ = false;
};

// A member that can only be posted to.
class Remote {
 public:
  Remote(const PeerContext* context, MemberId id, std::vector<PeerUrl> urls);

  void Stop();
  void Send(raft::Message message);
  void SetPaused(bool paused) { paused_ = paused; }

 private:
  const PeerContext* const context_;
  const MemberId id_;
  const std::shared_ptr<PeerStatus> status_;
  const std::shared_ptr<Pipeline> pipeline_;
  std::atomic<bool> paused_ = false;
};

}  // namespace kvorum::server::peer
