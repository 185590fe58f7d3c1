#pragma once
// VersionMonitor: the leader's care for the version of the cluster: the least that all members
// speak. It asks them every few seconds, and as soon as it begins to lead, and proposes a version
// where there is none, or where all members have become newer. While one cannot be asked, a version
// that was set stays; where there is none yet, the oldest possible is set.
//
// Threads: Step on the timers stage. Follows etcd server/etcdserver/version/monitor.go.

#include <absl/base/thread_annotations.h>
#include <absl/synchronization/mutex.h>

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/clock.h"
#include "server/membership/membership.h"
#include "server/peers.h"
#include "server/proposer.h"
#include "server/raft_loop.h"

namespace kvorum::server {

// Of each member; nothing for one that did not answer.
using MemberVersions = std::map<MemberId, std::optional<std::string>>;

// The version to set ("3.7.0"), or nothing if `current` (empty: none) is to stay.
std::optional<std::string> DecideClusterVersion(const std::string& current,
                                                const MemberVersions& servers);

class VersionMonitor {
 public:
  static constexpr Duration kInterval = std::chrono::seconds(4);

  // All pointers must outlive this; `peers` may be null where there are none.
  struct Parts {
    const Membership* membership = nullptr;
    const RaftLoop* raft = nullptr;
    Proposer* proposer = nullptr;
    Peers* peers = nullptr;
  };
  explicit VersionMonitor(const Parts& parts) : parts_(parts) {}

  // A job of the timers. Returns when to call again.
  TimePoint Step(TimePoint now);

 private:
  // One look at all members; kept by the answers still to come.
  struct Round {
    absl::Mutex mutex;
    MemberVersions versions ABSL_GUARDED_BY(mutex);
    size_t missing ABSL_GUARDED_BY(mutex) = 0;
  };

  void Ask();
  static void Propose(const Parts& parts, const MemberVersions& versions);

  const Parts parts_;
};

}  // namespace kvorum::server
