#pragma once
// Wal: the durable raft log of one member, in etcd's own file format (wal/format.md).
//
// A directory of append-only segments `<seq>-<index>.wal` that holds, in the order written: who the
// member is (metadata), raft entries, hard states, and a record of every snapshot taken or
// received. Replaying it from the last valid snapshot record gives back the raft log. etcd's tools
// read what this writes and this reads what etcd wrote.
//
// Life of a Wal, and what the caller must do in which order:
//   1. Create() once for a new member, or for an existing one: ValidSnapshotEntries() to choose the
//      snapshot to start from, then Open() there; if IsRepairable(error), Repair() and Open() once
//      more (OpenRepairing() does both). Any other error means the log is not to be trusted.
//   2. Append() any number of times, then Sync() once: that makes all of them durable. A promise to
//      others (a vote, an append answer, "index i is durable") leaves only after Sync() returned
//      OK. Sync() may be left out while must_sync() is false: then only the commit index has moved.
//   3. SaveSnapshot() after the snapshot's file is durable (snap/snapshotter.h) and, for a snapshot
//      of our own, after a HardState with commit >= its index was appended: replay ignores records
//      above the last stored commit. Then ReleaseLockTo(), which lets PurgeSegments() delete old
//      segments.
//   4. Close() at the end. Dropping a Wal without it is what a crash does, minus the lost bytes.
//
// Invariants:
//   1. Every Append hands all its bytes to the kernel before it returns; nothing waits in user
//      space, so a killed process loses nothing and a power cut loses only what was never synced.
//   2. Segments have consecutive sequence numbers, and a segment is named only after its
//      predecessor is complete and durable: only the last one can have a torn end.
//   3. From the last record to its end the last segment holds zeros, so that a reader stops there
//      and a torn write shows as a 512-byte sector of zeros.
//   4. Everything Open() returned is durable, also what a killed predecessor had not yet synced.
//   5. An empty HardState is never written. Entries overwrite: a later record of the same or a
//      lower index replaces what stood from there on.
//   6. After the first failed call that writes, every further one returns that same error and
//      touches nothing: what reached the disk is unknown. The owner ends the process; `wal/` never
//      does.
//
// Threads: a Wal belongs to one thread at a time (the WAL stage). The free functions below may be
// called on any thread; those that only read also work beside a writer, in another process too.
//
// Left out: deciding when to snapshot, release or purge (server/), what entries mean (raft/,
// server/), and any thread of its own: PrepareNext() is the owner's idle work.
//
// Follows etcd server/storage/wal. Differs: no user-space page buffer; entries of type Normal carry
// their type explicitly (format.md, "Choices"); Open() syncs what it returns, remembers the hard
// state it read, refuses a log without metadata and honours invariant 5 below the start too; a
// left-over pipeline file is emptied before it is used again.

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/env.h"
#include "base/log_entry.h"
#include "base/status.h"
#include "base/types.h"
#include "proto/raft.pb.h"

namespace kvorum::wal {

// A segment is preallocated to this size and cut off once it has reached it.
inline constexpr uint64_t kSegmentBytes = 64'000'000;

// Whose log this is; repeated at the head of every segment.
struct Metadata {
  MemberId node;
  ClusterId cluster;

  friend bool operator==(const Metadata&, const Metadata&) = default;
};

// A point of the log that a snapshot covers: everything up to and including `index`. The default
// value is the start of the log. `conf_state` is required for index > 0 when writing, and missing
// in records of etcd before 3.5.
struct WalSnapshot {
  Index index;
  Term term;
  std::optional<raftpb::ConfState> conf_state;
};

struct Options {
  uint64_t segment_bytes = kSegmentBytes;  // smaller in tests
  bool unsafe_no_fsync = false;            // segments are never synced; directories still are
  Clock* clock = &SystemClock();           // measures syncs and writes, names broken directories
  // Called on the owner's thread after each fdatasync of a segment and each write to one.
  std::function<void(Duration took)> on_fsync;
  std::function<void(Duration took, uint64_t bytes)> on_write;
};

// What a log says when read from a snapshot on.
struct Replay {
  Metadata metadata;
  HardState hard_state;           // the last one written; empty if there is none
  std::vector<LogEntry> entries;  // consecutive, the first one has the start's index + 1
  // Whether the start's own snapshot record was seen. Open() does not insist on it, as etcd does
  // not.
  bool snapshot_found = false;
};

class Encoder;
class FilePipeline;
struct Segment;

class Wal {
 public:
  struct OpenResult;

  // Makes `dir` with a first segment: built in `dir`.tmp (an old one is removed), synced, renamed,
  // parent synced. AlreadyExists if `dir` holds a log. On success the log is durable.
  static StatusOr<std::unique_ptr<Wal>> Create(Env& env, const std::string& dir,
                                               const Metadata& metadata,
                                               const Options& options = Options());

  // Locks and reads all segments needed from `start` on, readies the last one for appending and
  // makes everything returned durable. Errors: NotFound (no log, or none that reaches back to
  // `start`), FailedPrecondition (another process holds it), IsRepairable() (torn end), DataLoss
  // (anything wrong before the end).
  static StatusOr<OpenResult> Open(Env& env, const std::string& dir, const WalSnapshot& start,
                                   const Options& options = Options());

