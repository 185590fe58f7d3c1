#include "server/bootstrap.h"

#include <algorithm>
#include <utility>

#include "base/check.h"
#include "base/log.h"
#include "base/strings.h"
#include "server/cluster_plan.h"
#include "server/metrics.h"
#include "server/received_snapshot.h"
#include "wal/snap/snap_db.h"

namespace kvorum::server {
namespace {

std::string ParentOf(const std::string& path) {
  const size_t last = path.find_last_not_of('/');
  if (last == std::string::npos) return "/";
  const size_t slash = path.rfind('/', last);
  if (slash == std::string::npos) return ".";
  return slash == 0 ? "/" : path.substr(0, slash);
}

// Creates `dir` and what is missing above it, names included: everything synced in it is lost
// without them.
Status CreateDurableDirs(Env& env, const std::string& dir) {
  if (env.Exists(dir)) return absl::OkStatus();
  const std::string parent = ParentOf(dir);
  RETURN_IF_ERROR(CreateDurableDirs(env, parent));
  RETURN_IF_ERROR(env.CreateDir(dir));
  return env.SyncDir(parent);
}

Status PrepareDirectories(Env& env, const DataPaths& paths) {
  RETURN_IF_ERROR(CreateDurableDirs(env, paths.snap), "cannot access data directory");
  const std::string probe = JoinPath(paths.data, ".touch");
  RETURN_IF_ERROR(env.WriteFile(probe, ""), "cannot write to data directory");
  RETURN_IF_ERROR(env.RemoveFile(probe));
  // Those made by a start that was killed before it synced them. Above the data directory we may
  // not be allowed to.
  (void)env.SyncDir(ParentOf(paths.data));
  RETURN_IF_ERROR(env.SyncDir(paths.data));
  RETURN_IF_ERROR(env.SyncDir(paths.member));
  return wal::snap::RemovePartialFiles(env, paths.snap);
}

// One AddNode entry for each member, in the order of their ids, as every member of the cluster
// writes it.
Status WriteInitialLog(const ClusterPlan& plan, wal::Wal& wal) {
  std::vector<LogEntry> entries;
  for (const MemberInfo& member : plan.members) {
    raftpb::ConfChange change;
    change.set_type(raftpb::ConfChangeAddNode);
    change.set_node_id(member.id.value());
    change.set_context(EncodeMemberJson(member));
    entries.push_back({.type = EntryType::kConfChange,
                       .term = Term(1),
                       .index = Index(entries.size() + 1),
                       .data = SharedBytes(change.SerializeAsString())});
  }
  RETURN_IF_ERROR(wal.Append({.term = Term(1), .commit = Index(entries.size())}, entries));
  return wal.Sync();
}

StatusOr<bool> HasStore(Env& env, const DataPaths& paths) {
  const StatusOr<std::string> current = mvcc::CurrentStoreDir(env, paths.member);
  if (absl::IsNotFound(current.status())) return false;
  RETURN_IF_ERROR(current.status());
  return true;
}

Status CreateLog(const Config& config, Env& env, const DataPaths& paths,
                 const wal::Options& options, const PlanParts& parts,
                 std::vector<MemberInfo>* neighbours) {
  ASSIGN_OR_RETURN(const bool has_store, HasStore(env, paths));
  if (has_store || env.Exists(paths.etcd_database())) {
    return absl::FailedPreconditionError(
        StrCat(paths.member, " holds a database but no raft log in ", paths.wal,
               ": without its log a member cannot tell what it has promised. Restore the log, or "
               "remove the member from the cluster and its directory, and add it again"));
  }
  ASSIGN_OR_RETURN(const ClusterPlan plan, PlanCluster(config, parts));
  ASSIGN_OR_RETURN(
      const auto wal,
      wal::Wal::Create(env, paths.wal, {.node = plan.self, .cluster = plan.cluster}, options));
  if (plan.joins) {
    *neighbours = plan.members;
    std::erase_if(*neighbours, [&](const MemberInfo& member) { return member.id == plan.self; });
    RETURN_IF_ERROR(wal->Sync());
  } else {
    RETURN_IF_ERROR(WriteInitialLog(plan, *wal));
  }
  return wal->Close();
}

// A crash between the two writes of CreateLog: the log names a member and holds nothing. That of a
// member which joins begins like this.
bool IsUnfinished(const Config& config, const wal::Replay& replay, const wal::WalSnapshot& start) {
  return config.initial_cluster_state != "existing" && start.index == Index(0) &&
         replay.entries.empty() && replay.hard_state.empty();
}

Status FinishLog(const Config& config, wal::Wal& wal, const PlanParts& parts, wal::Replay* replay) {
  ASSIGN_OR_RETURN(const ClusterPlan plan, PlanCluster(config, parts));
  if (replay->metadata != wal::Metadata{.node = plan.self, .cluster = plan.cluster}) {
    return absl::FailedPreconditionError(
        "the raft log is empty and of another member than --name and --initial-cluster say");
  }
  return WriteInitialLog(plan, wal);
}

StatusOr<uint64_t> ReadNumber(mvcc::Backend& backend, std::string_view key) {
  ASSIGN_OR_RETURN(const auto bytes, backend.Get(mvcc::Bucket::kMeta, key));
  if (!bytes) return 0;
  if (bytes->size() != sizeof(uint64_t)) {
    return absl::DataLossError(StrCat("the store's row ", key, " is no number"));
  }
  return ReadBigEndian64(*bytes);
}

StatusOr<raft::EntryId> AppliedTo(mvcc::Backend& backend) {
  ASSIGN_OR_RETURN(const uint64_t index, ReadNumber(backend, mvcc::kConsistentIndexKey));
  ASSIGN_OR_RETURN(const uint64_t term, ReadNumber(backend, mvcc::kTermKey));
  return raft::EntryId{.term = Term(term), .index = Index(index)};
}

StatusOr<std::unique_ptr<mvcc::Backend>> OpenStore(Env& env, const DataPaths& paths,
                                                   const mvcc::StoreIdentity& identity,
                                                   const wal::WalSnapshot& start) {
  const mvcc::StoreDirOptions options{
      .env = &env, .member_dir = paths.member, .identity = identity};
  ASSIGN_OR_RETURN(const bool exists, HasStore(env, paths));
  if (exists) {
    RETURN_IF_ERROR(mvcc::RemoveStaleStoreDirs(env, paths.member));
    ASSIGN_OR_RETURN(auto backend, mvcc::OpenStoreDir(options));
    ASSIGN_OR_RETURN(const raft::EntryId applied, AppliedTo(*backend));
    if (applied.index >= start.index || !wal::snap::FindSnapDb(env, paths.snap, start.index).ok()) {
      return backend;
    }
  }
  // A snapshot from the leader was recorded, and the crash came before its store was built.
  if (start.index > Index(0) && wal::snap::FindSnapDb(env, paths.snap, start.index).ok()) {
    return InstallReceivedDatabase(env, paths, identity, start.index);
  }
  if (env.Exists(paths.etcd_database())) {
    return absl::UnimplementedError(
        StrCat("found the database of an etcd, ", paths.etcd_database(),
               ": taking over its directory is not served by this build"));
  }
  // A log that begins at the beginning makes the whole store; any other does not.
  if (start.index > Index(0)) {
    return absl::FailedPreconditionError(
        StrCat("database of the backend is missing below ", paths.member,
               ", and the raft log begins only after index ", start.index.value()));
  }
  ASSIGN_OR_RETURN(auto backend, mvcc::CreateStoreDir(options, 0));
  RETURN_IF_ERROR(mvcc::PublishStoreDir(env, paths.member, 0));
  return backend;
}

// The log in memory. The configuration in force comes from the store, which is ahead of the
// snapshot's; a store that has applied nothing leaves it to the entries.
StatusOr<std::unique_ptr<raft::MemoryStorage>> FillStorage(const wal::WalSnapshot& start,
                                                           const Membership& membership,
                                                           std::vector<LogEntry> entries) {
  auto storage = std::make_unique<raft::MemoryStorage>();
  auto snapshot = std::make_shared<raft::Snapshot>();
  snapshot->metadata = {
      .index = start.index, .term = start.term, .conf_state = membership.conf_state()};
  if (start.index > Index(0) || snapshot->metadata.conf_state.voters_size() > 0) {
    RETURN_IF_ERROR(storage->ApplySnapshot(std::move(snapshot)));
  }
  storage->Append(std::move(entries));
  return storage;
}

StatusOr<wal::WalSnapshot> ChooseStart(Env& env, const DataPaths& paths) {
  ASSIGN_OR_RETURN(const auto records, wal::ValidSnapshotEntries(env, paths.wal));
  return records.empty() ? wal::WalSnapshot() : records.back();
}

StatusOr<Recovered> Recover(const Config& config, Env& env, const DataPaths& paths,
                            const wal::Options& options, const PlanParts& parts) {
  Recovered result;
  ASSIGN_OR_RETURN(const wal::WalSnapshot start, ChooseStart(env, paths));
  ASSIGN_OR_RETURN(auto opened, wal::OpenRepairing(env, paths.wal, start, options));
  wal::Replay& replay = opened.replay;
  if (IsUnfinished(config, replay, start)) {
    RETURN_IF_ERROR(FinishLog(config, *opened.wal, parts, &replay));
    RETURN_IF_ERROR(opened.wal->Close());
    opened.wal.reset();
    ASSIGN_OR_RETURN(opened, wal::OpenRepairing(env, paths.wal, start, options));
  }
  result.wal = std::move(opened.wal);
  result.snapshot_index = start.index;
  result.written = replay.hard_state;
  result.identity = {.cluster = replay.metadata.cluster, .member = replay.metadata.node};
  ASSIGN_OR_RETURN(result.backend, OpenStore(env, paths, result.identity, start));
  result.membership = std::make_unique<Membership>(replay.metadata.node, config.max_learners);
  RETURN_IF_ERROR(result.membership->Load(*result.backend));

  ASSIGN_OR_RETURN(const raft::EntryId store, AppliedTo(*result.backend));
  if (store.index < start.index) {
    return absl::FailedPreconditionError(StrCat("the store reaches to index ", store.index.value(),
                                                ", but the raft log begins only after index ",
                                                start.index.value(),
                                                ": one of them is not this member's latest"));
  }
  ASSIGN_OR_RETURN(result.storage,
                   FillStorage(start, *result.membership, std::move(replay.entries)));
  HardState state = replay.hard_state;
  result.applied = ChooseApplied(*result.storage, store, &state);
  result.storage->SetHardState(state);
  LOG_INFO("recovered the raft log", {"snapshot-index", start.index.value()},
           {"applied-index", store.index.value()}, {"commit-index", state.commit.value()},
           {"last-index", result.storage->LastIndex().value()}, {"term", state.term.value()});
  return result;
}

}  // namespace

Index ChooseApplied(const raft::MemoryStorage& storage, raft::EntryId store, HardState* state) {
  if (storage.TermAt(store.index) == store.term) {
    state->commit = std::max(state->commit, store.index);
    return store.index;
  }
  // A directory taken over: its store is ahead of its log, or of another branch of it.
  return std::max(std::min(store.index, state->commit), storage.FirstIndex() - 1);
}

StatusOr<Recovered> Bootstrap(const Config& config, Env& env, Clock& clock, Peers* peers) {
  const DataPaths paths = DataPaths::Of(config);
  RETURN_IF_ERROR(PrepareDirectories(env, paths));
  wal::Options options;
  options.clock = &clock;
  options.on_fsync = [](Duration took) { wal_fsync_seconds.Observe(took); };
  options.on_write = [](Duration took, uint64_t bytes) {
    wal_write_seconds.Observe(took);
    wal_write_bytes.Add(static_cast<int64_t>(bytes));
  };
  const bool fresh = !wal::Exists(env, paths.wal);
  const PlanParts parts{.peers = peers, .clock = &clock};
  std::vector<MemberInfo> neighbours;
  if (fresh) RETURN_IF_ERROR(CreateLog(config, env, paths, options, parts, &neighbours));
  ASSIGN_OR_RETURN(Recovered recovered, Recover(config, env, paths, options, parts));
  recovered.fresh = fresh;
  recovered.neighbours = std::move(neighbours);
  return recovered;
}

}  // namespace kvorum::server
