#pragma once
// Compactor: removes what compactions made superfluous, in bounded steps.
//
// Store::Compact(C) only refuses reads below C and writes `scheduledCompactRev`. The rest is here,
// for one compaction after the other:
//
//   readers   every read begun before C was applied must have ended
//   hash      the hash of the history up to C is kept, if nothing of it is missing
//   index     the index drops its dead revisions, a slice a step: found under a shared hold of the
//             store's lock, dropped under an exclusive one
//   finish    `finishedCompactRev` = C and the set of dead rows go into the apply thread's next
//             commit
//   durable   that commit must be flushed: a purge is in no batch, so without this a crash could go
//             back behind C with rows already gone
//   purge     files with many dead rows are rewritten, one a step; all other rewrites, too, leave
//             out the dead rows they come by
//
// Why the set of dead rows is stored: the index is rebuilt from the rows, and files are rewritten
// in no particular order. Of a dead put and the dead tombstone that hides it the tombstone may go
// first; a restart that judged by the rows alone would bring the key back. With the set it does not
// matter which of its rows are still there. It takes a bit a revision, in rows of 4,096 revisions.
//
// After a crash before `durable` the compaction begins anew; after it, the purge goes on.

#include <atomic>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/clock.h"
#include "base/status.h"
#include "base/types.h"
#include "mvcc/revision_set.h"
#include "mvcc/store.h"
#include "mvcc/store_hash.h"

namespace kvorum::mvcc {

// Maintenance thread only, but for Done. The store must outlive it; one for a store.
class Compactor {
 public:
  // What one hold of the store's lock may cover: a few hundred microseconds.
  static constexpr size_t kSliceKeys = 256;
  static constexpr size_t kSliceRevisions = 4096;

  enum class Progress {
    kIdle,         // nothing to do until the next Store::Compact
    kMore,         // call again
    kWaitReaders,  // call again when some time has passed
    kWaitCommit,   // the apply thread must Commit, with an unchanged position if it has no other
    kWaitDurable,  // a flush was requested; call again when it has ended
    kWaitFiles,    // the files are being rewritten by someone else; call again soon
  };

  // `clock` tells how long a compaction took.
  Compactor(Store& store, const Clock& clock);
  Compactor(const Compactor&) = delete;
  Compactor& operator=(const Compactor&) = delete;

  // One bounded piece of work; the rewrite of a file can take long, but blocks nobody.
  // An error is the backend's; after ResourceExhausted it may be called again.
  StatusOr<Progress> Step();

  // The same for a defragmentation: rewrites a file with purgeable rows, however few. When there is
  // none left (kIdle) the size is set down to what is in use, from the next commit on durably.
  // Independent of Step. Answers kIdle, kMore or kWaitFiles.
  StatusOr<Progress> DefragmentStep();

  // Whether there is a compaction of which a defragmentation would not yet find the dead rows; and
  // whether reads begun before it are what it waits for.
  bool Unfinished() const;
  bool WaitsForReaders() const { return waits_for_readers_; }

  // Whether the compaction at `revision` is finished and its purge done: what a physical Compact
  // waits for. Any thread.
  bool Done(Revision revision) const {
    return done_.load(std::memory_order_acquire) >= revision.value();
  }

 private:
  enum class Phase { kIdle, kReaders, kHash, kIndex, kMerge, kFinish, kDurable, kPurge };
  // Above this all files with dead rows are rewritten, to get rid of the set of them: after some
  // 400 million revisions.
  static constexpr int64_t kDeadSetBytesMax = 64 << 20;

  StatusOr<Progress> Begin();
  StatusOr<Progress> HashSlice();
  Progress IndexSlice();
  // The keys of the next slice that lose something, and how much; notes what that is.
  std::vector<std::pair<KeyIndex*, size_t>> PlanSlice();
  void DropSlice(const std::vector<std::pair<KeyIndex*, size_t>>& keys);
  void FinishIndex();
  void LogFinished() const;
  StatusOr<Progress> AwaitDurable();
  StatusOr<Progress> PurgeOne();
  void ForgetPurged();

  Store& store_;
  const Clock& clock_;
  std::atomic<int64_t> done_;

  Phase phase_ = Phase::kIdle;
  Store::ScheduledCompaction job_;
  std::optional<TimePoint> began_;            // nothing for a purge left by an earlier process
  std::unique_ptr<Store::HistoryHash> hash_;  // set from the phase of that name on, if wanted
  std::string resume_;                        // the next key of the index
  size_t resume_entry_ = 0;                   // and its first entry not yet noted
  RevisionSet dropped_;                       // by this job so far
  int64_t dropped_bytes_ = 0;
  bool waits_for_readers_ = false;
  bool flush_requested_ = false;
  // What rewrites leave out at present; null before the first.
  std::shared_ptr<const RevisionSet> purgeable_;
};

}  // namespace kvorum::mvcc
