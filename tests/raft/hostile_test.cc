// Whatever a peer sends, a member goes on: no message ends the process, but for a commit index
// beyond the log, which says that this member lost what it had promised.

#include <gtest/gtest.h>

#include <algorithm>
#include <limits>

#include "tests/raft/network.h"

namespace kvorum::raft {
namespace {

using testing::MakeConfState;
using testing::Member;

class Hostile {
 public:
  explicit Hostile(uint64_t seed) : random_(NewSeededRandom(seed)) {}

  Message Next(const RawNode& to) {
    Message m;
    m.type = static_cast<MessageType>(random_->Uniform(kMessageTypeCount + 1));
    m.to = random_->Uniform(20) == 0 ? MemberId(7) : to.id();
    m.from = MemberId(random_->Uniform(5));
    // Mostly near what the member takes for true, or it would see little but old terms.
    m.term = Term(random_->Uniform(3) == 0 ? Small() : to.term().value() + random_->Uniform(2));
    m.log_term = Term(random_->Uniform(3) == 0 ? Small() : to.term().value());
    m.index = Index(Number(to));
    m.commit = Index(Number(to));
    if (m.type == MessageType::kHeartbeat) m.commit = std::min(m.commit, to.last_index());
    m.reject = random_->Uniform(2) == 0;
    m.reject_hint = Index(Number(to));
    if (random_->Uniform(2) == 0) m.context = SharedBytes(std::string(random_->Uniform(20), 'c'));
    for (uint64_t n = random_->Uniform(4); n > 0; --n) m.entries.push_back(NextEntry(m));
    if (random_->Uniform(2) == 0) m.snapshot = NextSnapshot(to);
    return m;
  }
  uint64_t Uniform(uint64_t n) { return random_->Uniform(n); }

 private:
  uint64_t Small() { return random_->Uniform(9); }

  uint64_t Number(const RawNode& to) {
    switch (random_->Uniform(8)) {
      case 0:
        return std::numeric_limits<uint64_t>::max() - random_->Uniform(3);
      case 1:
        return to.committed().value();
      case 2:
        return to.last_index().value();
      default:
        return Small();
    }
  }

  // Mostly the one that belongs behind those before it.
  Entry NextEntry(const Message& m) {
    const uint64_t last = m.entries.empty() ? m.index.value() : m.entries.back().index.value();
    return {.term = random_->Uniform(6) == 0 ? Term(Small()) : m.term,
            .index = Index(random_->Uniform(8) == 0 ? Small() : last + 1),
            .data = SharedBytes(std::string(random_->Uniform(4), 'x'))};
  }

  SnapshotPtr NextSnapshot(const RawNode& to) {
    auto snapshot = std::make_shared<Snapshot>();
    snapshot->metadata.index = Index(to.committed().value() + random_->Uniform(4));
    snapshot->metadata.term = Term(Small());
    ConfState& members = snapshot->metadata.conf_state;
    members = MakeConfState({1, 2, 3});
    if (random_->Uniform(3) == 0) members.add_learners(random_->Uniform(5));
    if (random_->Uniform(3) == 0) members.add_voters_outgoing(random_->Uniform(5));
    if (random_->Uniform(5) == 0) members.add_learners_next(random_->Uniform(5));
    if (random_->Uniform(9) == 0) members.clear_voters();
    members.set_auto_leave(random_->Uniform(2) == 0);
    return snapshot;
  }

  std::unique_ptr<Random> random_;
};

TEST(HostileTest, NoMessageEndsTheProcess) {
  int leaders = 0;
  int snapshots = 0;
  for (uint64_t seed = 1; seed <= 400; ++seed) {
    Hostile peer(seed);
    Member m({.id = MemberId(1),
              .conf_state = MakeConfState({1, 2, 3}),
              .seed = seed,
              .pre_vote = seed % 2 == 0,
              .check_quorum = seed % 3 == 0});
    for (int step = 0; step < 400; ++step) {
      m.node().Step(peer.Next(m.node()));
      leaders += m.node().role() == Role::kLeader ? 1 : 0;
      switch (peer.Uniform(10)) {
        case 0:
          m.node().Tick();
          break;
        case 1:
          m.node().Campaign();
          break;
        case 2:
          (void)m.node().Propose(SharedBytes("p"));
          break;
        case 3:
          m.node().ReadIndex(SharedBytes("r"));
          break;
        case 4:
        case 5:
          m.Collect();
          break;
        case 6:
          m.Sync();
          break;
        case 7:
          m.Apply();
          break;
        default:
          break;
      }
      (void)m.TakeOutbox();
      (void)m.TakeReads();
    }
    m.Settle();
    snapshots += m.disk().snapshot->metadata.index != Index(0) ? 1 : 0;
    EXPECT_LE(m.node().applied(), m.node().committed());
    EXPECT_LE(m.node().committed(), m.node().last_index());
  }
  // Otherwise little was tried.
  EXPECT_GT(leaders, 100);
  EXPECT_GT(snapshots, 20);
}

}  // namespace
}  // namespace kvorum::raft
