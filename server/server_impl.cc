#include "server/server_impl.h"

#include <absl/synchronization/notification.h>

#include <algorithm>
#include <thread>
#include <utility>

#include "base/check.h"
#include "base/log.h"
#include "base/strings.h"
#include "server/apply/txn.h"
#include "server/fatal.h"
#include "server/member_database.h"
#include "server/metrics.h"
#include "server/own_call.h"
#include "server/range.h"
#include "server/received_snapshot.h"
#include "wal/snap/snap_db.h"

namespace kvorum::server {
namespace {

constexpr Duration kPurgeInterval = std::chrono::seconds(30);
// So that a restart has little to apply again, however slowly a snapshot's count is reached.
constexpr Duration kFlushInterval = std::chrono::seconds(30);
constexpr Duration kFormerStoreInterval = std::chrono::seconds(1);
constexpr Duration kRemovedGrace = std::chrono::seconds(1);
// When a member starts, for how long and how often it looks for the others.
constexpr Duration kAdvanceWindow = std::chrono::seconds(5);
constexpr Duration kAdvancePoll = std::chrono::milliseconds(50);
constexpr size_t kMaxWalFiles = 5;
constexpr size_t kMaxSnapFiles = 5;
constexpr size_t kRaftThread = 2;  // in the order of their start

void TraceRaft(raft::TraceLevel trace_level, std::string_view text) {
  const log::Level level = trace_level == raft::TraceLevel::kDebug  ? log::Level::kDebug
                           : trace_level == raft::TraceLevel::kInfo ? log::Level::kInfo
                                                                    : log::Level::kWarn;
  if (log::Enabled(level)) log::WriteNamed("raft", level, text, {});
}

StatusOr<RaftLoop::Options> MakeRaft(Recovered& recovered, const Config& config,
                                     const Dependencies& deps) {
  RaftLoop::Options options;
  options.storage = std::move(recovered.storage);
  options.random = deps.new_random();
  raft::Config raft;
  raft.id = recovered.identity.member;
  raft.election_timeout_ticks = static_cast<int>(config.election_ticks());
  raft.pre_vote = config.pre_vote;
  raft.storage = options.storage.get();
  raft.applied = recovered.applied;
  raft.random = options.random.get();
  raft.trace = TraceRaft;
  ASSIGN_OR_RETURN(options.node, raft::RawNode::Create(raft));
  options.clock = deps.clock;
  options.tick_interval = std::chrono::milliseconds(config.heartbeat_interval_ms);
  options.catchup_entries = config.snapshot_catchup_entries;
  return options;
}

}  // namespace

// ---- Life ---------------------------------------------------------------------------------------

StatusOr<std::unique_ptr<Server>> Server::Open(const Config& config, const Dependencies& deps) {
  return EtcdServer::OpenStepped(config, deps);
}

StatusOr<std::unique_ptr<EtcdServer>> EtcdServer::OpenStepped(const Config& config,
                                                              const Dependencies& deps) {
  RETURN_IF_ERROR(
      ParseCompactionRetention(config.auto_compaction_mode, config.auto_compaction_retention)
          .status());
  ASSIGN_OR_RETURN(Recovered recovered, Bootstrap(config, *deps.env, *deps.clock, deps.peers));
  if (deps.peers != nullptr) {
    RETURN_IF_ERROR(deps.peers->Open(recovered.identity.member, recovered.identity.cluster));
  }
  ASSIGN_OR_RETURN(auto state,
                   ReplicatedState::Open(recovered, config, *deps.clock, deps.new_random()));
  ASSIGN_OR_RETURN(RaftLoop::Options raft, MakeRaft(recovered, config, deps));
  const bool check = config.initial_corrupt_check && !recovered.fresh;
  std::unique_ptr<EtcdServer> server(
      new EtcdServer(config, deps, std::move(recovered), std::move(state), std::move(raft)));
  if (check) RETURN_IF_ERROR(server->CheckHistory());
  return server;
}

// What is there can be read, to its last row. With other members their hashes would be compared.
Status EtcdServer::CheckHistory() {
  const MemberId self = identity_.member;
  LOG_INFO("starting initial corruption check", {"local-member-id", HexId(self)},
           {"timeout", config_.request_timeout()});
  RETURN_IF_ERROR(state_->store()->HashKv(Revision(0)).status(),
                  HexId(self) + " failed to fetch hash");
  LOG_INFO("initial corruption checking passed; no corruption", {"local-member-id", HexId(self)});
  return absl::OkStatus();
}

EtcdServer::EtcdServer(const Config& config, const Dependencies& deps, Recovered recovered,
                       std::unique_ptr<ReplicatedState> state, RaftLoop::Options raft)
    : config_(config),
      deps_(deps),
      paths_(DataPaths::Of(config)),
      identity_(recovered.identity),
      state_(std::move(state)),
      request_ids_(identity_.member, deps.clock->WallNow()),
      read_index_(config.request_timeout()),
      quota_(config.quota_backend_bytes, state_->store()),
      wal_(std::move(recovered.wal), wal::snap::Snapshotter(*deps.env, paths_.snap),
           recovered.written, WalOutput()),
      raft_(std::move(raft),
            {.wait_list = &wait_list_, .read_index = &read_index_, .request_ids = &request_ids_},
            RaftOutput()),
      snapshots_(config.snapshot_count, recovered.snapshot_index, state_->store(),
                 state_->membership(),
                 [this](WalStage::OwnSnapshot own) { wal_.Push(std::move(own)); }),
      backend_applier_(state_->store(), state_->lessor(), state_->alarms()),
      quota_applier_(backend_applier_, quota_),
      alarm_applier_(quota_applier_, state_->alarms()),
      entry_applier_(alarm_applier_, state_->membership(), wait_list_),
      apply_({.store = &state_->store(),
              .entries = &entry_applier_,
              .membership = &state_->membership(),
              .snapshots = &snapshots_,
              .wait_list = &wait_list_,
              .read_index = &read_index_,
              .clock = deps.clock,
              .expected_duration = config_.warning_apply_duration},
             ApplyOutput()),
      watch_(state_->watches(), *deps.clock),
      timers_(*deps.clock),
      maintenance_(*deps.clock),
      proposer_({.config = &config_,
                 .self = identity_.member,
                 .clock = deps.clock,
                 .quota = &quota_,
                 .alarms = &state_->alarms(),
                 .request_ids = &request_ids_,
                 .wait_list = &wait_list_,
                 .raft = &raft_,
                 .apply = &apply_}),
      publisher_(config_, identity_.cluster, state_->membership(), proposer_),
      versions_({.membership = &state_->membership(),
                 .raft = &raft_,
                 .proposer = &proposer_,
                 .peers = deps.peers}),
      delayed_(*deps.clock, [this] { timers_.RunSoon(delayed_job_); }),
      leases_({.clock = deps.clock,
               .lessor = &state_->lessor(),
               .raft = &raft_,
               .apply = &apply_,
               .proposer = &proposer_,
               .wait_read_index = [this](TimePoint deadline,
                                         Waiter* waiter) { ReadIndex(deadline, waiter); },
               .fast_keep_alive = config.fast_lease_keep_alive,
               .membership = &state_->membership(),
               .peers = deps.peers,
               .delayed = &delayed_,
               .election_timeout = std::chrono::milliseconds(config.election_timeout_ms)}),
      members_({.config = &config_,
                .clock = deps.clock,
                .membership = &state_->membership(),
                .request_ids = &request_ids_,
                .wait_list = &wait_list_,
                .raft = &raft_,
                .apply = &apply_,
                .peers = deps.peers}),
      peers_({.config = &config_,
              .env = deps.env,
              .clock = deps.clock,
              .snap_dir = paths_.snap,
              .membership = &state_->membership(),
              .store = &state_->store(),
              .raft = &raft_,
              .peers = deps.peers,
              .server = this,
              .leases = &leases_,
              .on_removed = [this] { OnRemoved(); }}),
      neighbours_(std::move(recovered.neighbours)),
      transfers_({.self = identity_.member,
                  .clock = deps.clock,
                  .interval = std::chrono::milliseconds(config.heartbeat_interval_ms),
                  .leader = [this] { return raft_.leader(); },
                  .is_voter =
                      [this](MemberId id) {
                        const std::optional<MemberInfo> member = state_->membership().Find(id);
                        return member && !member->is_learner;
                      },
                  .transfer =
                      [this](MemberId target) {
                        raft_.Run([target](raft::RawNode& node) { node.TransferLeader(target); });
                      },
                  .run_soon = [this] { timers_.RunSoon(transfer_job_); }}),
      lease_scheduler_({.self = identity_.member,
                        .lessor = &state_->lessor(),
                        .raft = &raft_,
                        .proposer = &proposer_,
                        .run_soon = [this] { timers_.RunSoon(lease_job_); }}),
      compactor_(state_->store(), *deps.clock),
      compactions_(state_->store(), state_->watches(), compactor_, *deps.clock,
                   [this] { apply_.RequestCommit(); }),
      defragmenter_({.store = &state_->store(),
                     .compactor = &compactor_,
                     .clock = deps.clock,
                     .path = paths_.member,
                     .request_commit = [this] { apply_.RequestCommit(); }}) {
  AddJobs();
  AddIdleMetrics();
  state_->SetFlushListener([this] {
    apply_.OnFlushed();
    maintenance_.RunSoon(compaction_job_);
  });
  const uint64_t threshold_bytes = config_.bootstrap_defrag_threshold_bytes;
  if (threshold_bytes > 0 && defragmenter_.WantAtStart(threshold_bytes)) {
    maintenance_.RunSoon(defragment_job_);
  }
}

EtcdServer::~EtcdServer() {
  if (!threads_.empty()) Stop();
  peers_.Stop();
  EndCalls();
  state_->SetFlushListener({});
}

void EtcdServer::EndCalls() {
  publisher_.Stop();
  delayed_.Close();
  wait_list_.Close(Error::kStopped);
  read_index_.Close(Error::kStopped);
  transfers_.Close(Error::kStopped);
  compactions_.Close(Error::kStopped);
  defragmenter_.Close(Error::kStopped);
}

WalStage::Output EtcdServer::WalOutput() {
  return {.on_durable = [this](WalStage::Durable done) { raft_.OnDurable(std::move(done)); }};
}

RaftLoop::Output EtcdServer::RaftOutput() {
  return {
      .append = [this](WalStage::Append append) { wal_.Push(std::move(append)); },
      .log_congested = [this] { return wal_.congested(); },
      .apply = [this](std::vector<LogEntry> entries) { apply_.Push(std::move(entries)); },
      .install = [this](raft::SnapshotPtr snapshot) { apply_.Push(std::move(snapshot)); },
      .send = [this](std::vector<raft::Message> messages) { peers_.Send(std::move(messages)); },
      .on_leadership =
          [this](bool leads) {
            if (!leads) state_->lessor().Demote();
          },
  };
}

ApplyStage::Output EtcdServer::ApplyOutput() {
  return {
      .on_conf_change =
          [this](Index index, raftpb::ConfChange change) {
            peers_.OnConfChange(change);
            raft_.OnConfChange(index, std::move(change));
          },
      .on_applied = [this](Index index) { raft_.OnApplied(index); },
      .on_term_started = [this](Term term) { OnTermStarted(term); },
      .on_compaction = [this] { maintenance_.RunSoon(compaction_job_); },
      .install = [this](const raft::SnapshotPtr& snapshot) { return Install(*snapshot); },
      .raise_no_space = [this](const std::vector<uint64_t>& ids) { proposer_.RaiseNoSpace(ids); },
  };
}

void EtcdServer::AddJobs() {
  timers_.Add([this](TimePoint now) { return publisher_.Step(now); });
  version_job_ = timers_.Add([this](TimePoint now) { return versions_.Step(now); });
  timers_.Add([this](TimePoint now) { return AdvanceTicks(now); });
  delayed_job_ = timers_.Add([this](TimePoint now) { return delayed_.Step(now); });
  end_job_ = timers_.Add([this](TimePoint now) { return EndIfRemoved(now); });
  lease_job_ = timers_.Add([this](TimePoint now) { return lease_scheduler_.Step(now); });
  transfer_job_ = timers_.Add([this](TimePoint now) { return transfers_.Step(now); });
  AddAutoCompaction();
  AddCompactHashCheck();
  compaction_job_ = maintenance_.Add([this](TimePoint now) { return compactions_.Step(now); });
  defragment_job_ = maintenance_.Add([this](TimePoint now) { return defragmenter_.Step(now); });
  maintenance_.Add([this](TimePoint now) { return PurgeFiles(now); });
  former_store_job_ = maintenance_.Add([this](TimePoint now) { return RemoveFormerStores(now); });
  maintenance_.Add([this](TimePoint now) { return FlushStore(now); });
}

void EtcdServer::AddAutoCompaction() {
  const auto retention =
      ParseCompactionRetention(config_.auto_compaction_mode, config_.auto_compaction_retention);
  CHECK(retention.ok()) << retention.status();  // OpenStepped has looked
  auto_compactor_ = AutoCompactor::New(
      *retention, {.revision = [this] { return state_->store()->current_revision(); },
                   .leads = [this] { return raft_.is_leader(); },
                   .compact =
                       [this](Revision revision, OnDone done) {
                         etcdserverpb::InternalRaftRequest request;
                         request.mutable_compaction()->set_revision(revision.value());
                         proposer_.ProposeOwn(std::move(request), std::move(done));
                       },
                   .run_soon = [this] { timers_.RunSoon(auto_compaction_job_); }});
  if (auto_compactor_ == nullptr) return;
  auto_compaction_job_ = timers_.Add([this](TimePoint now) { return auto_compactor_->Step(now); });
}

void EtcdServer::AddCompactHashCheck() {
  if (!config_.compact_hash_check) return;
  if (deps_.peers != nullptr) {
    member_hashes_ = std::make_unique<MemberHashes>(state_->membership(), *deps_.peers);
  }
  hash_checker_ = std::make_unique<CompactHashChecker>(CompactHashChecker::Parts{
      .self = identity_.member,
      .interval = config_.compact_hash_check_time,
      .timeout = config_.request_timeout(),
      .leads = [this] { return raft_.is_leader(); },
      .hashes = [this] { return state_->store()->compaction_hashes(); },
      .peers = member_hashes_.get(),
      .raise_corrupt =
          [this](MemberId id) {
            etcdserverpb::InternalRaftRequest request;
            request.mutable_alarm()->set_action(etcdserverpb::AlarmRequest::ACTIVATE);
            request.mutable_alarm()->set_memberid(id.value());
            request.mutable_alarm()->set_alarm(etcdserverpb::CORRUPT);
            proposer_.ProposeOwn(std::move(request), [](Error) {});
          },
      .run_soon = [this] { timers_.RunSoon(hash_check_job_); }});
  hash_check_job_ = timers_.Add([this](TimePoint now) { return hash_checker_->Step(now); });
}

// Only now has a new leader everything its predecessors committed, so only now does it know all
// leases.
void EtcdServer::OnTermStarted(Term term) {
  if (!raft_.is_leader() || raft_.term() != term) return;
  state_->lessor().Promote(std::chrono::milliseconds(config_.election_timeout_ms));
  // The loop may have lost the leadership meanwhile, and its demotion come first.
  if (!raft_.is_leader()) state_->lessor().Demote();
  timers_.RunSoon(lease_job_);  // which spreads expiries, if there are many leases
  timers_.RunSoon(version_job_);
}

raft::EntryId EtcdServer::Install(const raft::Snapshot& snapshot) {
  const Index index = snapshot.metadata.index;
  LOG_INFO("applying snapshot", {"current-applied-index", apply_.applied().value()},
           {"incoming-leader-snapshot-index", index.value()},
           {"incoming-leader-snapshot-term", snapshot.metadata.term.value()});
  auto backend = InstallReceivedDatabase(*deps_.env, paths_, identity_, index);
  if (!backend.ok()) {
    Fatal("failed to build the store from a received snapshot", {{"error", backend.status()}});
  }
  {
    absl::MutexLock lock(&former_mutex_);
    former_stores_.push_back(state_->store().Get());
  }
  const Status replaced = state_->Replace(*std::move(backend));
  if (!replaced.ok()) Fatal("failed to open a received snapshot", {{"error", replaced}});
  peers_.OnMembersReplaced();
  maintenance_.RunSoon(compaction_job_);
  maintenance_.RunSoon(former_store_job_);
  const mvcc::CommitPosition position = state_->store()->opened_at();
  LOG_INFO("applied snapshot", {"current-applied-index", position.index.value()},
           {"incoming-leader-snapshot-index", index.value()},
           {"incoming-leader-snapshot-term", snapshot.metadata.term.value()});
  return {.term = position.term, .index = position.index};
}

// Their files go when their last reader has.
TimePoint EtcdServer::RemoveFormerStores(TimePoint now) {
  {
    absl::MutexLock lock(&former_mutex_);
    if (former_stores_.empty()) return TimePoint::max();
    for (const auto& store : former_stores_) {
      if (!store.expired()) return now + kFormerStoreInterval;
    }
    former_stores_.clear();
  }
  const Status removed = mvcc::RemoveStaleStoreDirs(*deps_.env, paths_.member);
  if (!removed.ok()) LOG_WARN("failed to remove a former store", {"error", removed});
  return TimePoint::max();
}

void EtcdServer::OnRemoved() {
  if (!removed_.exchange(true)) timers_.RunSoon(end_job_);
}

// Time for the others to hear that the change was applied here.
TimePoint EtcdServer::EndIfRemoved(TimePoint now) {
  if (!removed_) return TimePoint::max();
  if (end_at_ == TimePoint()) {
    LOG_WARN("server error", {"error", "the member has been permanently removed from the cluster"});
    LOG_WARN("data-dir used by this member must be removed");
    end_at_ = now + kRemovedGrace;
  }
  if (now < end_at_) return end_at_;
  publisher_.Stop();
  if (deps_.on_end) deps_.on_end();
  return TimePoint::max();
}

// Members that start together would otherwise be without a leader for longer than need be; but one
// alone, or one of two, would only disturb.
TimePoint EtcdServer::AdvanceTicks(TimePoint now) {
  if (deps_.peers == nullptr || !config_.initial_election_tick_advance) return TimePoint::max();
  if (advance_until_ == TimePoint()) advance_until_ = now + kAdvanceWindow;
  int active = 0;
  for (const MemberInfo& member : state_->membership().Members()) {
    if (member.id != identity_.member && deps_.peers->ActiveSince(member.id)) ++active;
  }
  if (active <= 1) return now < advance_until_ ? now + kAdvancePoll : TimePoint::max();
  const int ticks = static_cast<int>(config_.election_ticks()) - 2;
  LOG_INFO("initialized peer connections; fast-forwarding election ticks",
           {"local-member-id", HexId(identity_.member)}, {"forward-ticks", ticks},
           {"active-remote-members", active});
  raft_.Run([ticks](raft::RawNode& node) {
    if (node.leader() != raft::kNone) return;
    for (int i = 0; i < ticks; ++i) node.Tick();
  });
  return TimePoint::max();
}

TimePoint EtcdServer::PurgeFiles(TimePoint now) {
  Env& env = *deps_.env;
  const auto report = [](const StatusOr<std::vector<std::string>>& purged) {
    if (!purged.ok()) {
      LOG_WARN("failed to purge files", {"error", purged.status()});
      return;
    }
    for (const std::string& name : *purged) LOG_INFO("purged", {"path", name});
  };
  report(wal::PurgeSegments(env, paths_.wal, kMaxWalFiles));
  report(wal::snap::PurgeSnapFiles(env, paths_.snap, "snap", kMaxSnapFiles));
  report(wal::snap::PurgeSnapFiles(env, paths_.snap, "snap.db", kMaxSnapFiles));
  return now + kPurgeInterval;
}

TimePoint EtcdServer::FlushStore(TimePoint now) {
  const std::shared_ptr<mvcc::Store> store = state_->store().Get();
  mvcc::Backend& backend = store->backend();
  const StatusOr<Index> flushed = backend.FlushedIndex();
  Status status = flushed.status();
  if (flushed.ok() && *flushed < apply_.applied()) status = backend.RequestFlush();
  if (!status.ok()) LOG_WARN("failed to flush the store", {"error", status});
  return now + kFlushInterval;
}

bool EtcdServer::WatchShell::Step(Wait wait) {
  const TimePoint now = clock_.Now();
  const StatusOr<TimePoint> next = watches_.Step(now);
  if (!next.ok()) Fatal("failed to read the store for watches", {{"error", next.status()}});
  if (*next <= now) return true;
  if (wait == Wait::kYes) watches_.Wait(*next);
  return false;
}

bool EtcdServer::StepStage(size_t stage) {
  Stage* const stages[kStages] = {&timers_, &raft_, &wal_, &apply_, &watch_, &maintenance_};
  return stages[stage]->Step(Wait::kNo);
}

bool EtcdServer::Step() {
  bool any = false;
  for (size_t stage = 0; stage < kStages; ++stage) any |= StepStage(stage);
  return any;
}

void EtcdServer::Start() {
  started_ = true;
  StartPeers();  // before the first change of the configuration is applied
  read_pool_.Start(std::max(2u, std::thread::hardware_concurrency()));
  const auto start = [this](Stage& stage, const char* name) {
    threads_.push_back(std::make_unique<StageThread>(stage, name));
  };
  start(timers_, "timers");
  start(maintenance_, "maintenance");
  static_assert(kRaftThread == 2);
  start(raft_, "raft");
  start(wal_, "wal");
  start(apply_, "apply");
  start(watch_, "watch");
}

// The voter that has been reachable for longest; nothing if none is.
std::optional<MemberId> EtcdServer::LongestConnectedVoter() const {
  std::optional<TimePoint> oldest;
  std::optional<MemberId> found;
  if (deps_.peers == nullptr) return found;
  for (const MemberInfo& member : state_->membership().Members()) {
    if (member.is_learner || member.id == identity_.member) continue;
    const std::optional<TimePoint> since = deps_.peers->ActiveSince(member.id);
    if (since && (!oldest || *since < *oldest)) {
      oldest = since;
      found = member.id;
    }
  }
  return found;
}

void EtcdServer::TransferLeadership() {
  const std::string self = HexId(identity_.member);
  const std::string current = HexId(raft_.leader());
  if (!raft_.is_leader()) {
    LOG_INFO("skipped leadership transfer; local server is not leader", {"local-member-id", self},
             {"current-leader-member-id", current});
    return;
  }
  if (state_->membership().conf_state().voters_size() <= 1) {
    LOG_INFO("skipped leadership transfer for single voting member cluster",
             {"local-member-id", self}, {"current-leader-member-id", current});
    return;
  }
  const std::optional<MemberId> target = LongestConnectedVoter();
  Error error = target ? Error::kOk : Error::kUnhealthy;
  if (target && started_) {  // else nobody would step the stages meanwhile
    absl::Notification done;
    transfers_.Begin(*target, deps_.clock->Now() + config_.request_timeout(),
                     NewOwnWait([&](Error outcome) {
                       error = outcome;
                       done.Notify();
                     }));
    done.WaitForNotification();
  }
  if (error != Error::kOk) {
    LOG_WARN("leadership transfer failed", {"local-member-id", self}, {"error", TextOf(error)});
  }
}

void EtcdServer::Stop() {
  if (stopped_.exchange(true)) return;
  TransferLeadership();
  EndCalls();
  peers_.Stop();
  // In the order of the pipeline, so that each finds all that the one before it has made.
  for (size_t i = 0; i < threads_.size(); ++i) {
    threads_[i]->Stop();
    if (i == kRaftThread) raft_.Close();
  }
  threads_.clear();
  read_pool_.Stop();
  state_->lessor().Demote();  // ends renewals that wait for a revocation
  // Spares the next start the replay; the log has it all anyway.
  const Status flushed = state_->store()->backend().Flush();
  if (!flushed.ok()) LOG_WARN("failed to flush the store", {"error", flushed});
  wal_.Close();
}

// ---- Calls --------------------------------------------------------------------------------------

void EtcdServer::Propose(std::unique_ptr<etcdserverpb::InternalRaftRequest> request,
                         TimePoint deadline, ProposalWaiter* waiter) {
  proposer_.Propose(std::move(request), deadline, waiter);
}

void EtcdServer::Refuse(const etcdserverpb::InternalRaftRequest& request, Error malformed,
                        TimePoint deadline, ProposalWaiter* waiter) {
  proposer_.Refuse(request, malformed, deadline, waiter);
}

void EtcdServer::WaitCompacted(Waiter* waiter) {
  if (compactions_.Wait(waiter)) maintenance_.RunSoon(compaction_job_);
}

void EtcdServer::Defragment(Waiter* waiter) {
  if (defragmenter_.Wait(waiter)) maintenance_.RunSoon(defragment_job_);
}

bool EtcdServer::ReadIndexNow() {
  const std::optional<Index> point = raft_.sole_voter_read_point();
  return point && apply_.applied() >= *point && !stopped_.load(std::memory_order_relaxed);
}

void EtcdServer::ReadIndex(TimePoint deadline, Waiter* waiter) {
  switch (read_index_.Add(deadline, waiter)) {
    case ReadIndexQueue::Added::kQueued:
      return;
    case ReadIndexQueue::Added::kWakeRaft:
      return raft_.WakeForReads();
    case ReadIndexQueue::Added::kClosed:
      break;
  }
  ResumeOne(waiter, Error::kStopped);
}

bool EtcdServer::Abandon(Waiter* read_waiter) {
  return read_index_.Abandon(read_waiter) || compactions_.Abandon(read_waiter);
}

Error EtcdServer::OnReadFault(const Status& status) {
  if (absl::IsDataLoss(status)) Fatal("the store is damaged", {{"error", status}});
  LOG_ERROR("failed to read the store", {"error", status});
  return Error::kInternal;
}

namespace {

class RangeMeter {
 public:
  void Count(bool success) const { CountRange(success, std::chrono::steady_clock::now() - begin_); }

