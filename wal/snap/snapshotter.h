#pragma once
// Snapshotter: the `.snap` files of a member, in etcd's format (wal/format.md, "Snapshot files").
//
// A `.snap` file is the small half of a snapshot: term, index, ConfState and, as `data`, whatever
// the server wants a reader to know about the membership (etcd's v2store JSON). The key-value state
// is elsewhere: in our own store, or in a `.snap.db` beside it when a leader sent it
// (snap/snap_db.h).
//
// Order the caller keeps: SaveSnap() returned OK -> Wal::SaveSnapshot() -> ReleaseSnapDbs() and
// Wal::ReleaseLockTo(). So a snapshot record in the log never lacks its file; a file may lack its
// record, which LoadNewestAvailable() skips.
//
// Invariants:
//   1. A file is complete and durable, its name too, when SaveSnap returns OK; before that there is
//      no file of that name, or the older one (written beside, renamed into place).
//   2. The snapshot of index 0 is never written.
//   3. A file that cannot be read is renamed to "<name>.broken" and never looked at again.
//
// Threads: no state of its own; calls on one directory belong to one thread at a time, except
// ReadSnapFile.
// Follows etcd server/etcdserver/api/snap/snapshotter.go, which writes in place and does not sync
// the directory.

#include <span>
#include <string>
#include <vector>

#include "base/env.h"
#include "base/status.h"
#include "base/types.h"
#include "proto/raft.pb.h"
#include "wal/wal.h"

namespace kvorum::wal::snap {

class Snapshotter {
 public:
  // `env` must outlive this; `dir` must exist.
  Snapshotter(Env& env, std::string dir);

  // Writes `<term>-<index>.snap`; OK without a file for index 0.
  Status SaveSnap(const raftpb::Snapshot& snapshot);

  // The newest readable snapshot, by term then index. NotFound "snap: no available snapshot".
  StatusOr<raftpb::Snapshot> Load();

  // The newest readable one that has a record among `records` (ValidSnapshotEntries). NotFound as
  // above.
  StatusOr<raftpb::Snapshot> LoadNewestAvailable(std::span<const WalSnapshot> records);

  // Deletes every `.snap.db` whose index is below `index`; failures are logged only.
  Status ReleaseSnapDbs(Index index);

  const std::string& dir() const { return dir_; }

 private:
  template <typename Accept>
  StatusOr<raftpb::Snapshot> LoadFirst(const Accept& accept);
  // Names ending in ".snap", newest first; deletes left-over "db.tmp*" on the way.
  StatusOr<std::vector<std::string>> SnapNames();
  StatusOr<raftpb::Snapshot> LoadOrSetAside(const std::string& name);

  Env& env_;
  const std::string dir_;
};

// "<term>-<index>.snap": term first, so that names sort by age.
std::string SnapName(Term term, Index index);

// Reads and checks one file. DataLoss "snap: empty snapshot" or "snap: crc mismatch".
StatusOr<raftpb::Snapshot> ReadSnapFile(Env& env, const std::string& path);

// The bytes of a `.snap` file and back; ReadSnapFile without the file.
std::string EncodeSnapFile(const raftpb::Snapshot& snapshot);
StatusOr<raftpb::Snapshot> DecodeSnapFile(std::string_view bytes);

}  // namespace kvorum::wal::snap
