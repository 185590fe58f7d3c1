#pragma once
// EtcdServer: the one implementation of Server. It owns the stages, connects their inputs and
// outputs, and answers what needs no stage. Read the constructor for the wiring, Step for how a
// test drives a whole member on one thread, Stop for the order of the end.

#include <absl/base/thread_annotations.h>
#include <absl/synchronization/mutex.h>

#include <memory>
#include <vector>

#include "server/apply/alarm_applier.h"
#include "server/apply/backend_applier.h"
#include "server/apply/quota.h"
#include "server/apply_stage.h"
#include "server/bootstrap.h"
#include "server/compaction_runner.h"
#include "server/compactor/auto_compactor.h"
#include "server/corruption/compact_hash_checker.h"
#include "server/corruption/member_hashes.h"
#include "server/defragmenter.h"
#include "server/delayed_calls.h"
#include "server/job_stage.h"
#include "server/leader_transfers.h"
#include "server/lease_calls.h"
#include "server/lease_scheduler.h"
#include "server/member_calls.h"
#include "server/own_snapshot.h"
#include "server/peer_service.h"
#include "server/proposer.h"
#include "server/publisher.h"
#include "server/raft_loop.h"
#include "server/read_index.h"
#include "server/read_pool.h"
#include "server/replicated_state.h"
#include "server/request_id.h"
#include "server/server.h"
#include "server/version_monitor.h"
#include "server/wait_list.h"
#include "server/wal_stage.h"

namespace kvorum::server {

class EtcdServer final : public Server {
 public:
  // As Server::Open, for those who step the stages themselves.
  static StatusOr<std::unique_ptr<EtcdServer>> OpenStepped(const Config& config,
                                                           const Dependencies& deps);
  // Without Stop() this is what a crash leaves behind: nothing is synced or flushed.
  ~EtcdServer() override;

  // Instead of Start(): steps every stage once; false if none had anything to do. Time passes on
  // `deps.clock` only.
  bool Step();
  // One of them, by number.
  static constexpr size_t kStages = 6;
  bool StepStage(size_t stage);
  // Lets the other members in; part of Start().
  void StartPeers() { peers_.Start(neighbours_); }
  // Whether the member's attributes are applied; WaitReady without waiting.
  bool ready() const { return publisher_.ready(); }
  ReplicatedState& state() { return *state_; }

  void Start() override;
  bool WaitReady() override { return publisher_.WaitReady(); }
  void Stop() override;

  void Propose(std::unique_ptr<etcdserverpb::InternalRaftRequest> request, TimePoint deadline,
               ProposalWaiter* waiter) override;
  void Refuse(const etcdserverpb::InternalRaftRequest& request, Error malformed, TimePoint deadline,
              ProposalWaiter* waiter) override;
  bool Abandon(ProposalWaiter* waiter) override { return wait_list_.Abandon(waiter); }
  void WaitCompacted(Waiter* waiter) override;

  bool ReadIndexNow() override;
  void ReadIndex(TimePoint deadline, Waiter* waiter) override;
  bool Abandon(Waiter* read_waiter) override;
  Error Range(const etcdserverpb::RangeRequest& request, RangeResult* result) override;
  std::optional<Error> RangeInMemory(const etcdserverpb::RangeRequest& request,
                                     RangeResult* result) override;
  Error RangePiece(const etcdserverpb::RangeRequest& request, bool with_count,
                   RangeResult* result) override;
  Error ReadOnlyTxn(const etcdserverpb::TxnRequest& request,
                    etcdserverpb::TxnResponse* response) override;
  std::optional<Error> ReadOnlyTxnInMemory(const etcdserverpb::TxnRequest& request,
                                           etcdserverpb::TxnResponse* response) override;
  Error HashKv(Revision revision, etcdserverpb::HashKVResponse* response) override;
  Error Hash(etcdserverpb::HashResponse* response) override;
  bool RunOnReadPool(std::function<void()> work) override;

  std::unique_ptr<DatabaseExport> NewDatabaseExport() override;
  void Defragment(Waiter* waiter) override;
  bool AbandonDefragment(Waiter* waiter) override { return defragmenter_.Abandon(waiter); }

  void MoveLeader(MemberId target, TimePoint deadline, Waiter* waiter) override {
    transfers_.Begin(target, deadline, waiter);
  }
  bool AbandonMoveLeader(Waiter* waiter) override { return transfers_.Abandon(waiter); }

  mvcc::WatchableStore& watchable_store() override { return state_->watches(); }
  LeaseId NewLeaseId() override { return request_ids_.NextLeaseId(); }
  void LeaseRenew(LeaseId id, TimePoint deadline, LeaseRenewWaiter* waiter) override;
  void LeaseTimeToLive(LeaseId id, bool with_keys, TimePoint deadline,
                       LeaseTimeToLiveWaiter* waiter) override;
  std::vector<LeaseId> Leases() override { return state_->lessor().Leases(); }
  std::vector<MemberInfo> Members() override { return state_->membership().Members(); }
  void ChangeMember(const MemberChange& change, TimePoint deadline,
                    ProposalWaiter* waiter) override {
    members_.Change(change, deadline, waiter);
  }
  std::vector<etcdserverpb::AlarmMember> Alarms() override;

