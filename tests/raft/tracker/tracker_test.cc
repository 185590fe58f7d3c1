#include "raft/tracker/tracker.h"

#include <gtest/gtest.h>

#include "base/random.h"

namespace kvorum::raft::tracker {
namespace {

TEST(TrackerTest, CountsOnlyVotersForCommitAndActivity) {
  Config config;
  config.voters.incoming = {MemberId(1), MemberId(2), MemberId(3)};
  config.learners = {MemberId(4)};
  ProgressMap progress;
  for (uint64_t id = 1; id <= 4; ++id) {
    progress.emplace(MemberId(id), Progress({.match = Index(id * 10),
                                             .next = Index(id * 10 + 1),
                                             .is_learner = id == 4,
                                             .recent_active = id == 1 || id == 4}));
  }
  EXPECT_EQ(Committed(config, progress), Index(20));
  EXPECT_FALSE(QuorumActive(config, progress));
  progress.at(MemberId(3)).set_recent_active(true);
  EXPECT_TRUE(QuorumActive(config, progress));
  EXPECT_EQ(config.ToString(), "voters=(1 2 3) learners=(4)");
  const raftpb::ConfState state = config.ToConfState();
  EXPECT_EQ(state.voters_size(), 3);
  EXPECT_EQ(state.learners_size(), 1);
  EXPECT_TRUE(state.has_auto_leave());
}

// ---- Committed and QuorumActive, every case of three members ----

constexpr uint32_t kIds = 3;
constexpr uint32_t kSubsets = 1u << kIds;

bool Majority(uint32_t set, uint32_t who) {
  return set == 0 || 2 * __builtin_popcount(set & who) > __builtin_popcount(set);
}

struct Case {
  uint32_t incoming;
  uint32_t outgoing;
  Config config;
};

// `incoming` and `outgoing` as bits; whoever is in neither is a learner.
Case Make(uint32_t incoming, uint32_t outgoing) {
  Case c{.incoming = incoming, .outgoing = outgoing, .config = {}};
  for (uint32_t i = 0; i < kIds; ++i) {
    const MemberId id(i + 1);
    if (incoming >> i & 1) c.config.voters.incoming.Insert(id);
    if (outgoing >> i & 1) c.config.voters.outgoing.Insert(id);
    if (((incoming | outgoing) >> i & 1) == 0) c.config.learners.insert(id);
  }
  return c;
}

ProgressMap MakeProgress(const Case& c, uint32_t active, const std::vector<uint64_t>& match) {
  ProgressMap progress;
  for (uint32_t i = 0; i < kIds; ++i) {
    progress.emplace(MemberId(i + 1),
                     Progress({.match = Index(match[i]),
                               .next = Index(match[i] + 1),
                               .is_learner = c.config.learners.count(MemberId(i + 1)) > 0,
                               .recent_active = (active >> i & 1) == 1}));
  }
  return progress;
}

TEST(TrackerTest, AQuorumIsActiveWhenMajoritiesOfBothHalvesAre) {
  for (uint32_t in = 1; in < kSubsets; ++in) {
    for (uint32_t out = 0; out < kSubsets; ++out) {
      const Case c = Make(in, out);
      for (uint32_t active = 0; active < kSubsets; ++active) {
        EXPECT_EQ(QuorumActive(c.config, MakeProgress(c, active, {1, 1, 1})),
                  Majority(in, active) && Majority(out, active))
            << c.config.ToString() << " active " << active;
      }
    }
  }
}

TEST(TrackerTest, CommittedIsTheLargestMatchOfMajoritiesOfBothHalves) {
  for (uint32_t in = 1; in < kSubsets; ++in) {
    for (uint32_t out = 0; out < kSubsets; ++out) {
      const Case c = Make(in, out);
      for (uint64_t matches = 0; matches < 64; ++matches) {
        const std::vector<uint64_t> match{matches & 3, matches >> 2 & 3, matches >> 4 & 3};
        uint64_t expected = 0;
        for (uint64_t value = 1; value <= 3; ++value) {
          uint32_t who = 0;
          for (uint32_t i = 0; i < kIds; ++i) who |= match[i] >= value ? 1u << i : 0;
          if (Majority(in, who) && Majority(out, who)) expected = value;
        }
        EXPECT_EQ(Committed(c.config, MakeProgress(c, 0, match)), Index(expected));
      }
    }
  }
}

// ---- One follower, with a log and a network that loses, against what the leader believes ----

struct Follower {
  Progress pr{Progress::Options{.match = Index(0),
                                .next = Index(1),
                                .recent_active = true,
                                .max_inflight_messages = 3,
                                .max_inflight_bytes = 40}};
  uint64_t last = 0;  // what the leader has
  uint64_t held = 0;  // what the follower holds of it
};

// Sends as the leader would; the append arrives or is lost.
void Send(Follower* f, bool arrives, uint64_t bytes) {
  Progress& pr = f->pr;
  if (pr.IsPaused()) return;
  const bool full = pr.state() == ProgressState::kReplicate && pr.inflights().Full();
  const uint64_t count = full || pr.next().value() > f->last ? 0 : 1;
  const uint64_t prev = pr.next().value() - 1;
  pr.SentEntries(count, count * bytes);
  if (arrives && prev <= f->held) f->held = std::max(f->held, prev + count);
}

void Answer(Follower* f, Random* random) {
  Progress& pr = f->pr;
  const Index at(random->Uniform(f->held + 1));  // perhaps an old one
  if (pr.MaybeUpdate(at) || (pr.match() == at && pr.state() == ProgressState::kProbe)) {
    if (pr.state() == ProgressState::kReplicate) {
      pr.FreeInflightsUpTo(at);
    } else {
      pr.BecomeReplicate();
    }
  }
}

void Reject(Follower* f) {
  Progress& pr = f->pr;
  const uint64_t prev = pr.next().value() - 1;
  if (prev <= f->held) return;
  if (pr.MaybeDecrease(Index(prev), Index(f->held)) && pr.state() == ProgressState::kReplicate) {
    pr.BecomeProbe();
  }
}

TEST(ProgressModelTest, TheLeaderNeverBelievesTooMuchAndAlwaysGetsThrough) {
  auto random = NewSeededRandom(5);
  for (int round = 0; round < 500; ++round) {
    Follower f;
    for (int step = 0; step < 300; ++step) {
      switch (random->Uniform(8)) {
        case 0:
        case 1:
          ++f.last;
          break;
        case 2:
        case 3:
          Send(&f, random->Uniform(3) != 0, random->Uniform(30));
          break;
        case 4:
          Answer(&f, random.get());
          break;
        case 5:
          Reject(&f);
          break;
        case 6:
          f.pr.set_flow_paused(f.pr.state() == ProgressState::kReplicate &&
                               f.pr.inflights().Full());
          break;
        default:
          if (f.pr.state() == ProgressState::kReplicate) f.pr.BecomeProbe();
          break;
      }
      ASSERT_LT(f.pr.match(), f.pr.next());
      ASSERT_LE(f.pr.match().value(), f.held);
      ASSERT_LE(f.pr.next().value(), f.last + 1);
      ASSERT_LE(f.pr.inflights().count(), 3u);
      ASSERT_LT(f.pr.inflights().bytes(), 40u + 30u);
      if (f.pr.state() != ProgressState::kReplicate) {
        ASSERT_EQ(f.pr.inflights().count(), 0u);
      }
    }
    // Nothing is lost any more: heartbeat answers, probes and acknowledgements finish the work.
    for (uint64_t turn = 0; turn < 4 * f.last + 8; ++turn) {
      f.pr.set_flow_paused(false);
      Reject(&f);
      Send(&f, true, 1);
      const Index at(f.held);
      if (f.pr.MaybeUpdate(at) || f.pr.state() == ProgressState::kProbe) {
        if (f.pr.state() == ProgressState::kReplicate) f.pr.FreeInflightsUpTo(at);
        if (f.pr.state() == ProgressState::kProbe) f.pr.BecomeReplicate();
      }
    }
    ASSERT_EQ(f.pr.match().value(), f.last) << f.pr.ToString() << " holds " << f.held;
  }
}

// ---- The window against a list ----

TEST(InflightsModelTest, IsAListThatAcksCutFromTheFront) {
  auto random = NewSeededRandom(9);
  for (int round = 0; round < 300; ++round) {
    const int messages = 1 + static_cast<int>(random->Uniform(5));
    const uint64_t limit = random->Uniform(2) * (1 + random->Uniform(100));
    Inflights window(messages, limit);
    std::vector<std::pair<uint64_t, uint64_t>> list;  // last index, bytes
    uint64_t index = 0;
    for (int step = 0; step < 100; ++step) {
      uint64_t sum = 0;
      for (const auto& [last, bytes] : list) sum += bytes;
      ASSERT_EQ(window.Full(),
                list.size() >= static_cast<size_t>(messages) || (limit != 0 && sum >= limit));
      ASSERT_EQ(window.count(), list.size());
      ASSERT_EQ(window.bytes(), sum);
      if (random->Uniform(3) != 0 && !window.Full()) {
        index += 1 + random->Uniform(3);
        const uint64_t bytes = random->Uniform(60);
        window.Add(Index(index), bytes);
        list.emplace_back(index, bytes);
      } else if (random->Uniform(20) == 0) {
        window.Reset();
        list.clear();
      } else {
        const uint64_t up_to = index - std::min(index, random->Uniform(6));
        window.FreeUpTo(Index(up_to));
        std::erase_if(list, [&](const auto& m) { return m.first <= up_to; });
      }
    }
  }
}

}  // namespace
}  // namespace kvorum::raft::tracker
