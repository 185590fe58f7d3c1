#pragma once
// RaftLoop: the one driver of raft::RawNode. Follow an entry from here: Propose -> inbox -> held
// until there is a leader -> RawNode -> Ready -> WalStage -> OnDurable -> Ready -> ApplyStage ->
// OnApplied.
//
// It never touches a disk and never waits for one, so ticks, heartbeats and read rounds go on while
// a sync is under way. What others need to know without asking it stands in atomics.
//
// Queues. Proposals: bounded in bytes, here and, while there is no leader or the log cannot keep
// up, in `held_`; beyond that Propose says no. A held proposal is given up at its deadline.
// Messages of other members: bounded in bytes; beyond that they are dropped, as raft allows.
// Everything else that comes in is bounded by what was sent out.
//
// Threads: Step on the stage, everything else public on any. Follows etcd
// server/etcdserver/raft.go.

#include <atomic>
#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <variant>
#include <vector>

#include "base/bounded_queue.h"
#include "base/clock.h"
#include "raft/raft.h"
#include "server/read_index.h"
#include "server/request_id.h"
#include "server/stage.h"
#include "server/wait_list.h"
#include "server/wal_stage.h"

namespace kvorum::server {

class RaftLoop : public Stage {
 public:
  // Of proposals in the inbox, and again of proposals held.
  static constexpr int64_t kProposalBytes = 64 << 20;
  // Of peers' messages in the inbox.
  static constexpr int64_t kMessageBytes = 128 << 20;
  // While a snapshot travels, and for a while after, the log behind it is kept for who gets it, up
  // to so many bytes.
  static constexpr Duration kSnapshotCatchup = std::chrono::seconds(30);
  static constexpr uint64_t kSnapshotCatchupBytes = 512 << 20;
  // Applied entries between two compactions of the log in memory.
  static constexpr uint64_t kCompactEvery = 100;
  // Of applied entries kept in memory for followers that lag, however few they are.
  static constexpr uint64_t kCatchupBytes = 64 << 20;

  struct Proposal {
    uint64_t request_id = 0;  // in the wait list
    TimePoint deadline;
    SharedBytes data;
  };
  struct Options {
    std::unique_ptr<Random> random;
    std::unique_ptr<raft::MemoryStorage> storage;
    std::unique_ptr<raft::RawNode> node;  // made on `storage` and `random`
    Clock* clock = nullptr;
    Duration tick_interval;
    uint64_t catchup_entries = 0;  // stay in memory below what is applied
  };
  // All must outlive the loop.
  struct Parts {
    WaitList* wait_list = nullptr;
    ReadIndexQueue* read_index = nullptr;
    RequestIdGenerator* request_ids = nullptr;
  };
  // Called on the loop's thread; must not block.
  struct Output {
    std::function<void(WalStage::Append)> append;
    std::function<bool()> log_congested;
    std::function<void(std::vector<LogEntry>)> apply;
    // A snapshot from the leader is durable in the log: its store is to be built now, before what
    // comes to `apply` next.
    std::function<void(raft::SnapshotPtr)> install;
    std::function<void(std::vector<raft::Message>)> send;
    // This member has won or lost the leadership.
    std::function<void(bool is_leader)> on_leadership;
  };

  RaftLoop(Options options, const Parts& parts, Output output);

  // -- in -----------------------------------------------------------------------------------------
  // False: too many are waiting already. The loop may be woken by the caller's WakeupBatch only.
  [[nodiscard]] bool Propose(Proposal proposal);
  void ProposeConfChange(raftpb::ConfChange change);
  // A message of another member, from the network. False: dropped, there are too many already.
  bool Receive(raft::Message message);
  // Runs `work` on the loop's thread, between two events; for what is asked seldom: leadership
  // transfers, reports of the transport, the progress of followers. Must not block. False, with
  // nothing done, after Close.
  bool Run(std::function<void(raft::RawNode&)> work);
  // The transport has finished, or lost, a snapshot that went out by `send`.
  void OnSnapshotSent(MemberId to, bool ok);
  // There are new reads in the ReadIndexQueue.
  void WakeForReads();
  void OnDurable(WalStage::Durable durable);
  // The change committed at `index` was applied to the members, or refused (node id 0). In order,
  // before OnApplied of `index`.
  void OnConfChange(Index index, raftpb::ConfChange change);
  void OnApplied(Index index);

