#include "wal/snap/snapshotter.h"

#include <absl/strings/str_format.h>

#include <algorithm>
#include <charconv>

#include "base/crc32c.h"
#include "base/log.h"
#include "base/metrics.h"
#include "proto/snap.pb.h"

namespace kvorum::wal::snap {
namespace {

constexpr std::string_view kSnapSuffix = ".snap";
constexpr std::string_view kSnapDbSuffix = ".snap.db";
constexpr uint32_t kSnapPermissions = 0666;  // less the umask

metrics::Histogram& AddSeconds(std::string_view name, std::string_view help) {
  return metrics::Default().AddHistogram(name, help, metrics::ExponentialBounds(.001, 2, 14));
}

metrics::Histogram& marshal_seconds =
    AddSeconds("etcd_debugging_snap_save_marshalling_duration_seconds",
               "The marshalling cost distributions of save called by snapshot.");
metrics::Histogram& save_seconds =
    AddSeconds("etcd_debugging_snap_save_total_duration_seconds",
               "The total latency distributions of save called by snapshot.");
// Of writing, syncing and naming the file.
metrics::Histogram& fsync_seconds = AddSeconds(
    "etcd_snap_fsync_duration_seconds", "The latency distributions of fsync called by snap.");

TimePoint Now() { return std::chrono::steady_clock::now(); }

}  // namespace

Snapshotter::Snapshotter(Env& env, std::string dir) : env_(env), dir_(std::move(dir)) {}

Status Snapshotter::SaveSnap(const raftpb::Snapshot& snapshot) {
  const raftpb::SnapshotMetadata& metadata = snapshot.metadata();
  if (metadata.index() == 0) return absl::OkStatus();
  const std::string name = SnapName(Term(metadata.term()), Index(metadata.index()));
  const std::string path = JoinPath(dir_, name);
  // Not ".snap" in the end, or a purge would count it; "tmp" in front, so that boot sweeps it.
  const std::string tmp_path = JoinPath(dir_, "tmp." + name + ".part");
  const TimePoint begin = Now();
  const std::string bytes = EncodeSnapFile(snapshot);
  const TimePoint encoded = Now();
  Status status = env_.WriteFile(tmp_path, bytes, kSnapPermissions);
  if (status.ok()) status = env_.Rename(tmp_path, path);
  if (status.ok()) {
    status = env_.SyncDir(dir_);
    marshal_seconds.Observe(encoded - begin);
    fsync_seconds.Observe(Now() - encoded);
    save_seconds.Observe(Now() - begin);
    return status;
  }
  LOG_WARN("failed to write a snap file", {"path", path}, {"error", status});
  env_.RemoveFile(tmp_path).IgnoreError();
  return status;
}

StatusOr<raftpb::Snapshot> Snapshotter::Load() {
  return LoadFirst([](const raftpb::SnapshotMetadata&) { return true; });
}

StatusOr<raftpb::Snapshot> Snapshotter::LoadNewestAvailable(std::span<const WalSnapshot> records) {
  return LoadFirst([&](const raftpb::SnapshotMetadata& metadata) {
    return std::any_of(records.begin(), records.end(), [&](const WalSnapshot& record) {
      return record.term.value() == metadata.term() && record.index.value() == metadata.index();
    });
  });
}

template <typename Accept>
StatusOr<raftpb::Snapshot> Snapshotter::LoadFirst(const Accept& accept) {
  ASSIGN_OR_RETURN(const auto names, SnapNames());
  for (const std::string& name : names) {
    auto snapshot = LoadOrSetAside(name);
    if (snapshot.ok() && accept(snapshot->metadata())) return snapshot;
  }
  return absl::NotFoundError("snap: no available snapshot");
}

StatusOr<std::vector<std::string>> Snapshotter::SnapNames() {
  ASSIGN_OR_RETURN(const auto names, env_.List(dir_));
  std::vector<std::string> snaps;
  for (const std::string& name : names) {
    if (name.starts_with("db.tmp")) {
      LOG_INFO("found orphaned defragmentation file; deleting", {"path", name});
      RETURN_IF_ERROR(env_.RemoveFile(JoinPath(dir_, name)),
                      "failed to remove orphaned .snap.db file");
    } else if (name.ends_with(kSnapSuffix)) {
      snaps.push_back(name);
    } else if (name != "db") {
      LOG_WARN("found unexpected non-snap file; skipping", {"path", name});
    }
  }
  std::reverse(snaps.begin(), snaps.end());
  return snaps;
}

StatusOr<raftpb::Snapshot> Snapshotter::LoadOrSetAside(const std::string& name) {
  const std::string path = JoinPath(dir_, name);
  auto snapshot = ReadSnapFile(env_, path);
  if (snapshot.ok()) return snapshot;
  const std::string broken = path + ".broken";
  const Status renamed = env_.Rename(path, broken);
  LOG_WARN(renamed.ok() ? "renamed to a broken snap file" : "failed to rename a broken snap file",
           {"path", path}, {"broken-path", broken}, {"error", snapshot.status()});
  return snapshot;
}

Status Snapshotter::ReleaseSnapDbs(Index index) {
  ASSIGN_OR_RETURN(const auto names, env_.List(dir_));
  for (const std::string& name : names) {
    if (!name.ends_with(kSnapDbSuffix)) continue;
    const std::string_view hex =
        std::string_view(name).substr(0, name.size() - kSnapDbSuffix.size());
    uint64_t file_index = 0;
    const auto [end, error] = std::from_chars(hex.begin(), hex.end(), file_index, 16);
    if (error != std::errc() || end != hex.end()) {
      LOG_ERROR("failed to parse index from filename", {"path", name});
      continue;
    }
    if (Index(file_index) >= index) continue;
    LOG_INFO("found orphaned .snap.db file; deleting", {"path", name});
    const Status removed = env_.RemoveFile(JoinPath(dir_, name));
    if (!removed.ok() && !absl::IsNotFound(removed)) {
      LOG_ERROR("failed to remove orphaned .snap.db file", {"path", name}, {"error", removed});
    }
  }
  return absl::OkStatus();
}

std::string SnapName(Term term, Index index) {
  return absl::StrFormat("%016x-%016x%s", term.value(), index.value(), kSnapSuffix);
}

StatusOr<raftpb::Snapshot> ReadSnapFile(Env& env, const std::string& path) {
  auto bytes = env.ReadFile(path);
  if (!bytes.ok()) return bytes.status();
  auto snapshot = DecodeSnapFile(*bytes);
  if (!snapshot.ok()) {
    LOG_WARN("failed to read a snap file", {"path", path}, {"error", snapshot.status()});
  }
  return snapshot;
}

std::string EncodeSnapFile(const raftpb::Snapshot& snapshot) {
  snappb::snapshot file;
  file.set_data(snapshot.SerializeAsString());
  file.set_crc(Crc32c(0, file.data()));
  return file.SerializeAsString();
}

StatusOr<raftpb::Snapshot> DecodeSnapFile(std::string_view bytes) {
  if (bytes.empty()) return absl::DataLossError("snap: empty snapshot");
  const auto unparsable = [] {
    return absl::DataLossError("proto: cannot parse invalid wire-format data");
  };
  snappb::snapshot file;
  if (bytes.size() > std::numeric_limits<int>::max() ||
      !file.ParseFromArray(bytes.data(), static_cast<int>(bytes.size()))) {
    return unparsable();
  }
  if (file.data().empty() || file.crc() == 0) return absl::DataLossError("snap: empty snapshot");
  if (Crc32c(0, file.data()) != file.crc()) return absl::DataLossError("snap: crc mismatch");
  raftpb::Snapshot snapshot;
  if (!snapshot.ParseFromString(file.data())) return unparsable();
  return snapshot;
}

}  // namespace kvorum::wal::snap
