#pragma once
// One member for tests: a RawNode with a disk, a store and the two stages between them, all moved
// by hand. Nothing happens unless the test says so, and a crash loses exactly what was not on disk.
//
//   Collect()   takes every Ready: messages out, writes and batches into their queues
//   Sync()      makes the oldest queued writes durable, releases what waited for them, acks
//   Apply()     applies the oldest queued batch, or installs the snapshot that comes in its place
//   Restart()   loses queues and memory; starts again from disk and flushed store

#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/random.h"
#include "raft/raft.h"

namespace kvorum::raft::testing {

// What survives a crash.
struct Disk {
  HardState hard_state;
  SnapshotPtr snapshot = std::make_shared<const Snapshot>();
  std::deque<Entry> entries;  // behind the snapshot

  Index first() const { return snapshot->metadata.index + 1; }
  Index last() const { return snapshot->metadata.index + entries.size(); }
  // Of an entry, or of the snapshot's last one.
  Term TermAt(Index i) const;
  void Write(const Ready& ready);
};

// A state machine: the entries it was fed, and the configuration they lead to. Its flushed copy
// lags behind, as a store without a log of its own does.
struct Store {
  Index applied;
  ConfState conf_state;
  std::map<Index, Entry> entries;
};

struct MemberOptions {
  MemberId id;
  ConfState conf_state;  // empty and no snapshot: to be bootstrapped, or to be filled by a leader
  uint64_t seed = 1;
  bool pre_vote = false;
  bool check_quorum = false;
  // Applied to the config last; may change anything but storage, applied, random and id.
  std::function<void(Config*)> tune;
};

// Messages as handed out, with the order rules already applied.
class Member {
 public:
  explicit Member(MemberOptions options);

  RawNode& node() { return *node_; }
  const RawNode& node() const { return *node_; }
  MemoryStorage& storage() { return *storage_; }
  const Disk& disk() const { return disk_; }
  const Store& store() const { return store_; }
  MemberId id() const { return options_.id; }

  void Collect();
  // Number of Readys queued for writing / batches queued for applying.
  size_t pending_writes() const { return writes_.size(); }
  size_t pending_batches() const { return batches_.size(); }
  void Sync(size_t readys = 1);
  void Apply();
  // Until nothing is left to do without a peer.
  void Settle();
  // The store as it is now survives the next crash.
  void Flush() { flushed_ = store_; }
  // Snapshot at the applied index, on disk with the store; the log in memory keeps `keep` entries
  // before it.
  void Compact(uint64_t keep);
  void Restart();
  // Of the store as it is; if that lags behind the log, what the log has.
  SnapshotPtr MakeSnapshot() const;

  // Messages ready to travel; the caller takes them.
  std::vector<Message> TakeOutbox();
  std::vector<ReadState> TakeReads();
  // The log in memory: disk plus queued writes.
  const Disk& memory_log() const { return memory_; }
  // Called for each applied entry, snapshots not included.
  std::function<void(const Member&, const Entry&)> on_apply;
  // Called for each Ready taken, after memory_log() has it; its messages and committed entries are
  // gone by then.
  std::function<void(const Member&, const Ready&)> on_ready;
  // Times it was restarted.
  int restarts() const { return restarts_; }

  // Writes handed out so far that asked for a sync.
  int syncs_requested() const { return syncs_requested_; }
  // Data of the normal, non-empty entries applied, in order.
  std::vector<std::string> AppliedData() const;

 private:
  void Start(Index applied);
  void ApplyEntry(const Entry& e);

  MemberOptions options_;
  std::unique_ptr<Random> random_;
  std::unique_ptr<MemoryStorage> storage_;
  std::unique_ptr<RawNode> node_;

  Disk disk_;
  HardState synced_;  // what of disk_.hard_state a power loss leaves
  Disk memory_;
  Store store_;
  Store flushed_;
  std::deque<Ready> writes_;
  // In the order the store takes them: entries, or a snapshot in their place.
  struct Batch {
    std::vector<Entry> entries;
    SnapshotPtr snapshot;
  };
  std::deque<Batch> batches_;
  std::vector<Message> outbox_;
  std::vector<ReadState> reads_;
  int syncs_requested_ = 0;
  int restarts_ = 0;
};

}  // namespace kvorum::raft::testing
