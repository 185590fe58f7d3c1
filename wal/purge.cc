#include "wal/purge.h"

#include "base/log.h"
#include "wal/wal.h"

namespace kvorum::wal {
namespace {

// OK with a null file when there is no lock to respect.
StatusOr<std::unique_ptr<File>> TakeLock(Env& env, const std::string& path, PurgeGuard guard) {
  if (guard == PurgeGuard::kNone) return nullptr;
  ASSIGN_OR_RETURN(auto file, env.Open(path, OpenMode::kReadWrite));
  RETURN_IF_ERROR(file->TryLock());
  return file;
}

}  // namespace

StatusOr<std::vector<std::string>> PurgeFiles(Env& env, const std::string& dir,
                                              std::string_view suffix, size_t max_files,
                                              PurgeGuard guard) {
  ASSIGN_OR_RETURN(std::vector<std::string> names, env.List(dir));
  std::erase_if(names, [&](const std::string& name) { return !name.ends_with(suffix); });
  const size_t surplus = max_files > 0 && names.size() > max_files ? names.size() - max_files : 0;
  for (size_t i = 0; i < surplus; ++i) {
    const std::string path = JoinPath(dir, names[i]);
    // Held until the name is gone, so that nobody opens the log with this segment in between.
    const auto lock = TakeLock(env, path, guard);
    if (!lock.ok()) {
      LOG_WARN("failed to lock file", {"path", path}, {"error", lock.status()});
      names.resize(i);
      return names;
    }
    RETURN_IF_ERROR(env.RemoveFile(path));
    LOG_INFO("purged", {"path", path});
  }
  names.resize(surplus);
  return names;
}

StatusOr<std::vector<std::string>> PurgeSegments(Env& env, const std::string& dir,
                                                 size_t max_files) {
  return PurgeFiles(env, dir, ".wal", max_files, PurgeGuard::kStopAtLockedFile);
}

}  // namespace kvorum::wal
