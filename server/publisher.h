#pragma once
// Publisher: what a member says about itself through the log when it starts: its name and client
// URLs, again and again until that is applied. A member is ready when it is, and the cluster has
// agreed on a version (server/version_monitor.h).
//
// Threads: Step on the timers stage, the rest on any. Follows etcd server/etcdserver/server.go
// publishV3.

#include <absl/base/thread_annotations.h>
#include <absl/synchronization/mutex.h>

#include "base/clock.h"
#include "base/types.h"
#include "server/config.h"
#include "server/membership/membership.h"
#include "server/proposer.h"

namespace kvorum::server {

class Publisher {
 public:
  static constexpr Duration kInterval = std::chrono::milliseconds(20);

  // All must outlive this.
  Publisher(const Config& config, ClusterId cluster, const Membership& membership,
            Proposer& proposer);

  // A job of the timers; proposes what is missing. Returns when to call again.
  TimePoint Step(TimePoint now);

  // Blocks until the member is ready (true) or Stop was called (false).
  bool WaitReady();
  bool ready() const;
  void Stop();

 private:
  enum class State { kPublishing, kPublished, kReady, kStopped };

  void PublishAttributes();
  void Advance(State from, State to);
  void Set(State state) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);

  const Config& config_;
  const ClusterId cluster_;
  const Membership& membership_;
  Proposer& proposer_;

  mutable absl::Mutex mutex_;
  absl::CondVar changed_;  // state_
  State state_ ABSL_GUARDED_BY(mutex_) = State::kPublishing;
  bool under_way_ ABSL_GUARDED_BY(mutex_) = false;  // a proposal of ours
};

}  // namespace kvorum::server
