#include "server/wal_stage.h"

#include <utility>

#include "server/fatal.h"

namespace kvorum::server {
namespace {

void OrDie(const Status& status, std::string_view doing) {
  if (!status.ok()) Fatal(doing, {{"error", status}});
}

int64_t CostOf(const WalStage::Append& append) {
  int64_t cost = sizeof(append);
  for (const LogEntry& entry : append.entries) cost += sizeof(entry) + entry.data.size();
  return cost;
}

}  // namespace

WalStage::WalStage(std::unique_ptr<wal::Wal> wal, wal::snap::Snapshotter snapshotter,
                   HardState hard_state, Output output)
    : wal_(std::move(wal)),
      snapshotter_(std::move(snapshotter)),
      hard_state_(hard_state),
      output_(std::move(output)) {}

// Never refused: a Ready was taken and cannot be given back. The raft loop asks congested() before
// it takes in more.
void WalStage::Push(Append append) {
  const int64_t cost = CostOf(append);
  inbox_.Push(Task(std::move(append)), cost);
}

void WalStage::Push(OwnSnapshot snapshot) { inbox_.Push(Task(std::move(snapshot)), 1); }

bool WalStage::Step(Wait wait) {
  std::vector<Task> tasks = wait == Wait::kYes ? inbox_.PopAll() : inbox_.TryPopAll();
  if (tasks.empty()) return false;
  Durable done;
  for (Task& task : tasks) {
    if (Append* const append = std::get_if<Append>(&task)) {
      Write(std::move(*append), &done);
    } else {
      Finish(&done);
      Save(std::get<OwnSnapshot>(task));
    }
  }
  Finish(&done);
  // Now, rather than when the segment is full and somebody waits.
  OrDie(wal_->PrepareNext(), "failed to prepare the next segment of the raft log");
  return true;
}

namespace {

raftpb::Snapshot ToProto(const raft::Snapshot& snapshot) {
  raftpb::Snapshot result;
  raftpb::SnapshotMetadata* const metadata = result.mutable_metadata();
  metadata->set_index(snapshot.metadata.index.value());
  metadata->set_term(snapshot.metadata.term.value());
  *metadata->mutable_conf_state() = snapshot.metadata.conf_state;
  result.set_data(std::string(snapshot.data.view()));
  return result;
}

}  // namespace

void WalStage::SaveReceived(const raft::Snapshot& snapshot) {
  const raft::SnapshotMetadata& metadata = snapshot.metadata;
  OrDie(snapshotter_.SaveSnap(ToProto(snapshot)), "failed to save snapshot");
  OrDie(wal_->SaveSnapshot(
            {.index = metadata.index, .term = metadata.term, .conf_state = metadata.conf_state}),
        "failed to record the snapshot in the raft log");
}

void WalStage::Write(Append append, Durable* done) {
  if (append.snapshot) SaveReceived(*append.snapshot);
  if (append.hard_state) hard_state_ = *append.hard_state;
  OrDie(wal_->Append(append.hard_state.value_or(HardState()), append.entries),
        "failed to write the raft log");
  if (append.snapshot) {
    // Now the record counts, so what is before it may go.
    OrDie(wal_->Sync(), "failed to sync the raft log");
    OrDie(wal_->ReleaseLockTo(append.snapshot->metadata.index),
          "failed to release segments of the raft log");
    LOG_INFO("saved snapshot to disk", {"snapshot-index", append.snapshot->metadata.index.value()});
    done->snapshots.push_back(std::move(append.snapshot));
  }
  for (raft::AppendAck& ack : append.acks) done->acks.push_back(std::move(ack));
  for (raft::Message& message : append.messages) done->messages.push_back(std::move(message));
}

void WalStage::Finish(Durable* done) {
  if (wal_->must_sync()) OrDie(wal_->Sync(), "failed to sync the raft log");
  if (!done->acks.empty()) output_.on_durable(std::move(*done));
  *done = {};
}

void WalStage::Save(const OwnSnapshot& own) {
  const raftpb::SnapshotMetadata& metadata = own.snapshot.metadata();
  const Index index(metadata.index());
  // Replay ignores snapshot records above the last commit it finds, and the one it knew may be
  // lost.
  if (hard_state_.commit < index) {
    hard_state_.commit = index;
    OrDie(wal_->Append(hard_state_, {}), "failed to write the raft log");
  }
  OrDie(snapshotter_.SaveSnap(own.snapshot), "failed to save snapshot");
  OrDie(wal_->SaveSnapshot(
            {.index = index, .term = Term(metadata.term()), .conf_state = metadata.conf_state()}),
        "failed to record the snapshot in the raft log");
  OrDie(wal_->ReleaseLockTo(own.release_to), "failed to release segments of the raft log");
  OrDie(snapshotter_.ReleaseSnapDbs(index), "failed to remove received snapshots");
  LOG_INFO("saved snapshot to disk", {"snapshot-index", index.value()});
}

void WalStage::Close() { OrDie(wal_->Close(), "failed to close the raft log"); }

}  // namespace kvorum::server
