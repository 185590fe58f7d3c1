#pragma once
// SnapshotSender: one call of Maintenance.Snapshot, which streams this member's state as etcd's
// database file and, as the last message, the file's SHA-256.
//
// The file is made a batch of messages ahead of what the client takes: two batches are held at
// most, and the network's flow control paces the reading. All that needs the disk runs on the read
// pool, the rest on the polling thread of the stream's queue. Whoever goes away, or whose deadline
// passes, is noticed between two steps of the planning and at each message.
//
// Follows etcd server/etcdserver/api/v3rpc/maintenance.go (Snapshot).

#include <grpcpp/alarm.h>

#include <functional>
#include <memory>
#include <optional>
#include <vector>

#include "api/grpc/call.h"
#include "base/clock.h"
#include "base/sha256.h"
#include "server/server.h"

namespace kvorum::api {

inline constexpr size_t kSnapshotPieceBytes = 32 << 10;  // of one message
inline constexpr size_t kSnapshotBatchBytes = 8 * kSnapshotPieceBytes;

// How long a file of this size may take before the log says so, and between two such lines.
Duration SnapshotPatience(uint64_t bytes);

class SnapshotSender {
 public:
  // Both must outlive this.
  SnapshotSender(server::Server* server, StreamCall* call)
      : server_(*server), call_(*call), queue_(call->queue()) {}
  SnapshotSender(const SnapshotSender&) = delete;

  // What the stream ends with. Once.
  Task<grpc::Status> Run();

 private:
  struct Batch {
    server::Error error = server::Error::kOk;
    std::vector<grpc::ByteBuffer> messages;
    bool last = false;  // the file ends with it
  };

  Task<server::Error> OnReadPool(std::function<server::Error()> work);
  Task<server::Error> PlanFile();
  Task<server::Error> SendFile();
  Task<server::Error> SendBatches();
  Task<bool> Release();
  Detached StartBatch();
  server::Error FillBatch();
  grpc::ByteBuffer Message(uint64_t remaining_bytes, std::string blob) const;
  Detached WarnWhileSlow();

  server::Server& server_;
  StreamCall& call_;
  CallQueue& queue_;
  std::unique_ptr<server::DatabaseExport> file_;
  uint64_t total_bytes_ = 0;
  TimePoint began_;  // of the transfer

  // Of the batch that is being made: the pool's until batch_ready_ is set.
  uint64_t read_bytes_ = 0;
  Sha256 sum_;
  Batch batch_;
  std::optional<Signal> batch_ready_;

  grpc::Alarm patience_;
  bool transfer_over_ = false;
  Signal warner_over_;
};

}  // namespace kvorum::api
