#pragma once
// FaultEnv: a disk in memory that keeps its promises to the letter and nothing beyond them.
//
//   FaultEnv env;
//   ... run the code under test on env ...
//   env.Crash({.files = Unsynced::kSectorsKept, .seed = 7});
//   ... open it again and look what is left ...
//
// What survives a crash:
//   1. Bytes of a file written before a Sync or SyncData of that file (through any File) that
//      returned OK, whether or not a name led to the file then.
//   2. A directory's entries as of its last SyncDir that returned OK. The path to a file needs that
//      of every directory on it, up to the root: a synced file in an unsynced directory is gone,
//      and a removed one whose directory was not synced is back, with the bytes it had when last
//      synced.
//   3. A rename within one directory is one change. Across two, each directory has its half: synced
//      source and unsynced target lose the file, the reverse leaves it under both names.
//   4. Of everything else what CrashOptions says: nothing, or a random part.
// A sync made to fail by a fault loses what it covered for good, as Linux does: the bytes stay
// readable, a later Sync returns OK and leaves them out.
//
// After a crash every File opened before is dead: each call on it but Close returns Internal
// "crashed", and its lock is gone. To pull the plug while threads still run, call PowerOff, stop
// them, then PowerOn: in between every call fails and nothing changes.
//
// Paths are absolute or relative to the root, the only directory that is there at the start.
// Permissions are ignored. Thread-safe; Files must not outlive their FaultEnv.

#include <absl/base/thread_annotations.h>
#include <absl/synchronization/mutex.h>

#include <array>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/env.h"
#include "tests/testing/unsynced.h"

namespace kvorum {

struct CrashOptions {
  Unsynced files = Unsynced::kLost;
  Unsynced names = Unsynced::kLost;  // of each directory on its own
  uint64_t seed = 0;
};

class FaultEnv : public Env {
 public:
  enum class Op {
    kOpen,
    kRead,       // ReadAt
    kWrite,      // WriteAt, Truncate, Preallocate
    kSync,       // Sync, SyncData
    kSyncDir,    // SyncDir
    kRename,     // Rename, Link
    kRemove,     // RemoveFile, RemoveDir
    kCreateDir,  // CreateDir
    kInspect,    // Size, Stat, List; the locks
    kAny,        // all of the above but kRead and kInspect: what a disk can be changed by
  };

  struct Fault {
    Op op = Op::kAny;
    int64_t nth = 1;             // counted from now, among the calls that match
    bool and_all_after = false;  // else this one call only
    std::string path_part = {};  // the path must contain it; empty matches every path
    bool half_written = false;   // a failing WriteAt leaves the first half of its bytes
    Status status = absl::InternalError("injected fault");
  };

  // `clock` gives modification times and must outlive this.
  explicit FaultEnv(const Clock& clock = SystemClock());
  ~FaultEnv() override;

  // --- Crashes ---

  void Crash(const CrashOptions& options = {}) {
    PowerOff();
    PowerOn(options);
  }
  // From now on every call but Close fails with Internal "crashed".
  void PowerOff();
  // Loses what a crash loses, forgets the faults, and serves calls again. After PowerOff only.
  void PowerOn(const CrashOptions& options = {});
  // The end of the process alone: open Files die and locks go, but nothing written is lost, and
  // what was not synced still is not.
  void KillProcess();
  // Makes all there is durable, as sync(2); for a test's setup. Not counted.
  void SyncEverything();

  // --- Faults ---

  void Inject(Fault fault);
  // The n-th call of that kind from now, once.
  void FailNthCall(Op op, int64_t n, Status status);
  // The n-th and all later ones.
  void FailFromNthCall(Op op, int64_t n, Status status);
  void ClearFaults();
  // Syncs return OK and make nothing durable: for the control run that shows a test would notice.
  void SetSyncIsNoop(bool noop);
  // What FreeBytes answers; writes do not care.
  void SetFreeBytes(uint64_t bytes);

  // --- Observation ---

  // Calls made so far, failed ones included, those during PowerOff not.
  int64_t Calls(Op op) const;
  // Memory held by contents, roughly.
  uint64_t AllocatedBytes() const;
  // What `path` would hold if all unsynced were lost now; NotFound if it would not be there.
  StatusOr<std::string> DurableContents(const std::string& path) const;

  // --- Env ---

  StatusOr<std::unique_ptr<File>> Open(const std::string& path, OpenMode mode,
                                       uint32_t permissions = 0600) override;
  StatusOr<std::vector<std::string>> List(const std::string& dir) override;
  StatusOr<FileInfo> Stat(const std::string& path) override;
  Status CreateDir(const std::string& dir, uint32_t permissions = 0700) override;
  Status Rename(const std::string& from, const std::string& to) override;
  Status Link(const std::string& from, const std::string& to) override;
  Status RemoveFile(const std::string& path) override;
  Status RemoveDir(const std::string& dir) override;
  Status SyncDir(const std::string& dir) override;
  StatusOr<uint64_t> FreeBytes(const std::string& path) override;

 private:
  class OpenFile;
  struct Node;
  using Directory = UnsyncedDirectory<Node>;
  // Where a path leads: the directory that has or would have its last name, and what is there.
  struct Place {
    std::shared_ptr<Node> parent;  // null for the root itself
    std::string name;
    std::shared_ptr<Node> node;  // null if nothing is there
  };
  struct ArmedFault {
    Fault fault;
    int64_t matching_calls = 0;
  };

  // Counts the call; the status it has to fail with, if any. `half_written` is set if it must first
  // write half.
  Status Enter(Op op, std::string_view path, bool* half_written = nullptr)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  StatusOr<Place> Resolve(std::string_view operation, const std::string& path) const
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  // The same, and something must be there.
  StatusOr<Place> ResolveExisting(std::string_view operation, const std::string& path) const
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  Status CheckRename(const Place& from, const Place& to, const std::string& path) const
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void ApplyChange(Node* directory, Directory::Change change) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void SyncTree(Node* node) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);

  const Clock& clock_;
  mutable absl::Mutex mutex_;
  const std::shared_ptr<Node> root_;
  bool powered_ ABSL_GUARDED_BY(mutex_) = true;
  bool sync_is_noop_ ABSL_GUARDED_BY(mutex_) = false;
  uint64_t free_bytes_ ABSL_GUARDED_BY(mutex_) = uint64_t{1} << 40;
  // Files opened in an earlier one are dead.
  uint64_t epoch_ ABSL_GUARDED_BY(mutex_) = 0;
  std::array<int64_t, static_cast<size_t>(Op::kAny)> calls_ ABSL_GUARDED_BY(mutex_) = {};
  std::vector<ArmedFault> faults_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace kvorum
