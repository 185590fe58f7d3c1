#pragma once
// WalStage: the one writer of the raft log and of the snapshot files.
//
// Takes what the raft loop wants durable, in order; writes everything queued and syncs once for all
// of it, then acknowledges all of it. What needs no sync (a moved commit index alone) is
// acknowledged once the kernel has it. A snapshot of our own state is saved in the order that
// survives any crash: a hard state whose commit covers it, the `.snap` file, the record, and only
// then are older segments released. A snapshot from the leader likewise, but its store is built
// after that, from the database received with it.
//
// A write or sync that fails ends the process: what the disk holds is unknown from then on, and
// every promise made to clients and peers rests on it.
//
// Threads: Push.. on any, the rest on the stage. Follows etcd server/etcdserver/raft.go and
// server/storage/storage.go; thesis 10.2.1.

#include <functional>
#include <memory>
#include <optional>
#include <variant>
#include <vector>

#include "base/bounded_queue.h"
#include "base/log_entry.h"
#include "raft/raft.h"
#include "server/stage.h"
#include "wal/snap/snapshotter.h"
#include "wal/wal.h"

namespace kvorum::server {

class WalStage : public Stage {
 public:
  // More bytes than this waiting here, and the raft loop takes no proposals.
  static constexpr int64_t kQueueBytes = 64 << 20;

  // What one Ready, or several one after the other, want written.
  struct Append {
    raft::SnapshotPtr snapshot;  // from the leader; replaces the log, the entries come behind it
    std::vector<LogEntry> entries;
    std::optional<HardState> hard_state;
    std::vector<raft::Message> messages;  // wait for the write
    std::vector<raft::AppendAck> acks;
  };
  // A snapshot of our own state, which the store has made durable already. `release_to`: the log
  // below is needed neither by the snapshot nor by the store.
  struct OwnSnapshot {
    raftpb::Snapshot snapshot;
    Index release_to;
  };
  // Everything of one or more Appends is durable.
  struct Durable {
    std::vector<raft::SnapshotPtr> snapshots;
    std::vector<raft::AppendAck> acks;
    std::vector<raft::Message> messages;
  };
  struct Output {
    std::function<void(Durable)> on_durable;
  };

  // `hard_state`: the last one in the log. `output` is called on the stage's thread.
  WalStage(std::unique_ptr<wal::Wal> wal, wal::snap::Snapshotter snapshotter, HardState hard_state,
           Output output);

  void Push(Append append);
  void Push(OwnSnapshot snapshot);
  // Whether the queue is beyond its bound.
  bool congested() const { return inbox_.cost() > kQueueBytes; }

  bool Step(Wait wait) override;
  void Wake() override { inbox_.Wake(); }

  // After the last Step: syncs and closes the log.
  void Close();

 private:
  using Task = std::variant<Append, OwnSnapshot>;

  void Write(Append append, Durable* done);
  void Finish(Durable* done);
  void Save(const OwnSnapshot& own);
  void SaveReceived(const raft::Snapshot& snapshot);

  BoundedQueue<Task> inbox_{kQueueBytes};

  // The stage's alone.
  const std::unique_ptr<wal::Wal> wal_;
  wal::snap::Snapshotter snapshotter_;
  HardState hard_state_;  // last one written
  const Output output_;
};

}  // namespace kvorum::server
