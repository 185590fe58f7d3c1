#include "mvcc/backend/store_dir.h"

#include "base/log.h"

namespace kvorum::mvcc {

namespace {

constexpr std::string_view kNameFile = "STORE";
constexpr std::string_view kNameFileTemp = "STORE.tmp";
constexpr std::string_view kDirPrefix = "store-";

std::string StoreDirName(uint64_t n) { return std::string(kDirPrefix) + std::to_string(n); }

std::string BigEndian(uint64_t v) {
  std::string out;
  AppendBigEndian64(&out, v);
  return out;
}

StatusOr<uint64_t> ReadId(Backend& backend, std::string_view key) {
  ASSIGN_OR_RETURN(const std::optional<std::string> row, backend.Get(Bucket::kLocal, key));
  if (!row || row->size() != 8) return absl::DataLossError("state store has no identity");
  return ReadBigEndian64(*row);
}

Status CheckIdentity(Backend& backend, const StoreIdentity& expected) {
  ASSIGN_OR_RETURN(const uint64_t cluster, ReadId(backend, kClusterIdKey));
  ASSIGN_OR_RETURN(const uint64_t member, ReadId(backend, kMemberIdKey));
  const StoreIdentity found{ClusterId(cluster), MemberId(member)};
  if (found == expected) return absl::OkStatus();
  return absl::FailedPreconditionError("state store belongs to member " + HexId(found.member) +
                                       " of cluster " + HexId(found.cluster) +
                                       ", the log to member " + HexId(expected.member) +
                                       " of cluster " + HexId(expected.cluster));
}

}  // namespace

StatusOr<std::string> CurrentStoreDir(Env& env, const std::string& member_dir) {
  ASSIGN_OR_RETURN(std::string line, env.ReadFile(JoinPath(member_dir, kNameFile)));
  while (!line.empty() && line.back() == '\n') line.pop_back();
  if (!line.starts_with(kDirPrefix) || line.find('/') != std::string::npos) {
    return absl::DataLossError(JoinPath(member_dir, kNameFile) + " does not name a store");
  }
  return JoinPath(member_dir, line);
}

StatusOr<std::unique_ptr<Backend>> OpenStoreDir(const StoreDirOptions& options) {
  BackendOptions backend_options = options.backend;
  backend_options.env = options.env;
  backend_options.create = false;
  ASSIGN_OR_RETURN(backend_options.directory, CurrentStoreDir(*options.env, options.member_dir));
  ASSIGN_OR_RETURN(std::unique_ptr<Backend> backend, OpenBackend(backend_options));
  RETURN_IF_ERROR(CheckIdentity(*backend, options.identity));
  return backend;
}

StatusOr<std::unique_ptr<Backend>> CreateStoreDir(const StoreDirOptions& options, uint64_t n) {
  BackendOptions backend_options = options.backend;
  backend_options.env = options.env;
  backend_options.create = true;
  backend_options.directory = JoinPath(options.member_dir, StoreDirName(n));
  RETURN_IF_ERROR(options.env->RemoveAll(backend_options.directory));
  RETURN_IF_ERROR(options.env->CreateDirs(backend_options.directory));
  ASSIGN_OR_RETURN(std::unique_ptr<Backend> backend, OpenBackend(backend_options));
  Batch& batch = backend->batch();
  batch.Put(Bucket::kLocal, kClusterIdKey, BigEndian(options.identity.cluster.value()));
  batch.Put(Bucket::kLocal, kMemberIdKey, BigEndian(options.identity.member.value()));
  // A member of etcd has it from its first start on, and what members compare covers it.
  batch.Put(Bucket::kAuth, kAuthRevisionKey, BigEndian(1));
  const int64_t size = kEmptyStoreBytes + backend->TakeSizeDelta();
  RETURN_IF_ERROR(backend->Commit(
      {},
      Counters{.current_revision = Revision(1), .size_in_use_bytes = size, .size_bytes = size}));
  RETURN_IF_ERROR(backend->Flush());
  return backend;
}

Status PublishStoreDir(Env& env, const std::string& member_dir, uint64_t n) {
  const std::string temp = JoinPath(member_dir, kNameFileTemp);
  // The directory's name must be durable before anything names it.
  RETURN_IF_ERROR(env.SyncDir(member_dir));
  RETURN_IF_ERROR(env.WriteFile(temp, StoreDirName(n) + "\n"));
  RETURN_IF_ERROR(env.Rename(temp, JoinPath(member_dir, kNameFile)));
  return env.SyncDir(member_dir);
}

Status RemoveStoreDir(Env& env, const std::string& member_dir, uint64_t n) {
  return env.RemoveAll(JoinPath(member_dir, StoreDirName(n)));
}

Status RemoveStaleStoreDirs(Env& env, const std::string& member_dir) {
  ASSIGN_OR_RETURN(const std::string current, CurrentStoreDir(env, member_dir));
  ASSIGN_OR_RETURN(const std::vector<std::string> names, env.List(member_dir));
  for (const std::string& name : names) {
    const std::string path = JoinPath(member_dir, name);
    if (!name.starts_with(kDirPrefix) || path == current) continue;
    LOG_INFO("removing stale state store", {"path", path});
    RETURN_IF_ERROR(env.RemoveAll(path));
  }
  return env.SyncDir(member_dir);
}

}  // namespace kvorum::mvcc