  ServerStatus status() override;
  MemberId member_id() const override { return identity_.member; }
  ClusterId cluster_id() const override { return identity_.cluster; }
  Term term() const override { return apply_.term(); }
  Revision revision() const override { return state_->store()->current_revision(); }
  bool has_leader() const override { return raft_.leader() != raft::kNone; }
  bool is_learner() const override { return state_->membership().IsLearner(identity_.member); }
  std::string cluster_version() const override { return state_->membership().cluster_version(); }
  const Config& config() const override { return config_; }
  void CollectMetrics(metrics::Samples* samples) override;

 private:
  // The watch stage in the form of the others.
  class WatchShell : public Stage {
   public:
    WatchShell(mvcc::WatchableStore& watches, const Clock& clock)
        : watches_(watches), clock_(clock) {}
    bool Step(Wait wait) override;
    void Wake() override { watches_.Wake(); }

   private:
    mvcc::WatchableStore& watches_;
    const Clock& clock_;
  };

  EtcdServer(const Config& config, const Dependencies& deps, Recovered recovered,
             std::unique_ptr<ReplicatedState> state, RaftLoop::Options raft);

  Status CheckHistory();
  RaftLoop::Output RaftOutput();
  WalStage::Output WalOutput();
  ApplyStage::Output ApplyOutput();
  void AddJobs();
  void CollectIdentity(metrics::Samples* samples);
  void AddAutoCompaction();
  void AddCompactHashCheck();
  // Tells everybody who waits that the server stops.
  void EndCalls();
  void OnTermStarted(Term term);
  // Builds the store of a snapshot from the leader, and puts it in the place of the present one.
  raft::EntryId Install(const raft::Snapshot& snapshot);
  TimePoint RemoveFormerStores(TimePoint now);
  // This member was removed from the cluster.
  void OnRemoved();
  TimePoint EndIfRemoved(TimePoint now);
  std::optional<MemberId> LongestConnectedVoter() const;
  // Hands the leadership over, if there is another voter to take it; blocks until it has.
  void TransferLeadership();
  // A member of several does not wait a whole election timeout when it starts.
  TimePoint AdvanceTicks(TimePoint now);
  TimePoint PurgeFiles(TimePoint now);
  TimePoint FlushStore(TimePoint now);
  // A fault of the disk met by one read: the store is not to be trusted any more, or the read
  // failed.
  Error OnReadFault(const Status& status);

  // Constant after construction.
  const Config config_;
  const Dependencies deps_;
  const DataPaths paths_;
  const mvcc::StoreIdentity identity_;

  // Synchronise themselves; the stages refer to them.
  const std::unique_ptr<ReplicatedState> state_;
  RequestIdGenerator request_ids_;
  WaitList wait_list_;
  ReadIndexQueue read_index_;
  Quota quota_;

  // Stages, and what they alone use.
  WalStage wal_;
  RaftLoop raft_;
  OwnSnapshots snapshots_;
  BackendApplier backend_applier_;
  QuotaApplier quota_applier_;
  AlarmApplier alarm_applier_;
  EntryApplier entry_applier_;
  ApplyStage apply_;
  WatchShell watch_;
  JobStage timers_;
  JobStage maintenance_;

  // Calls on top of them.
  Proposer proposer_;
  Publisher publisher_;
  VersionMonitor versions_;
  size_t version_job_ = 0;
  DelayedCalls delayed_;
  size_t delayed_job_ = 0;
  LeaseCalls leases_;
  MemberCalls members_;
  PeerService peers_;
  const std::vector<MemberInfo> neighbours_;
  TimePoint advance_until_;  // of the job that moves the first election nearer
  LeaderTransfers transfers_;
  size_t transfer_job_ = 0;
  LeaseScheduler lease_scheduler_;
  size_t lease_job_ = 0;
  std::unique_ptr<AutoCompactor> auto_compactor_;  // null: off
  size_t auto_compaction_job_ = 0;
  std::unique_ptr<MemberHashes> member_hashes_;       // null: there are no other members
  std::unique_ptr<CompactHashChecker> hash_checker_;  // null: off
  size_t hash_check_job_ = 0;
  CurrentCompactor compactor_;
  CompactionRunner compactions_;
  Defragmenter defragmenter_;
  size_t compaction_job_ = 0;
  size_t former_store_job_ = 0;
  // Stores that were replaced and may still be read.
  absl::Mutex former_mutex_;
  std::vector<std::weak_ptr<mvcc::Store>> former_stores_ ABSL_GUARDED_BY(former_mutex_);
  size_t defragment_job_ = 0;
  ReadPool read_pool_;
  bool started_ = false;  // by Start, not stepped

  std::atomic<bool> stopped_ = false;
  std::atomic<bool> removed_ = false;
  TimePoint end_at_;  // of a removed member; the timers'
  size_t end_job_ = 0;
  std::vector<std::unique_ptr<StageThread>> threads_;  // in the order of Stop
};

}  // namespace kvorum::server