  bool Step(Wait wait) override;
  void Wake() override { inbox_.Wake(); }
  // Does what is queued, takes nothing any more, and hands over what it keeps back. After the last
  // Step.
  void Close();

  // -- published ----------------------------------------------------------------------------------
  MemberId leader() const { return MemberId(leader_.load(std::memory_order_relaxed)); }
  bool is_leader() const { return leader() == id_; }
  Index committed() const { return Index(committed_.load(std::memory_order_acquire)); }
  Term term() const { return Term(term_.load(std::memory_order_relaxed)); }
  // Set while this member leads alone: what is applied up to here may be read without a round.
  std::optional<Index> sole_voter_read_point() const;
  // When the loop last ticked; an old one means that it does not run.
  TimePoint last_tick() const { return TimePoint(Duration(last_tick_.load())); }
  // Whether it ticked less than three intervals ago, so would know of another leader.
  bool active(TimePoint now) const { return now - last_tick() < 3 * options_.tick_interval; }

 private:
  struct ReadsWaiting {};
  struct Applied {
    Index index;
  };
  struct ConfChangeApplied {
    Index index;
    raftpb::ConfChange change;
  };
  struct ConfChangeProposal {
    raftpb::ConfChange change;
  };
  struct Received {
    raft::Message message;
    int64_t cost = 0;
  };
  using Work = std::function<void(raft::RawNode&)>;
  using Event = std::variant<Proposal, ConfChangeProposal, Received, Work, ReadsWaiting,
                             WalStage::Durable, ConfChangeApplied, Applied>;

  void Handle(Proposal& proposal);
  void Handle(ConfChangeProposal& proposal);
  void Handle(Received& received);
  void Handle(Work& work) { work(node_); }
  void Handle(ReadsWaiting&) {}
  void Handle(WalStage::Durable& durable);
  void Handle(ConfChangeApplied& applied);
  void Handle(Applied& applied);

  void FlushDeferred();
  bool TickIfDue(TimePoint now);
  void ExpireHeld(TimePoint now);
  void CampaignIfAlone();
  void ProposeHeld();
  void AskReadIndex(TimePoint now);
  void HandleReady(raft::Ready ready);
  void OnSoftState(const raft::SoftState& state);
  void WriteReady(raft::Ready& ready);
  void HandOutCommitted(std::vector<LogEntry> entries);
  void CompactMemory(Index applied);
  bool KeepsForSnapshot() const;
  Index LastToForget(Index applied);
  void Send(std::vector<raft::Message> messages);
  void Publish();

  // Constant after construction.
  const MemberId id_;
  const Options options_;
  const Parts parts_;
  const Output output_;
  raft::MemoryStorage& storage_;
  raft::RawNode& node_;

  BoundedQueue<Event> inbox_{kProposalBytes};
  std::atomic<int64_t> received_bytes_{0};  // of messages in it

  // The loop's alone.
  TimePoint next_tick_;
  std::deque<Proposal> held_;
  int64_t held_bytes_ = 0;
  // Writes that nobody waits for, a moved commit index alone: they travel with the next write that
  // somebody waits for, or at the next tick, and cost no wake-up of their own.
  WalStage::Append deferred_;
  int snapshots_under_way_ = 0;
  TimePoint keep_log_until_;
  bool retry_reads_ = false;
  bool was_leader_ = false;
  bool stepped_ = false;
  // Payload bytes handed out up to an index, since the start; what Compact goes by.
  struct Mark {
    Index index;
    uint64_t bytes = 0;
  };
  std::deque<Mark> marks_;
  uint64_t bytes_handed_out_ = 0;
  Index conf_change_under_way_;                    // handed out and not yet applied; 0: none
  std::vector<raft::Message> messages_held_back_;  // meanwhile

  // Written by the loop, read by any.
  std::atomic<uint64_t> leader_{0};
  std::atomic<uint64_t> term_{0};
  std::atomic<uint64_t> committed_{0};
  std::atomic<uint64_t> read_point_{0};  // 0: none, so one number says both
  std::atomic<Duration::rep> last_tick_{0};
};

}  // namespace kvorum::server
