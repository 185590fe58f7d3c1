// Every pair of sets of four voters with every pattern of acknowledgements and votes, against the
// definitions: what a majority is, and what follows whatever the outstanding votes will be.

#include <gtest/gtest.h>

#include "raft/quorum/joint.h"

namespace kvorum::raft::quorum {
namespace {

constexpr uint32_t kIds = 4;
constexpr uint32_t kSubsets = 1u << kIds;

MajorityConfig Set(uint32_t bits) {
  MajorityConfig out;
  for (uint32_t i = 0; i < kIds; ++i) {
    if (bits >> i & 1) out.Insert(MemberId(i + 1));
  }
  return out;
}

int Count(uint32_t bits) { return __builtin_popcount(bits); }

// `who` holds a majority of `set`, and of nobody everything.
bool Majority(uint32_t set, uint32_t who) { return set == 0 || 2 * Count(set & who) > Count(set); }

// A digit a voter: 0 is no answer at all.
using Digits = std::array<uint64_t, kIds>;

template <typename Visit>
void ForEachPattern(uint64_t base, Visit visit) {
  Digits digits{};
  for (;;) {
    visit(digits);
    size_t i = 0;
    while (i < kIds && ++digits[i] == base) digits[i++] = 0;
    if (i == kIds) return;
  }
}

// The largest value such that the voters who acknowledged it or more are majorities of both sets.
uint64_t DefinedCommit(uint32_t incoming, uint32_t outgoing, const Digits& acked) {
  if (incoming == 0 && outgoing == 0) return kEverything;
  for (uint64_t value = 4; value > 0; --value) {
    uint32_t who = 0;
    for (uint32_t i = 0; i < kIds; ++i) who |= acked[i] >= value ? 1u << i : 0;
    if (Majority(incoming, who) && Majority(outgoing, who)) return value;
  }
  return 0;
}

TEST(QuorumExhaustiveTest, TheCommitIndexIsTheLargestThatMajoritiesHold) {
  for (uint32_t in = 0; in < kSubsets; ++in) {
    for (uint32_t out = 0; out < kSubsets; ++out) {
      const JointConfig config{.incoming = Set(in), .outgoing = Set(out)};
      ForEachPattern(4, [&](const Digits& acked) {
        const auto find = [&](MemberId id) -> std::optional<uint64_t> {
          const uint64_t value = acked[id.value() - 1];
          return value == 0 ? std::nullopt : std::optional(value);
        };
        ASSERT_EQ(config.CommittedIndex(find), DefinedCommit(in, out, acked)) << config.ToString();
      });
    }
  }
}

// Won or lost when no way to fill in the missing votes changes it.
VoteResult DefinedResult(uint32_t incoming, uint32_t outgoing, uint32_t yes, uint32_t missing) {
  bool can_win = false;
  bool can_lose = false;
  for (uint32_t fill = 0; fill < kSubsets; ++fill) {
    if ((fill & ~missing) != 0) continue;
    const bool won = Majority(incoming, yes | fill) && Majority(outgoing, yes | fill);
    (won ? can_win : can_lose) = true;
  }
  if (can_win && can_lose) return VoteResult::kPending;
  return can_win ? VoteResult::kWon : VoteResult::kLost;
}

TEST(QuorumExhaustiveTest, AVoteIsDecidedWhenNothingCanChangeIt) {
  for (uint32_t in = 0; in < kSubsets; ++in) {
    for (uint32_t out = 0; out < kSubsets; ++out) {
      const JointConfig config{.incoming = Set(in), .outgoing = Set(out)};
      ForEachPattern(3, [&](const Digits& answers) {
        Votes votes;
        uint32_t yes = 0;
        uint32_t missing = 0;
        for (uint32_t i = 0; i < kIds; ++i) {
          if (answers[i] == 0) {
            missing |= 1u << i;
          } else {
            votes[MemberId(i + 1)] = answers[i] == 2;
            yes |= answers[i] == 2 ? 1u << i : 0;
          }
        }
        ASSERT_EQ(config.Result(votes), DefinedResult(in, out, yes, missing)) << config.ToString();
      });
    }
  }
}

// Two elections of one configuration that are both won have a voter in common, as has an election
// with what was committed before it.
TEST(QuorumExhaustiveTest, WinnersShareAVoter) {
  const auto won = [](const JointConfig& config, uint32_t who) {
    Votes votes;
    for (uint32_t i = 0; i < kIds; ++i) votes[MemberId(i + 1)] = (who >> i & 1) == 1;
    return config.Result(votes) == VoteResult::kWon;
  };
  for (uint32_t in = 1; in < kSubsets; ++in) {
    for (uint32_t out = 0; out < kSubsets; ++out) {
      const JointConfig config{.incoming = Set(in), .outgoing = Set(out)};
      for (uint32_t a = 0; a < kSubsets; ++a) {
        for (uint32_t b = 0; b < kSubsets; ++b) {
          if ((a & b & (in | out)) != 0 || !won(config, a)) continue;
          ASSERT_FALSE(won(config, b)) << config.ToString();
        }
      }
    }
  }
}

}  // namespace
}  // namespace kvorum::raft::quorum