 private:
  const TimePoint begin_ = std::chrono::steady_clock::now();
};

}  // namespace

Error EtcdServer::Range(const etcdserverpb::RangeRequest& request, RangeResult* result) {
  const auto read = [this](const mvcc::KeyRange& range, const mvcc::RangeOptions& options) {
    return state_->store()->Range(range, options);
  };
  const RangeMeter meter;
  const StatusOr<Error> error = ExecuteRange(request, read, result);
  meter.Count(error.ok() && *error == Error::kOk);
  return error.ok() ? *error : OnReadFault(error.status());
}

std::optional<Error> EtcdServer::RangeInMemory(const etcdserverpb::RangeRequest& request,
                                               RangeResult* result) {
  const RangeMeter meter;
  std::optional<mvcc::RangeResult> found = state_->store()->TryRangeInMemory(
      {.key = request.key(), .end = request.range_end()}, StoreOptionsOf(request));
  if (!found) return std::nullopt;
  const Error error = FromStore(found->error);
  if (error == Error::kOk) FinishRange(request, *std::move(found), result);
  meter.Count(error == Error::kOk);
  return error;
}

Error EtcdServer::RangePiece(const etcdserverpb::RangeRequest& request, bool with_count,
                             RangeResult* result) {
  const auto read = [&](const mvcc::KeyRange& range, mvcc::RangeOptions options) {
    options.uncounted = !with_count;
    return state_->store()->Range(range, options);
  };
  const StatusOr<Error> error = ExecuteRange(request, read, result);
  return error.ok() ? *error : OnReadFault(error.status());
}

Error EtcdServer::ReadOnlyTxn(const etcdserverpb::TxnRequest& request,
                              etcdserverpb::TxnResponse* response) {
  const StatusOr<Error> error = ReadTxn(request, *state_->store().Get(), response);
  return error.ok() ? *error : OnReadFault(error.status());
}

std::optional<Error> EtcdServer::ReadOnlyTxnInMemory(const etcdserverpb::TxnRequest& request,
                                                     etcdserverpb::TxnResponse* response) {
  return ReadTxnInMemory(request, *state_->store().Get(), response);
}

Error EtcdServer::HashKv(Revision revision, etcdserverpb::HashKVResponse* response) {
  const StatusOr<mvcc::HashKvResult> hash = state_->store()->HashKv(revision);
  if (!hash.ok()) return OnReadFault(hash.status());
  if (hash->error != mvcc::Error::kNone) return FromStore(hash->error);
  response->mutable_header()->set_revision(hash->current.value());
  response->set_hash(hash->hash);
  response->set_hash_revision(hash->hashed.value());
  response->set_compact_revision(hash->compacted.value());
  return Error::kOk;
}

Error EtcdServer::Hash(etcdserverpb::HashResponse* response) {
  const StatusOr<uint32_t> hash = state_->store()->Hash();
  if (!hash.ok()) return OnReadFault(hash.status());
  response->mutable_header()->set_revision(revision().value());
  response->set_hash(*hash);
  return Error::kOk;
}

std::unique_ptr<DatabaseExport> EtcdServer::NewDatabaseExport() {
  return std::make_unique<MemberDatabase>(
      state_->store().Get(), state_->membership().storage_version(),
      [this](const Status& fault) { return OnReadFault(fault); });
}

bool EtcdServer::RunOnReadPool(std::function<void()> work) {
  if (!started_) {
    work();  // whoever steps the stages is the only thread there is
    return true;
  }
  return read_pool_.Run(std::move(work));
}

void EtcdServer::LeaseRenew(LeaseId id, TimePoint deadline, LeaseRenewWaiter* waiter) {
  deadline = std::min(deadline, deps_.clock->Now() + config_.request_timeout());
  leases_.Renew(id, deadline, waiter);
}

void EtcdServer::LeaseTimeToLive(LeaseId id, bool with_keys, TimePoint deadline,
                                 LeaseTimeToLiveWaiter* waiter) {
  deadline = std::min(deadline, deps_.clock->Now() + config_.request_timeout());
  leases_.TimeToLive(id, with_keys, deadline, waiter);
}

std::vector<etcdserverpb::AlarmMember> EtcdServer::Alarms() {
  return state_->alarms().Get(etcdserverpb::NONE);
}

namespace {

// As Protobuf's text form has it: what is zero is left out.
std::string DescribeAlarm(const etcdserverpb::AlarmMember& alarm) {
  const std::string member =
      alarm.memberid() == 0 ? "" : StrCat("memberID:", alarm.memberid(), " ");
  const std::string& name = etcdserverpb::AlarmType_Name(alarm.alarm());
  return StrCat(member, "alarm:", name.empty() ? std::to_string(alarm.alarm()) : name);
}

}  // namespace

ServerStatus EtcdServer::status() {
  const std::shared_ptr<mvcc::Store> store = state_->store().Get();
  ServerStatus status;
  status.db_size_bytes = store->size_bytes();
  status.db_size_in_use_bytes = store->size_in_use_bytes();
  status.db_size_quota_bytes =
      config_.quota_backend_bytes == 0 ? kDefaultQuotaBytes : config_.quota_backend_bytes;
  status.leader = raft_.leader();
  status.raft_index = raft_.committed();
  status.raft_applied_index = apply_.applied();
  status.raft_term = apply_.term();
  status.is_learner = is_learner();
  if (!has_leader()) status.errors.push_back("etcdserver: no leader");
  for (const etcdserverpb::AlarmMember& alarm : Alarms()) {
    status.errors.push_back(DescribeAlarm(alarm));
  }
  status.storage_version = state_->membership().storage_version();
  return status;
}

}  // namespace kvorum::server
