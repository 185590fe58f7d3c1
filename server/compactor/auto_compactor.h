#pragma once
// AutoCompactor: forgets history without being asked. One of two modes decides what to keep:
//
//   periodic   what was written in the last P. The revision is sampled every S = min(P, 1h) / 10;
//              once P has passed since the start, and from then on every min(P, 1h), the oldest
//              sample of the window of P is compacted. What fails is tried again after S.
//   revision   the last N revisions, looked at every five minutes.
//
// Members that do not lead are paused: they sample, and compact nothing. A compaction is a proposal
// like a client's, without `physical`: it is done when it is applied, the purge follows in the
// background. Its revision may be compacted already, by a client or another leader; that counts as
// done.
//
// Threads: Step on the timers stage. Follows etcd server/etcdserver/api/v3compactor.

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string_view>

#include "base/clock.h"
#include "base/status.h"
#include "base/types.h"
#include "server/errors.h"

namespace kvorum::server {

enum class CompactionMode { kPeriodic, kRevision };

struct CompactionRetention {
  CompactionMode mode = CompactionMode::kPeriodic;
  Duration period{0};     // periodic; 0: off
  int64_t revisions = 0;  // revision; 0: off
  bool off() const { return period == Duration(0) && revisions == 0; }
};

// The flags --auto-compaction-mode ("periodic" or "revision") and --auto-compaction-retention: a
// number of hours or of revisions, or a duration; in revision mode its nanoseconds are the number.
// Empty: off. InvalidArgument with etcd's text; also for what etcd would take and then fail on:
// less than nothing, and more than a duration holds.
StatusOr<CompactionRetention> ParseCompactionRetention(std::string_view mode,
                                                       std::string_view retention);

class AutoCompactor {
 public:
  using OnCompacted = std::function<void(Error error)>;
  // All of it must outlive the compactor's calls, also those still under way.
  struct Parts {
    std::function<Revision()> revision;  // the store's current one
    std::function<bool()> leads;
    // Proposes a compaction; calls back exactly once, on any thread.
    std::function<void(Revision, OnCompacted)> compact;
    std::function<void()> run_soon;  // makes Step due; thread-safe
  };

  // Null when `retention` is off.
  static std::unique_ptr<AutoCompactor> New(const CompactionRetention& retention, Parts parts);
  virtual ~AutoCompactor() = default;

  // A job of the timers. Returns when to call again.
  TimePoint Step(TimePoint now);

 protected:
  explicit AutoCompactor(Parts parts) : parts_(std::move(parts)) {}
  const Parts& parts() const { return parts_; }

  // A round: before its first wait, and after that of the one before. Returns when the wait ends.
  virtual TimePoint BeginWait(TimePoint now) = 0;
  // The wait is over: what to compact, if anything.
  virtual std::optional<Revision> Choose(TimePoint now) = 0;
  virtual void LogStarting(Revision revision) const = 0;
  // Writes its line and remembers what was done.
  virtual void OnDone(Revision revision, TimePoint now, Duration took) = 0;
  virtual void LogFailed(Revision revision, Error error) const = 0;

 private:
  void Start(Revision revision, TimePoint now);
  void Finish(TimePoint now);

  const Parts parts_;

  // The stage's alone.
  std::optional<TimePoint> wait_until_;  // not set before the first round
  std::optional<Revision> under_way_;
  TimePoint started_at_;

  Error result_ = Error::kOk;  // before finished_
  std::atomic<bool> finished_ = false;
};

}  // namespace kvorum::server
