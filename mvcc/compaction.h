#pragma once
// Compactor: removes what compactions made superfluous, in bounded steps.
//
// Store::Compact(C) only refuses reads below C and writes `scheduledCompactRev`. The rest is here,
// for one compaction after the other, each phase resumable after a restart:
//
//   waiting for readers  every read begun before C was applied must have ended
//   index                the index drops its dead revisions, a slice of keys a step under the lock
//   durable              the commit that carries C must be flushed: a purge is in no batch, so a
//                        crash must not go back behind C
//   finish               `finishedCompactRev` = C goes into the apply thread's next batch
//   purge                files with many dead rows are rewritten, one a step; other rewrites leave
//                        dead rows out as they come by
//
// Why tombstones leave later than puts: the index is rebuilt from rows, and files are rewritten in
// no particular order. If a dead tombstone went before the dead put it hides, a restart would bring
// the key back to life. So a rewrite drops a dead tombstone only at or below the tombstone floor:
// the revision up to which no dead put is left in any file.

#include <cstdint>

#include "base/status.h"
#include "base/types.h"

namespace kvorum::mvcc {

class Store;

// Maintenance thread only. The store must outlive it.
class Compactor {
 public:
  enum class Progress {
    kIdle,         // nothing to do
    kMore,         // call again
    kWaitReaders,  // call again when some time has passed
    kWaitDurable,  // a flush was requested; call again when it ended
    kWaitCommit,   // the apply thread must make a Commit, with an unchanged position if it has no
                   // other
  };

  explicit Compactor(Store& store);

  // One bounded piece of work. An error is the backend's.
  StatusOr<Progress> Step();

  // Whether the compaction at `revision` is logically finished and its purge done; what a physical
  // Compact waits for. Any thread.
  bool Done(Revision revision) const;

 private:
  Store& store_;
};

}  // namespace kvorum::mvcc
