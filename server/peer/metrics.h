#pragma once
// What the transport counts. Names and help texts are etcd's (rafthttp/metrics.go); a family with a
// member's id for label appears once there is something to count for it.
//
// Threads: any. Counters live as long as the process, so ids come from the membership, never from
// what somebody sent.

#include <string>

#include "base/metrics.h"
#include "base/types.h"

namespace kvorum::server::peer {

// Of one other member. Those that are counted often are kept; the methods look theirs up.
class PeerMetrics {
 public:
  PeerMetrics(MemberId local, MemberId remote);

  metrics::Counter& sent_bytes() { return sent_bytes_; }
  metrics::Counter& received_bytes() { return received_bytes_; }
  void SetActive(bool active) { active_.Set(active ? 1 : 0); }
  void Disconnected();
  void SendFailed();
  void ReceiveFailed();
  void RoundTrip(Duration took);

 private:
  const std::string local_;
  const std::string remote_;
  metrics::Counter& sent_bytes_;
  metrics::Counter& received_bytes_;
  metrics::Gauge& active_;
};

// Link heartbeats, which come from nobody.
metrics::Counter& NobodysReceivedBytes();
// Of a request that made no sense; `from` is its host.
void CountBadRequest(const std::string& from);

// A database on its way to or from a member: in flight for the life of this object.
class SnapshotMeter {
 public:
  enum class Direction { kSend, kReceive };
  SnapshotMeter(Direction direction, const std::string& other);
  ~SnapshotMeter();
  SnapshotMeter(const SnapshotMeter&) = delete;
  SnapshotMeter& operator=(const SnapshotMeter&) = delete;

  void Succeeded(Duration took);
  void Failed() { Failed(direction_, other_); }
  // Before it was known what it is.
  static void Failed(Direction direction, const std::string& other);

 private:
  const Direction direction_;
  const std::string other_;
};

}  // namespace kvorum::server::peer
