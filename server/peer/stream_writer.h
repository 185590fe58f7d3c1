#pragma once
// StreamWriter: one kind of stream to one peer, from the side that writes: the peer dials, and the
// answer to its request never ends. A newer connection takes the place of an older one.
//
//   detached --Attach--> attached --closed, failed, replaced, Stop--> detached
//
// Threads: Push any, the rest on the accept loop. Follows etcd rafthttp/stream.go.

#include <memory>
#include <string>
#include <string_view>

#include "raft/types.h"
#include "server/peer/http_server.h"
#include "server/peer/io_loop.h"
#include "server/peer/message_queue.h"
#include "server/peer/peer_context.h"
#include "server/peer/peer_status.h"
#include "server/peer/stream_codec.h"

namespace kvorum::server::peer {

// As etcd names them in its log.
std::string_view StreamName(StreamKind kind);

class StreamWriter : public std::enable_shared_from_this<StreamWriter> {
 public:
  StreamWriter(const PeerContext* context, MemberId to, StreamKind kind,
               std::shared_ptr<PeerStatus> status);

  // kClosed: no connection is attached.
  MessageQueue::Result Push(raft::Message&& message);

  // Answers the request of `exchange` with the stream.
  void Attach(std::shared_ptr<HttpExchange> exchange);
  void Stop();

 private:
  void Pump();
  // A chunk that was begun.
  void Write(std::string chunk, size_t counted_bytes);
  void Heartbeat();
  void ScheduleHeartbeat();
  // The connection is gone, for a reason if it failed.
  void Lost(std::string_view action, std::string_view reason);
  // True if there was one. What waited for it is lost.
  bool Detach();

  const PeerContext* const context_;
  const MemberId to_;
  const StreamKind kind_;
  const std::shared_ptr<PeerStatus> status_;
  MessageQueue queue_{kStreamQueueMessages, kStreamQueueBytes};
  std::shared_ptr<HttpExchange> exchange_;  // null while detached
  std::unique_ptr<StreamEncoder> encoder_;  // of that connection
  bool writing_ = false;
  bool stopped_ = false;
  Timer heartbeat_;
};

}  // namespace kvorum::server::peer
