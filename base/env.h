#pragma once
// Env: the one seam through which the server touches files.
//
// `wal/`, `mvcc/backend/` (RocksDB runs on it through a FileSystem) and `server/` open, write, sync
// and rename only through an Env, so that a test can put a disk underneath that loses every byte
// not yet synced, tears writes and fails the n-th call (tests/testing/fault_env.h).
//
// Durability, in the terms of POSIX and of the fault double:
//   1. Bytes written are durable once Sync() or SyncData() on that file returned OK.
//   2. A name (created, renamed, removed) is durable once SyncDir() on its directory returned OK.
//   3. A Sync that failed is never retried by the caller: what it covered is unknown (the kernel
//      may have dropped the dirty pages). The stage that owns the file ends the process.
//
// Errors: a missing file or directory is NotFound, an existing one that must not exist is
// AlreadyExists, a full disk is ResourceExhausted, a lock held elsewhere is FailedPrecondition,
// anything else Internal; the text names the path and ends in strerror's words.
// Threads: an Env is thread-safe. A File may be read by several threads at once; writing,
// truncating and syncing belong to one thread at a time.
//
// Follows in spirit leveldb's Env; locks and preallocation as etcd's client/pkg/fileutil.

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/status.h"

namespace kvorum {

class File {
 public:
  virtual ~File() = default;  // closes; errors at that point are ignored, call Close() to see them

  // Reads up to `out.size()` bytes at `offset`; fewer only at the end of the file, 0 there.
  virtual StatusOr<size_t> ReadAt(uint64_t offset, std::span<char> out) = 0;
  // Writes all bytes or fails; every write reaches the kernel before this returns.
  virtual Status WriteAt(uint64_t offset, std::string_view bytes) = 0;
  // The same for consecutive pieces, in one system call where possible.
  virtual Status WriteAt(uint64_t offset, std::span<const std::string_view> pieces) = 0;

  virtual StatusOr<uint64_t> Size() = 0;
  // Cuts or extends with zeros.
  virtual Status Truncate(uint64_t size) = 0;
  // Reserves blocks up to `size` and extends the file with zeros to it; falls back to Truncate
  // where the file system cannot reserve. Never shortens.
  virtual Status Preallocate(uint64_t size) = 0;

  // Contents and what is needed to read them back (fdatasync).
  virtual Status SyncData() = 0;
  // Contents and all metadata (fsync).
  virtual Status Sync() = 0;

  // Exclusive whole-file lock (OFD write lock, flock where that is missing) held until Close or
  // Unlock. FailedPrecondition "fileutil: file already locked" when someone else holds it.
  virtual Status TryLock() = 0;
  virtual Status Unlock() = 0;

  virtual Status Close() = 0;
};

struct FileInfo {
  uint64_t size = 0;
  WallTime modified;
  bool is_directory = false;
};

enum class OpenMode {
  kRead,       // must exist
  kReadWrite,  // must exist
  kCreate,     // read-write; created (mode 0600 unless given) or opened as it is
  kCreateNew,  // read-write; must not exist
  kTruncate,   // read-write; created or emptied
};

class Env {
 public:
  virtual ~Env() = default;

  virtual StatusOr<std::unique_ptr<File>> Open(const std::string& path, OpenMode mode,
                                               uint32_t permissions = 0600) = 0;
  // Names (not paths) in the directory, sorted bytewise, without "." and "..".
  virtual StatusOr<std::vector<std::string>> List(const std::string& dir) = 0;
  virtual StatusOr<FileInfo> Stat(const std::string& path) = 0;
  virtual Status CreateDir(const std::string& dir, uint32_t permissions = 0700) = 0;
  // Replaces `to` atomically; works for directories when `to` does not exist.
  virtual Status Rename(const std::string& from, const std::string& to) = 0;
  virtual Status Link(const std::string& from, const std::string& to) = 0;
  virtual Status RemoveFile(const std::string& path) = 0;
  virtual Status RemoveDir(const std::string& dir) = 0;  // must be empty
  virtual Status SyncDir(const std::string& dir) = 0;
  // Bytes that may still be written to the file system `path` is on.
  virtual StatusOr<uint64_t> FreeBytes(const std::string& path) = 0;

  // Conveniences on top of the above.
  bool Exists(const std::string& path);
  // Parents are created too; OK if it exists.
  Status CreateDirs(const std::string& dir, uint32_t permissions = 0700);
  // Removes a tree; OK if it does not exist.
  Status RemoveAll(const std::string& path);
  StatusOr<std::string> ReadFile(const std::string& path);
  // Written, synced and closed; the name is not synced.
  Status WriteFile(const std::string& path, std::string_view bytes, uint32_t permissions = 0600);
};

// The machine's file system. Never destroyed.
Env& PosixEnv();

// "dir/name" with exactly one separator.
std::string JoinPath(std::string_view dir, std::string_view name);

}  // namespace kvorum
