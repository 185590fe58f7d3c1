#pragma once
// Databases received from a leader: `<index>.snap.db`, a bbolt file that waits beside the `.snap`
// of the same index until the server has built its store from it.
//
// A transfer is written to a file named `tmp...` and renamed when complete and synced; what a crash
// leaves behind is swept by RemovePartialFiles() at boot. If two transfers of one index finish, the
// first one's file stays. Durable, with its name, once Commit() returned OK.
//
// Threads: one SnapDbReceiver belongs to one thread at a time; several may run at once.
// Follows etcd server/etcdserver/api/snap/db.go.

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/env.h"
#include "base/status.h"
#include "base/types.h"

namespace kvorum::wal::snap {

class SnapDbReceiver {
 public:
  // Opens a temporary file in `dir`, which must exist. `env` must outlive the receiver.
  static StatusOr<std::unique_ptr<SnapDbReceiver>> Create(Env& env, const std::string& dir,
                                                          Index index);
  ~SnapDbReceiver();  // removes the temporary file unless committed
  SnapDbReceiver(const SnapDbReceiver&) = delete;
  SnapDbReceiver& operator=(const SnapDbReceiver&) = delete;

  Status Append(std::string_view bytes);
  // Syncs and publishes. REQUIRES: not called before.
  Status Commit();

  uint64_t bytes() const { return bytes_; }

 private:
  SnapDbReceiver(Env& env, std::string dir, Index index, std::string tmp_path,
                 std::unique_ptr<File> file);

  Env& env_;
  const std::string dir_;
  const Index index_;
  const std::string tmp_path_;
  std::unique_ptr<File> file_;
  uint64_t bytes_ = 0;
};

// "<index>.snap.db".
std::string SnapDbName(Index index);

// Path of the database for `index`. NotFound "snap: snapshot file doesn't exist".
StatusOr<std::string> FindSnapDb(Env& env, const std::string& dir, Index index);

// Deletes every name that starts with "tmp": transfers cut short by a crash.
Status RemovePartialFiles(Env& env, const std::string& dir);

// Deletes the oldest names ending in `suffix` ("snap" or "snap.db") while there are more than
// `max_files` (0: never). Returns the names deleted.
StatusOr<std::vector<std::string>> PurgeSnapFiles(Env& env, const std::string& dir,
                                                  std::string_view suffix, size_t max_files);

}  // namespace kvorum::wal::snap
