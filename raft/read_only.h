#pragma once
// Read requests waiting until a quorum has confirmed that the leader still leads.
//
// Reads are numbered 1, 2, 3 ... within one leadership. Each heartbeat carries the number of the
// newest read (eight bytes, little-endian) and is echoed; a voter that echoed n has confirmed the
// leader after read n arrived, and so for all reads before. What a quorum has confirmed is released
// in order. A lost heartbeat costs nothing: any later echo makes up for it.
//   reads 1 2 3 4, confirmed 2: queue {3, 4}, position() = 4; echoes a: 4, b: 3 release read 3
// Follows go.etcd.io/raft read_only.go (the counter scheme of 3.7); thesis 6.4.

#include <cstdint>
#include <deque>
#include <map>
#include <vector>

#include "raft/quorum/joint.h"
#include "raft/types.h"

namespace kvorum::raft {

class ReadOnly {
 public:
  // Reads beyond this many waiting are dropped; the requester asks again after a while.
  static constexpr size_t kMaxWaiting = 1 << 16;
  // Of one request; a server's are eight bytes long. Longer ones are dropped, so that what waits is
  // bounded by the product of the two.
  static constexpr size_t kMaxContextBytes = 256;

  struct Request {
    Message message;  // kReadIndex as it came
    Index index;      // commit index when it came
  };

  // False when full.
  bool Add(Index committed, Message message);
  // Number of the newest read: what a heartbeat asks to confirm. 0 when none waits.
  uint64_t position() const { return waiting_.empty() ? 0 : confirmed_ + waiting_.size(); }
  // position() as a heartbeat's context, empty for 0.
  SharedBytes HeartbeatContext() const;
  // `from` echoed `context`. Ignores what is not eight bytes.
  void ReceiveAck(MemberId from, const SharedBytes& context);
  void ReceiveAck(MemberId from, uint64_t position);
  // Takes out the requests a quorum of `voters` has confirmed, in order.
  std::vector<Request> Advance(const quorum::JointConfig& voters);
  size_t waiting() const { return waiting_.size(); }

 private:
  std::deque<Request> waiting_;
  uint64_t confirmed_ = 0;  // reads released so far
  std::map<MemberId, uint64_t> acks_;
};

}  // namespace kvorum::raft
