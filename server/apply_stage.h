#pragma once
// ApplyStage: the one writer of the replicated state. Takes committed entries in index order, none
// beyond what this member's own log holds durably; applies everything queued and commits it to the
// store as one write, which also carries the index. Only then are calls answered, reads released
// and raft told.
//
// A full disk stops it, not the process: the same batch is tried again until there is room, so
// nothing is skipped, and all calls that wait are told meanwhile. Any other failure of the store
// ends the process.
//
// Threads: Push, RequestCommit, OnFlushed and the accessors on any, the rest on the stage. Follows
// etcd server/etcdserver/server.go applyAll.

#include <atomic>
#include <functional>
#include <variant>
#include <vector>

#include "base/bounded_queue.h"
#include "base/clock.h"
#include "base/log_entry.h"
#include "raft/types.h"
#include "server/apply/entry_applier.h"
#include "server/own_snapshot.h"
#include "server/read_index.h"
#include "server/stage.h"
#include "server/store_slot.h"
#include "server/wait_list.h"

namespace kvorum::server {

class ApplyStage : public Stage {
 public:
  // Between two attempts to commit to a full disk.
  static constexpr Duration kRetryInterval = std::chrono::milliseconds(100);

  // All pointers must outlive the stage.
  struct Options {
    StoreSlot* store = nullptr;
    EntryApplier* entries = nullptr;
    const Membership* membership = nullptr;
    OwnSnapshots* snapshots = nullptr;
    WaitList* wait_list = nullptr;
    ReadIndexQueue* read_index = nullptr;
    Clock* clock = nullptr;
    // An entry that takes longer is worth a line in the log.
    Duration expected_duration = std::chrono::milliseconds(100);
  };
  // Called on the stage's thread; must not block.
  struct Output {
    std::function<void(Index, raftpb::ConfChange)> on_conf_change;
    std::function<void(Index)> on_applied;
    std::function<void(Term)> on_term_started;
    // There is something for the compactor.
    std::function<void()> on_compaction;
    // Replaces the store by the database received for this snapshot, and all that is made of it;
    // returns the index the new store stands at. May take long.
    std::function<raft::EntryId(const raft::SnapshotPtr&)> install;
    // This member is out of space; the calls with these ids wait for the alarm.
    std::function<void(std::vector<uint64_t>)> raise_no_space;
  };

  ApplyStage(Options options, Output output);

  void Push(std::vector<LogEntry> entries);
  // A snapshot from the leader, durable in the log, takes the place of everything applied so far.
  void Push(raft::SnapshotPtr snapshot);
  // Makes a commit even if there is nothing to apply, for rows that others left in the batch.
  void RequestCommit();
  void OnFlushed();

  bool Step(Wait wait) override;
  void Wake() override { inbox_.Wake(); }

  // Of the last entry applied and committed to the store.
  Index applied() const { return Index(applied_.load(std::memory_order_acquire)); }
  // Since the last try to commit. Nothing is applied until this passes.
  bool disk_full() const { return disk_full_.load(std::memory_order_relaxed); }
  Term term() const { return Term(term_.load(std::memory_order_relaxed)); }

 private:
  struct CommitRequest {};
  struct Flushed {};
  using Task = std::variant<std::vector<LogEntry>, raft::SnapshotPtr, CommitRequest, Flushed>;

  void Take(std::vector<LogEntry>& entries);
  void Take(raft::SnapshotPtr& snapshot);
  void Take(CommitRequest&) { commit_wanted_ = true; }
  void Take(Flushed&) { options_.snapshots->OnFlushed(); }
  void Commit();
  void Finish();
  void AnswerNoSpace();
  void OnDiskFull(const Status& status);
  TimePoint WakeAt() const;

  const Options options_;
  const Output output_;

  // Unbounded here: the raft loop hands out only so many bytes before it hears OnApplied.
  BoundedQueue<Task> inbox_{1};

  // The stage's alone.
  std::vector<Task> waiting_;  // behind a batch that does not fit the disk
  TimePoint retry_at_;
  bool commit_wanted_ = false;
  AppliedBatch batch_;  // applied, not yet committed
  Index batch_index_;
  Term batch_term_;

  // Written by the stage, read by any.
  std::atomic<uint64_t> applied_;
  std::atomic<uint64_t> term_;
  std::atomic<bool> disk_full_ = false;
};

}  // namespace kvorum::server
