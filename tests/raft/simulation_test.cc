// Random histories of whole clusters. A failure names its seed: KVORUM_RAFT_SEED=<seed> repeats it,
// KVORUM_RAFT_SEEDS=<n> runs n seeds of each kind instead of the usual few.

#include "tests/raft/simulation.h"

#include <gtest/gtest.h>

#include <cstdlib>

namespace kvorum::raft {
namespace {

using testing::Simulation;
using testing::SimulationOptions;

Simulation::Counts RunSeeds(SimulationOptions options, uint64_t seeds, int steps) {
  Simulation::Counts sum;
  const char* only = std::getenv("KVORUM_RAFT_SEED");
  const char* many = std::getenv("KVORUM_RAFT_SEEDS");
  const uint64_t first = only ? std::strtoull(only, nullptr, 10) : 1;
  const uint64_t last = only ? first : many ? std::strtoull(many, nullptr, 10) : seeds;
  for (uint64_t seed = first; seed <= last; ++seed) {
    options.seed = seed;
    Simulation sim(options);
    sim.Run(steps);
    const bool settled = sim.Settle();
    EXPECT_EQ(sim.breach(), "");
    EXPECT_TRUE(settled) << "seed " << seed << " does not recover\n" << sim.Describe();
    if (!sim.breach().empty() || !settled) return sum;
    sum.leaders += sim.counts().leaders;
    sum.applied += sim.counts().applied;
    sum.reads += sim.counts().reads;
    sum.crashes += sim.counts().crashes;
    sum.snapshots += sim.counts().snapshots;
    sum.changes += sim.counts().changes;
  }
  return sum;
}

struct Variant {
  const char* name;
  SimulationOptions options;
};

class SimulationTest : public ::testing::TestWithParam<Variant> {};

INSTANTIATE_TEST_SUITE_P(
    Clusters, SimulationTest,
    ::testing::Values(
        Variant{"One", {.voters = 1}}, Variant{"Three", {.voters = 3}},
        Variant{"ThreePreVote", {.voters = 3, .pre_vote = true}},
        Variant{"ThreeAsServed", {.voters = 3, .pre_vote = true, .check_quorum = true}},
        Variant{"Five", {.voters = 5}},
        Variant{"FiveAsServed", {.voters = 5, .pre_vote = true, .check_quorum = true}},
        Variant{"ManyCrashes", {.voters = 3, .crash = 12}},
        Variant{"ManyCrashesFive", {.voters = 5, .crash = 12}},
        Variant{"Changes", {.voters = 3, .spares = 2, .conf_changes = true}},
        Variant{"ChangesAsServed",
                {.voters = 3,
                 .spares = 2,
                 .pre_vote = true,
                 .check_quorum = true,
                 .conf_changes = true}},
        Variant{"FiveChangesAsServed",
                {.voters = 5,
                 .spares = 2,
                 .pre_vote = true,
                 .check_quorum = true,
                 .conf_changes = true}}),
    [](const auto& info) { return std::string(info.param.name); });

TEST_P(SimulationTest, EveryRuleHoldsAndTheClusterRecovers) {
  const Simulation::Counts sum = RunSeeds(GetParam().options, 50, 8000);
  // Otherwise the histories prove nothing.
  EXPECT_GT(sum.leaders, 0);
  EXPECT_GT(sum.applied, 0);
  EXPECT_GT(sum.reads, 0);
  RecordProperty("leaders", sum.leaders);
  RecordProperty("applied", sum.applied);
  RecordProperty("reads", sum.reads);
  std::printf("leaders %d applied %d reads %d crashes %d snapshots %d changes %d\n", sum.leaders,
              sum.applied, sum.reads, sum.crashes, sum.snapshots, sum.changes);
}

}  // namespace
}  // namespace kvorum::raft
