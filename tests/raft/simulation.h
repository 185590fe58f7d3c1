#pragma once
// A cluster under a seeded scheduler: one seed, one history, replayed exactly.
//
// Every step does one small thing somewhere: deliver, lose or repeat a message, tick, take Readys,
// finish some writes, apply a batch, propose, read, compact, crash, cut links, transfer, change the
// configuration. Writes and acknowledgements of one member stay in order; everything else may
// overtake.
//
// Checked all along:
//   - election safety: one leader a term, and one incarnation of it
//   - log matching: an (index, term) means one payload and one predecessor, everywhere, for ever
//   - leader completeness: a leader's log holds everything ever committed
//   - state machine safety: an index is applied with one payload, once, in order
//   - terms, votes and commit indices never go back; a vote is not given twice
//   - a read point covers everything committed anywhere before the read was asked for
// A breach ends the test with the seed in its message. Settle() then checks that the cluster
// recovers.

#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "tests/raft/member.h"

namespace kvorum::raft::testing {

struct SimulationOptions {
  uint64_t seed = 1;
  int voters = 3;
  int spares = 0;  // further members, outside until a change brings them in
  bool pre_vote = false;
  bool check_quorum = false;
  bool conf_changes = false;
  // Chances in 1,000 steps.
  int crash = 4;
  int cut = 4;
  int compact = 3;
  int lose = 50;    // of a message being delivered
  int repeat = 20;  // likewise
};

class Simulation {
 public:
  explicit Simulation(const SimulationOptions& options);

  void Run(int steps);
  // Heals everything, stops the mischief, and runs until all members of the final configuration
  // have applied a last proposal. False if they do not get there.
  bool Settle();

  // Empty while no rule was broken; else the first breach.
  const std::string& breach() const { return breach_; }
  // Where every member stands, one a line.
  std::string Describe() const;
  // What happened, to see that a run was worth its time.
  struct Counts {
    int leaders = 0;
    int applied = 0;
    int reads = 0;
    int crashes = 0;
    int snapshots = 0;
    int changes = 0;
  };
  const Counts& counts() const { return counts_; }

 private:
  struct Committed {
    Term term;
    std::string data;
    friend bool operator==(const Committed&, const Committed&) = default;
  };
  struct Known {
    int restarts = 0;
    Term term;
    MemberId vote;
    Index commit;
  };

  bool Chance(int in_thousand) { return random_->Uniform(1000) < uint64_t(in_thousand); }
  Member& RandomMember();
  void Step();
  void DeliverOne();
  void Deliver(Message m);
  void Propose();
  void ProposeChange();
  void HandOver(Member& m);
  void StartRead();
  void CutSomething();
  void Crash(Member& m);
  void Collect(Member& m);

  void Check(Member& m);
  void CheckLeader(const Member& m);
  void CheckCommitted(const Member& m);
  void CheckEntries(const Member& m, const Ready& ready);
  void CheckApplied(const Member& m, const Entry& e);
  void Breach(const std::string& what);

  SimulationOptions options_;
  std::unique_ptr<Random> random_;
  std::map<MemberId, std::unique_ptr<Member>> members_;
  std::vector<Message> in_flight_;
  std::set<std::pair<MemberId, MemberId>> cut_;

  std::map<Term, std::pair<MemberId, int>> leaders_;                        // and incarnation
  std::map<std::pair<Index, Term>, std::pair<Term, std::string>> entries_;  // predecessor, payload
  std::map<Index, Committed> committed_;
  std::map<MemberId, Known> known_;
  std::map<std::string, Index> reads_;  // context -> what the answer must cover
  uint64_t next_payload_ = 0;
  std::string breach_;
  Counts counts_;
};

}  // namespace kvorum::raft::testing
