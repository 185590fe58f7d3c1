#pragma once
// The receiving end of POST /raft/snapshot: length (8 bytes, big-endian), a raftpb.Message of type
// MsgSnap, then the database to the end of the body. The database goes piece by piece to a thread
// that may block, no piece is read before the one before is written; the message follows to raft
// when the database is durable.
//
// Threads: the accept loop; Stop any other. Follows etcd rafthttp/http.go (snapshotHandler).

#include <cstddef>
#include <functional>
#include <memory>

#include "server/peer/http_server.h"
#include "server/peer/peer_context.h"

namespace kvorum::server::peer {

inline constexpr size_t kMaxSnapshotMessageBytes = 64 << 20;
// Requests that are read at the same time, of which kMaxIncomingSnapshots may get beyond the
// message.
inline constexpr size_t kMaxSnapshotRequests = 8;

class SnapshotReceivers {
 public:
  // `is_peer`: whose snapshots are counted by name.
  SnapshotReceivers(const PeerContext* context, std::function<bool(MemberId)> is_peer);
  ~SnapshotReceivers();

  // The request's headers were checked before.
  void Handle(std::shared_ptr<HttpExchange> exchange);
  // Joins the threads; after the accept loop has ended.
  void Stop();

 private:
  class Reception;
  struct Shared;

  const std::shared_ptr<Shared> shared_;
};

// A request for a snapshot that ended before it was known from whom it is.
void CountUnknownSnapshotFailure();

}  // namespace kvorum::server::peer
