#pragma once
// CompactHashChecker: finds members whose data has gone different, by the hashes of compactions.
//
// All members compact at the same revisions, and each hashes the history that a compaction saw
// (mvcc/compaction.h keeps the last ten). Now and then a leader takes the hashes that it has not
// compared yet, newest first, and asks the others for theirs:
//
//   all have the same   done: this one and older ones are not looked at again
//   some have another   a CORRUPT alarm for each member that is not in the majority with one hash;
//                       without such a majority for member 0, which stands for the cluster; done
//   some cannot say     (no answer, or another compaction before) the next older one is tried
//
// A member without others has nobody to ask, and says that it looked.
//
// Threads: Step on the timers; it never blocks. Follows etcd server/etcdserver/corrupt.go.

#include <atomic>
#include <functional>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/clock.h"
#include "base/types.h"
#include "mvcc/hash.h"

namespace kvorum::server {

// Another member's answer; no hash if it gave none.
struct PeerHash {
  MemberId id;
  std::optional<mvcc::CompactionHash> hash;
};

// The way to the other members' hashes.
class PeerHashes {
 public:
  using OnAnswers = std::function<void(std::vector<PeerHash> answers)>;
  virtual ~PeerHashes() = default;
  // Asks each other member for its hash at `revision`. Does not block; calls back exactly once, on
  // any thread, within a bounded time, with one answer a member.
  virtual void Ask(Revision revision, OnAnswers done) = 0;
};

class CompactHashChecker {
 public:
  // All of it must outlive the checker, and that the calls of `peers` still under way.
  struct Parts {
    MemberId self;
    Duration interval;  // from the end of one round to the next, positive
    Duration timeout;   // that of a question, for the log
    std::function<bool()> leads;
    // The hashes kept, by revision, ascending.
    std::function<std::vector<mvcc::CompactionHash>()> hashes;
    PeerHashes* peers = nullptr;  // null: there are no other members
    // Proposes the alarm CORRUPT for that member.
    std::function<void(MemberId)> raise_corrupt;
    std::function<void()> run_soon;  // makes Step due; thread-safe
  };
  explicit CompactHashChecker(Parts parts) : parts_(std::move(parts)) {}
  CompactHashChecker(const CompactHashChecker&) = delete;
  CompactHashChecker& operator=(const CompactHashChecker&) = delete;

  // A job of the timers. Returns when to call again.
  TimePoint Step(TimePoint now);

 private:
  TimePoint NextRound(TimePoint now);
  TimePoint Begin(TimePoint now);
  TimePoint AskNext(TimePoint now);
  TimePoint End(TimePoint now);
  // False: an older hash may tell more.
  bool Compare(const mvcc::CompactionHash& own, const std::vector<PeerHash>& answers);
  bool OnEqual(const mvcc::CompactionHash& own, size_t compared, size_t peers);

  const Parts parts_;

  // The stage's alone.
  std::optional<TimePoint> round_at_;            // not set before the first Step
  std::vector<mvcc::CompactionHash> unchecked_;  // of the round under way, descending
  size_t looked_at_ = 0;                         // of these
  bool asking_ = false;
  Revision latest_checked_{0};

  std::vector<PeerHash> answers_;  // before answered_
  std::atomic<bool> answered_ = false;
};

}  // namespace kvorum::server
