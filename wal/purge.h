#pragma once
// PurgeFiles: keeps the newest files of a kind in a directory. Shared by segments, which are
// protected by their locks, and snapshot files, which are not. Follows etcd
// client/pkg/fileutil/purge.go.

#include <string>
#include <string_view>
#include <vector>

#include "base/env.h"
#include "base/status.h"

namespace kvorum::wal {

enum class PurgeGuard { kNone, kStopAtLockedFile };

// Deletes the first names, by sort order, that end in `suffix` while more than `max_files` are left
// (0: nothing is ever deleted). Returns the names deleted. The deletions are not synced: a file
// that comes back after a crash is purged again.
StatusOr<std::vector<std::string>> PurgeFiles(Env& env, const std::string& dir,
                                              std::string_view suffix, size_t max_files,
                                              PurgeGuard guard);

}  // namespace kvorum::wal
