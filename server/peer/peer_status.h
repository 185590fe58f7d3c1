#pragma once
// PeerStatus: whether messages go through to a peer, and since when. One for all of a peer's
// channels, so it changes back and forth when one works and another does not.
//
// Threads: any. Follows etcd rafthttp/peer_status.go.

#include <absl/base/thread_annotations.h>
#include <absl/synchronization/mutex.h>

#include <optional>
#include <string_view>

#include "base/clock.h"
#include "base/types.h"
#include "server/peer/metrics.h"

namespace kvorum::server::peer {

class PeerStatus {
 public:
  PeerStatus(MemberId local, MemberId remote) : remote_(remote), metrics_(local, remote) {}

  void Activate();
  // "failed to <action> <id> on <source> (<reason>)" goes to the log.
  void Deactivate(std::string_view action, std::string_view source, std::string_view reason);
  // Nothing while inactive.
  std::optional<TimePoint> active_since() const;
  bool active() const { return active_since().has_value(); }
  PeerMetrics& metrics() { return metrics_; }

 private:
  const MemberId remote_;
  PeerMetrics metrics_;
  mutable absl::Mutex mutex_;
  std::optional<TimePoint> active_since_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace kvorum::server::peer