  ~Wal();  // closes the files, and with that the locks; syncs nothing
  Wal(const Wal&) = delete;
  Wal& operator=(const Wal&) = delete;

  // Writes the entries, then `state` unless it is empty, in one system call where possible;
  // payloads of some size are not copied. Cuts the segment when it is full, which syncs. Nothing to
  // write is OK. REQUIRES: entries have ascending, consecutive indexes.
  Status Append(const HardState& state, std::span<const LogEntry> entries);

  // True when entries, a new term or a new vote were appended since the last sync.
  bool must_sync() const { return must_sync_; }

  // Makes every earlier Append durable (fdatasync); returns at once if nothing was written since.
  Status Sync();

  // Append, then Sync if must_sync().
  Status Save(const HardState& state, std::span<const LogEntry> entries);

  // Writes the record and syncs. InvalidArgument, without harm to the Wal, for a snapshot with an
  // index but no ConfState.
  Status SaveSnapshot(const WalSnapshot& snapshot);

  // Drops the locks on segments whose entries are all below `index`: kept are the last segment
  // whose first index is below `index` and everything after it.
  Status ReleaseLockTo(Index index);

  // Creates and preallocates the next segment's file ahead of the cut that needs it; cheap when
  // that is done already. A cut does it itself when nobody did.
  Status PrepareNext();

  // Syncs, removes the prepared file, unlocks. The Wal can only be destroyed afterwards.
  Status Close();

  // Index of the last entry saved, or of the last snapshot if that is higher; 0 in a new log.
  Index last_index() const { return last_index_; }
  // Names of the segments held locked, oldest first; the last one is being written.
  std::vector<std::string> locked_segments() const;
  // Bytes of records in the last segment.
  uint64_t tail_bytes() const { return tail_bytes_; }

 private:
  Wal(Env& env, std::string dir, const Options& options);

  // Create's first half: the first segment, written and synced in `tmp_dir`.
  Status WriteFirstSegment(const std::string& tmp_dir, const Metadata& metadata);
  // Open's last half: takes over the segments, whose last one has good records up to `valid_bytes`.
  Status Adopt(std::vector<Segment> segments, uint64_t valid_bytes);

  Status WriteEncoded();  // the encoder's batch, at the end of the tail
  Status SyncTail();      // fdatasync
  Status AppendRecords(const HardState& state, std::span<const LogEntry> entries);
  Status Cut();               // ends the tail, starts the next segment
  Status StartNextSegment();  // Cut's second half
  // Runs `operation` unless an earlier one failed, and remembers if it does (invariant 6).
  template <typename Operation>
  Status Guarded(Operation operation);
  File& tail();

  // Constant after construction.
  Env& env_;
  const std::string dir_;
  const Options options_;
  std::string metadata_;  // the record's bytes, as read or first written

  // What is written where.
  std::vector<Segment> segments_;  // locked; the last one is the tail
  std::unique_ptr<FilePipeline> pipeline_;
  std::unique_ptr<Encoder> encoder_;  // holds the checksum chain
  uint64_t tail_bytes_ = 0;
  HardState state_;  // last one written, repeated at the head of the next segment
  Index last_index_;

  // What is owed.
  bool dirty_ = false;      // written and not synced
  bool must_sync_ = false;  // and some of it matters
  Status failure_;
};

struct Wal::OpenResult {
  std::unique_ptr<Wal> wal;
  Replay replay;
};

// Whether `dir` holds a log: a name that ends in ".wal".
bool Exists(Env& env, const std::string& dir);

// Reads the log from `start` on without locking or changing anything; a torn end ends it silently.
// NotFound "wal: snapshot not found" if the start's record is missing.
StatusOr<Replay> ReadLog(Env& env, const std::string& dir, const WalSnapshot& start);

// All snapshot records, oldest first, of all segments present, without those above the commit index
// last written (their hard state never arrived). A torn end is tolerated. Locks nothing.
StatusOr<std::vector<WalSnapshot>> ValidSnapshotEntries(Env& env, const std::string& dir);

// Whether `status` from Open() is a torn end, which Repair() may mend.
bool IsRepairable(const Status& status);

// Cuts a torn end off the last segment, after copying that whole to "<name>.broken"; OK without a
// change if the last segment reads to its end. DataLoss if it is damaged in another way.
Status Repair(Env& env, const std::string& dir);

// Open; on a torn end Repair and Open once more. The text of an error begins with what etcd logs at
// this point: "failed to open WAL", "failed to read WAL, cannot be repaired", "failed to repair
// WAL".
StatusOr<Wal::OpenResult> OpenRepairing(Env& env, const std::string& dir, const WalSnapshot& start,
                                        const Options& options = Options());

// Deletes the oldest segments while there are more than `max_files` (0: never), but stops at the
// first one that is still locked. Returns the names deleted.
StatusOr<std::vector<std::string>> PurgeSegments(Env& env, const std::string& dir,
                                                 size_t max_files);

}  // namespace kvorum::wal
