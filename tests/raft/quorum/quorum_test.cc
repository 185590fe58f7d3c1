// Majorities and joint majorities, by tables and against a model that counts naively.

#include <gtest/gtest.h>

#include <algorithm>
#include <map>

#include "base/random.h"
#include "raft/quorum/joint.h"

namespace kvorum::raft::quorum {
namespace {

using Acks = std::map<MemberId, uint64_t>;

MemberId Id(uint64_t id) { return MemberId(id); }

std::optional<uint64_t> Find(const Acks& acks, MemberId id) {
  const auto it = acks.find(id);
  if (it == acks.end()) return std::nullopt;
  return it->second;
}

template <typename C>
uint64_t Committed(const C& config, const Acks& acks) {
  return config.CommittedIndex([&](MemberId id) { return Find(acks, id); });
}

TEST(MajorityTest, CommitsWhatAMajorityHolds) {
  const struct {
    MajorityConfig voters;
    Acks acks;
    uint64_t committed;
  } cases[] = {
      {{}, {}, kEverything},
      {{Id(1)}, {}, 0},
      {{Id(1)}, {{Id(1), 12}}, 12},
      {{Id(1), Id(2)}, {{Id(1), 12}}, 0},
      {{Id(1), Id(2)}, {{Id(1), 12}, {Id(2), 5}}, 5},
      {{Id(1), Id(2), Id(3)}, {{Id(1), 12}, {Id(2), 5}}, 5},
      {{Id(1), Id(2), Id(3)}, {{Id(1), 12}, {Id(2), 5}, {Id(3), 6}}, 6},
      {{Id(1), Id(2), Id(3), Id(4)}, {{Id(1), 3}, {Id(2), 3}, {Id(3), 9}, {Id(4), 9}}, 3},
      {{Id(1), Id(2), Id(3), Id(4), Id(5)}, {{Id(1), 101}, {Id(2), 104}, {Id(5), 103}}, 101},
      {{Id(1), Id(2)}, {{Id(1), 4}, {Id(2), 4}, {Id(9), 99}}, 4},  // strangers do not count
  };
  for (const auto& c : cases) {
    EXPECT_EQ(Committed(c.voters, c.acks), c.committed) << c.voters.ToString();
  }
}

TEST(MajorityTest, VotesAreDecidedAsSoonAsTheyCanBe) {
  const MajorityConfig three{Id(1), Id(2), Id(3)};
  EXPECT_EQ(MajorityConfig().Result({}), VoteResult::kWon);
  EXPECT_EQ(three.Result({}), VoteResult::kPending);
  EXPECT_EQ(three.Result({{Id(1), true}}), VoteResult::kPending);
  EXPECT_EQ(three.Result({{Id(1), true}, {Id(2), false}}), VoteResult::kPending);
  EXPECT_EQ(three.Result({{Id(1), true}, {Id(2), true}}), VoteResult::kWon);
  EXPECT_EQ(three.Result({{Id(1), false}, {Id(2), false}}), VoteResult::kLost);
  EXPECT_EQ(three.Result({{Id(7), true}, {Id(8), true}}), VoteResult::kPending);
  const MajorityConfig four{Id(1), Id(2), Id(3), Id(4)};
  EXPECT_EQ(four.Result({{Id(1), true}, {Id(2), true}}), VoteResult::kPending);
  EXPECT_EQ(four.Result({{Id(1), false}, {Id(2), false}}), VoteResult::kLost);
}

TEST(MajorityTest, IsASortedSet) {
  MajorityConfig c{Id(3), Id(1), Id(2), Id(1)};
  EXPECT_EQ(c.ToString(), "(1 2 3)");
  c.Erase(Id(2));
  c.Erase(Id(7));
  EXPECT_EQ(c.ToString(), "(1 3)");
  EXPECT_TRUE(c.Contains(Id(3)));
  EXPECT_FALSE(c.Contains(Id(2)));
}

TEST(JointTest, BothHalvesMustAgree) {
  const JointConfig joint{.incoming = {Id(1), Id(2), Id(3)}, .outgoing = {Id(3), Id(4), Id(5)}};
  EXPECT_EQ(joint.ToString(), "(1 2 3)&&(3 4 5)");
  EXPECT_EQ(joint.Ids().ToString(), "(1 2 3 4 5)");
  EXPECT_EQ(Committed(joint, {{Id(1), 9}, {Id(2), 9}, {Id(3), 9}}), 0u);
  EXPECT_EQ(Committed(joint, {{Id(1), 9}, {Id(2), 9}, {Id(3), 7}, {Id(5), 8}}), 7u);
  EXPECT_EQ(joint.Result({{Id(1), true}, {Id(2), true}}), VoteResult::kPending);
  EXPECT_EQ(joint.Result({{Id(1), true}, {Id(2), true}, {Id(4), false}, {Id(5), false}}),
            VoteResult::kLost);
  EXPECT_EQ(joint.Result({{Id(1), true}, {Id(3), true}, {Id(4), true}}), VoteResult::kWon);
}

TEST(JointTest, AnEmptyHalfAlwaysAgrees) {
  const JointConfig plain{.incoming = {Id(1)}, .outgoing = {}};
  EXPECT_EQ(Committed(plain, {{Id(1), 4}}), 4u);
  EXPECT_EQ(plain.Result({{Id(1), true}}), VoteResult::kWon);
  EXPECT_EQ(plain.Result({{Id(1), false}}), VoteResult::kLost);
  EXPECT_FALSE(plain.IsJoint());
}

// ---- Against a model ----

// The largest value such that more than half of the set acked at least it.
uint64_t NaiveCommitted(const MajorityConfig& c, const Acks& acks) {
  if (c.empty()) return kEverything;
  uint64_t best = 0;
  for (const auto& [id, candidate] : acks) {
    size_t n = 0;
    for (MemberId voter : c) n += Find(acks, voter).value_or(0) >= candidate ? 1 : 0;
    if (n * 2 > c.size()) best = std::max(best, candidate);
  }
  return best;
}

// Decided if every way to fill in the missing votes gives the same answer.
VoteResult NaiveResult(const JointConfig& c, const Votes& votes) {
  const std::vector<MemberId> ids = c.Ids().ids();
  bool can_win = false;
  bool can_lose = false;
  for (uint32_t fill = 0; fill < (1u << ids.size()); ++fill) {
    const auto yes = [&](MemberId id) {
      if (const auto it = votes.find(id); it != votes.end()) return it->second;
      const auto i = std::lower_bound(ids.begin(), ids.end(), id) - ids.begin();
      return (fill >> i & 1) == 1;
    };
    bool won = true;
    for (const MajorityConfig* half : {&c.incoming, &c.outgoing}) {
      size_t n = 0;
      for (MemberId id : *half) n += yes(id) ? 1 : 0;
      won = won && (half->empty() || n * 2 > half->size());
    }
    (won ? can_win : can_lose) = true;
  }
  if (can_win && can_lose) return VoteResult::kPending;
  return can_win ? VoteResult::kWon : VoteResult::kLost;
}

TEST(QuorumTest, AgreesWithCountingNaively) {
  auto random = NewSeededRandom(7);
  for (int round = 0; round < 20000; ++round) {
    JointConfig c;
    Acks acks;
    Votes votes;
    for (uint64_t id = 1; id <= 7; ++id) {
      if (random->Uniform(2) == 0) c.incoming.Insert(Id(id));
      if (round % 2 == 0 && random->Uniform(2) == 0) c.outgoing.Insert(Id(id));
      if (random->Uniform(4) != 0) acks[Id(id)] = random->Uniform(5);
      if (random->Uniform(3) != 0) votes[Id(id)] = random->Uniform(2) == 0;
    }
    ASSERT_EQ(Committed(c.incoming, acks), NaiveCommitted(c.incoming, acks));
    ASSERT_EQ(Committed(c, acks),
              std::min(NaiveCommitted(c.incoming, acks), NaiveCommitted(c.outgoing, acks)));
    ASSERT_EQ(c.Result(votes), NaiveResult(c, votes)) << c.ToString();
  }
}

}  // namespace
}  // namespace kvorum::raft::quorum
