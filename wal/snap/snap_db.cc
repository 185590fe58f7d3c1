#include "wal/snap/snap_db.h"

#include <absl/strings/str_format.h>

#include "base/check.h"
#include "base/log.h"
#include "base/strings.h"
#include "wal/purge.h"

namespace kvorum::wal::snap {
namespace {

constexpr std::string_view kPartialPrefix = "tmp";
// More transfers than this at once, or as many left behind since boot, are not to be expected.
constexpr int kPartialNamesMax = 1024;

}  // namespace

SnapDbReceiver::SnapDbReceiver(Env& env, std::string dir, Index index, std::string tmp_path,
                               std::unique_ptr<File> file)
    : env_(env),
      dir_(std::move(dir)),
      index_(index),
      tmp_path_(std::move(tmp_path)),
      file_(std::move(file)) {}

StatusOr<std::unique_ptr<SnapDbReceiver>> SnapDbReceiver::Create(Env& env, const std::string& dir,
                                                                 Index index) {
  for (int n = 0; n < kPartialNamesMax; ++n) {
    const std::string path = JoinPath(dir, StrCat(kPartialPrefix, n));
    auto file = env.Open(path, OpenMode::kCreateNew);
    if (absl::IsAlreadyExists(file.status())) continue;
    if (!file.ok()) return file.status();
    return std::unique_ptr<SnapDbReceiver>(
        new SnapDbReceiver(env, dir, index, path, *std::move(file)));
  }
  return absl::ResourceExhaustedError(StrCat("snap: too many partial database files in ", dir));
}

SnapDbReceiver::~SnapDbReceiver() {
  if (file_ == nullptr) return;
  file_.reset();
  env_.RemoveFile(tmp_path_).IgnoreError();
}

Status SnapDbReceiver::Append(std::string_view bytes) {
  CHECK(file_ != nullptr) << "after Commit";
  RETURN_IF_ERROR(file_->WriteAt(bytes_, bytes));
  bytes_ += bytes.size();
  return absl::OkStatus();
}

Status SnapDbReceiver::Commit() {
  CHECK(file_ != nullptr) << "twice";
  RETURN_IF_ERROR(file_->Sync());
  const std::string path = JoinPath(dir_, SnapDbName(index_));
  // The same state, received twice: someone may be reading the first one already.
  if (env_.Exists(path)) return absl::OkStatus();
  RETURN_IF_ERROR(env_.Rename(tmp_path_, path));
  file_.reset();
  RETURN_IF_ERROR(env_.SyncDir(dir_));
  LOG_INFO("saved database snapshot to disk", {"path", path}, {"bytes", bytes_});
  return absl::OkStatus();
}

std::string SnapDbName(Index index) { return absl::StrFormat("%016x.snap.db", index.value()); }

StatusOr<std::string> FindSnapDb(Env& env, const std::string& dir, Index index) {
  std::string path = JoinPath(dir, SnapDbName(index));
  if (env.Exists(path)) return path;
  LOG_WARN("failed to find [SNAPSHOT-INDEX].snap.db", {"snapshot-index", index.value()},
           {"snapshot-file-path", path});
  return absl::NotFoundError("snap: snapshot file doesn't exist");
}

Status RemovePartialFiles(Env& env, const std::string& dir) {
  ASSIGN_OR_RETURN(const auto names, env.List(dir));
  for (const std::string& name : names) {
    if (!name.starts_with(kPartialPrefix)) continue;
    RETURN_IF_ERROR(env.RemoveFile(JoinPath(dir, name)));
  }
  return absl::OkStatus();
}

StatusOr<std::vector<std::string>> PurgeSnapFiles(Env& env, const std::string& dir,
                                                  std::string_view suffix, size_t max_files) {
  return PurgeFiles(env, dir, suffix, max_files, PurgeGuard::kNone);
}

}  // namespace kvorum::wal::snap
