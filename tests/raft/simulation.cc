#include "tests/raft/simulation.h"

#include <algorithm>

#include "base/check.h"

namespace kvorum::raft::testing {

namespace {

// Of the voters that there are, those that stay must be able to elect by themselves. Members that
// the change takes the vote from may have gone on appending behind it; they would refuse their
// votes to the others, who may not know yet that they need them no more (a change is in force only
// when it is applied).
bool LeavesAMajority(const tracker::Config& config, const ConfChangeV2& change) {
  quorum::MajorityConfig staying = config.voters.incoming;
  for (const auto& single : change.changes()) {
    if (single.type() != raftpb::ConfChangeAddNode) staying.Erase(MemberId(single.node_id()));
  }
  return 2 * staying.size() > config.voters.incoming.size();
}

}  // namespace

Simulation::Simulation(const SimulationOptions& options)
    : options_(options), random_(NewSeededRandom(options.seed)) {
  std::vector<Peer> peers;
  for (int i = 1; i <= options.voters; ++i) {
    peers.push_back({.id = MemberId(static_cast<uint64_t>(i)), .context = ""});
  }
  for (int i = 1; i <= options.voters + options.spares; ++i) {
    const MemberId id(static_cast<uint64_t>(i));
    auto member = std::make_unique<Member>(
        MemberOptions{.id = id,
                      .seed = options.seed * 100 + static_cast<uint64_t>(i),
                      .pre_vote = options.pre_vote,
                      .check_quorum = options.check_quorum,
                      .tune = [](Config* c) {
                        // Small, so that windows fill and batches split.
                        c->max_message_bytes = 60;
                        c->max_applying_bytes = 100;
                        c->max_inflight_messages = 3;
                      }});
    member->on_apply = [this](const Member& m, const Entry& e) { CheckApplied(m, e); };
    member->on_ready = [this](const Member& m, const Ready& r) { CheckEntries(m, r); };
    if (i <= options.voters) {
      CHECK_OK(member->node().Bootstrap(peers));
      member->Settle();
    }
    members_[id] = std::move(member);
  }
}

void Simulation::Breach(const std::string& what) {
  if (breach_.empty()) breach_ = "seed " + std::to_string(options_.seed) + ": " + what;
}

// ---- What happens ----

Member& Simulation::RandomMember() {
  auto it = members_.begin();
  std::advance(it, random_->Uniform(members_.size()));
  return *it->second;
}

void Simulation::Run(int steps) {
  for (int i = 0; i < steps && breach_.empty(); ++i) Step();
}

void Simulation::Step() {
  Member& m = RandomMember();
  if (Chance(options_.crash)) return Crash(m);
  if (Chance(options_.cut)) return CutSomething();
  if (Chance(options_.compact)) return m.Compact(random_->Uniform(4));
  if (Chance(20)) return Propose();
  if (Chance(15)) return StartRead();
  if (Chance(2)) return m.node().TransferLeader(RandomMember().id());
  if (Chance(2)) return HandOver(m);
  if (Chance(2)) return m.node().SetMayCampaign(random_->Uniform(3) != 0);
  if (Chance(1)) return m.node().ForgetLeader();
  if (options_.conf_changes && Chance(4)) return ProposeChange();
  if (Chance(10)) return m.Flush();
  switch (random_->Uniform(10)) {
    case 0:
      m.node().Tick();
      break;
    case 1:
    case 2:
      if (m.pending_writes() > 0) m.Sync(1 + random_->Uniform(m.pending_writes()));
      Check(m);
      break;
    case 3:
      m.Apply();
      break;
    case 4:
    case 5:
      Collect(m);
      break;
    default:
      DeliverOne();
      break;
  }
}

void Simulation::Collect(Member& m) {
  m.Collect();
  for (Message& message : m.TakeOutbox()) {
    // As a server does: what is sent is the store as it is now, not the snapshot the core had in
    // mind.
    if (message.type == MessageType::kSnap) message.snapshot = m.MakeSnapshot();
    in_flight_.push_back(std::move(message));
  }
  for (const ReadState& read : m.TakeReads()) {
    const auto it = reads_.find(std::string(read.context.view()));
    if (it == reads_.end()) continue;
    ++counts_.reads;
    if (read.index < it->second) {
      Breach("read at " + std::to_string(read.index.value()) + ", but " +
             std::to_string(it->second.value()) + " was committed before it was asked for");
    }
  }
  Check(m);
}

void Simulation::DeliverOne() {
  if (in_flight_.empty()) return;
  const size_t i = random_->Uniform(std::min<size_t>(in_flight_.size(), 1 + random_->Uniform(8)));
  Message m = in_flight_[i];
  if (!Chance(options_.repeat)) in_flight_.erase(in_flight_.begin() + static_cast<ptrdiff_t>(i));
  const bool lost = Chance(options_.lose) || cut_.count({m.from, m.to}) > 0;
  Member& sender = *members_.at(m.from);
  if (m.type == MessageType::kSnap) {
    sender.node().ReportSnapshot(m.to, !lost);
  } else if (lost && Chance(300)) {
    sender.node().ReportUnreachable(m.to);
  }
  if (!lost) Deliver(std::move(m));
}

void Simulation::Deliver(Message m) {
  Member& to = *members_.at(m.to);
  if (m.type == MessageType::kSnap) ++counts_.snapshots;
  to.node().Step(std::move(m));
}

void Simulation::Propose() {
  (void)RandomMember().node().Propose(SharedBytes("p" + std::to_string(++next_payload_)));
}

void Simulation::ProposeChange() {
  ConfChangeV2 change;
  const uint64_t count = 1 + random_->Uniform(3);
  static constexpr raftpb::ConfChangeType kTypes[] = {
      raftpb::ConfChangeAddNode, raftpb::ConfChangeAddNode, raftpb::ConfChangeAddLearnerNode,
      raftpb::ConfChangeRemoveNode};
  for (uint64_t i = 0; i < count; ++i) {
    auto* single = change.add_changes();
    single->set_type(kTypes[random_->Uniform(4)]);
    single->set_node_id(1 + random_->Uniform(members_.size()));
  }
  if (count > 1) change.set_transition(raftpb::ConfChangeTransitionJointImplicit);
  // As a server does it, when that can say it.
  const bool v1 = change.changes_size() == 1 && count == 1 && random_->Uniform(2) == 0;
  ConfChange one;
  if (v1) {
    one.set_type(change.changes(0).type());
    one.set_node_id(change.changes(0).node_id());
  }
  for (auto& [id, member] : members_) {
    if (member->node().role() != Role::kLeader) continue;
    if (!LeavesAMajority(member->node().config(), change)) continue;
    (void)(v1 ? member->node().ProposeConfChange(one) : member->node().ProposeConfChange(change));
  }
}

// As a server whose disk stalls: to the best target, or to nobody in particular.
void Simulation::HandOver(Member& m) {
  const MemberId target = m.node().BestTransferee();
  if (target != kNone && random_->Uniform(3) != 0) {
    m.node().TransferLeader(target);
  } else {
    m.node().StepDown();
  }
}

void Simulation::StartRead() {
  const std::string context = "r" + std::to_string(++next_payload_);
  reads_[context] = committed_.empty() ? Index(0) : committed_.rbegin()->first;
  RandomMember().node().ReadIndex(SharedBytes(context));
}

void Simulation::CutSomething() {
  if (random_->Uniform(3) == 0) {
    cut_.clear();
    return;
  }
  const MemberId a = RandomMember().id();
  const bool all = random_->Uniform(2) == 0;
  const MemberId b = RandomMember().id();
  for (const auto& [id, member] : members_) {
    if (id == a || (!all && id != b)) continue;
    cut_.insert({a, id});
    if (random_->Uniform(4) != 0) cut_.insert({id, a});
  }
}

void Simulation::Crash(Member& m) {
  ++counts_.crashes;
  for (Message& message : m.TakeOutbox()) {
    if (Chance(500)) in_flight_.push_back(std::move(message));
  }
  m.Restart();
  Check(m);
}

// ---- What must hold ----

void Simulation::Check(Member& m) {
  const RawNode& node = m.node();
  Known& known = known_[m.id()];
  if (known.restarts != m.restarts()) {
    known = {.restarts = m.restarts(), .term = known.term, .vote = known.vote, .commit = {}};
    // Terms and votes nobody was told of may be lost with the crash.
    known.term = m.disk().hard_state.term;
    known.vote = m.disk().hard_state.vote;
  }
  if (node.term() < known.term) Breach("a term went back");
  if (node.term() == known.term && known.vote != kNone && node.vote() != known.vote) {
    Breach("a second vote in one term");
  }
  if (node.committed() < known.commit) Breach("a commit index went back");
  known = {.restarts = m.restarts(),
           .term = node.term(),
           .vote = node.vote(),
           .commit = node.committed()};
  if (!node.HasReady()) {
    CheckCommitted(m);
    if (node.role() == Role::kLeader) CheckLeader(m);
  }
}

void Simulation::CheckLeader(const Member& m) {
  const RawNode& node = m.node();
  const auto [it, is_new] = leaders_.try_emplace(node.term(), m.id(), m.restarts());
  if (it->second != std::make_pair(m.id(), m.restarts())) Breach("two leaders in one term");
  if (!is_new) return;
  ++counts_.leaders;
  const Disk& log = m.memory_log();
  for (const auto& [index, entry] : committed_) {
    if (index > log.last()) {
      Breach("a leader lacks a committed entry");
    } else if (index >= log.first() && log.TermAt(index) != entry.term) {
      Breach("a leader has another entry than the committed one");
    }
  }
}

void Simulation::CheckCommitted(const Member& m) {
  const Disk& log = m.memory_log();
  for (Index i = log.first(); i <= m.node().committed(); ++i) {
    const Entry& e = log.entries[i - log.first()];
    const Committed entry{.term = e.term, .data = std::string(e.data.view())};
    if (committed_.try_emplace(i, entry).first->second != entry) {
      Breach("two entries committed at " + std::to_string(i.value()));
    }
  }
}

void Simulation::CheckEntries(const Member& m, const Ready& ready) {
  for (const Entry& e : ready.entries) {
    const Term previous = m.memory_log().TermAt(e.index - 1);
    const std::pair<Term, std::string> value{previous, std::string(e.data.view())};
    if (entries_.try_emplace({e.index, e.term}, value).first->second != value) {
      Breach("logs do not match at " + std::to_string(e.index.value()));
    }
    if (e.term < previous) Breach("terms fall within a log");
  }
}

void Simulation::CheckApplied(const Member& m, const Entry& e) {
  ++counts_.applied;
  if (IsConfChange(e)) ++counts_.changes;
  const Committed entry{.term = e.term, .data = std::string(e.data.view())};
  if (committed_.try_emplace(e.index, entry).first->second != entry) {
    Breach("member " + HexId(m.id()) + " applied another entry at " +
           std::to_string(e.index.value()));
  }
}

// ---- The end ----

bool Simulation::Settle() {
  cut_.clear();
  options_.lose = options_.repeat = 0;
  for (auto& [id, m] : members_) m->node().SetMayCampaign(true);
  const std::string last = "last";
  for (int round = 0; round < 2000 && breach_.empty(); ++round) {
    bool done = true;
    for (auto& [id, m] : members_) {
      // Also one that does not know yet that it was added: its vote may be needed, and it gives
      // none while it believes in its last leader.
      if (round % 2 == 0) m->node().Tick();
      // A server ends when it finds itself removed; here it merely leads no more.
      if (!m->node().IsMember()) m->node().StepDown();
      m->Settle();
      Collect(*m);
      if (m->node().role() == Role::kLeader && round % 100 == 50) {
        (void)m->node().Propose(SharedBytes(last));
      }
    }
    std::vector<Message> messages;
    messages.swap(in_flight_);
    for (Message& m : messages) {
      if (m.type == MessageType::kSnap) members_.at(m.from)->node().ReportSnapshot(m.to, true);
      Deliver(std::move(m));
    }
    const Member* leader = nullptr;
    for (auto& [id, m] : members_) {
      if (m->node().role() != Role::kLeader) continue;
      if (leader == nullptr || m->node().term() > leader->node().term()) leader = m.get();
    }
    if (leader == nullptr || round < 200) continue;
    for (const auto& [id, progress] : leader->node().GetStatus().progress) {
      done = done && members_.at(id)->store().applied == leader->store().applied;
    }
    const auto& end = leader->store().entries;
    if (done && !end.empty() && leader->store().applied > Index(0) &&
        std::any_of(end.begin(), end.end(),
                    [&](const auto& e) { return e.second.data.view() == last; })) {
      return true;
    }
  }
  return false;
}

std::string Simulation::Describe() const {
  std::string out;
  for (const auto& [id, m] : members_) {
    const BasicStatus s = m->node().GetBasicStatus();
    out += HexId(id) + ": " + std::string(Name(s.soft_state.role)) + " term " +
           std::to_string(s.hard_state.term.value()) + " leader " + HexId(s.soft_state.leader) +
           " last " + std::to_string(s.last_index.value()) + " commit " +
           std::to_string(s.hard_state.commit.value()) + " applied " +
           std::to_string(s.applied.value()) + " store " +
           std::to_string(m->store().applied.value()) + " " + m->node().config().ToString() + "\n";
    for (const auto& [peer, pr] : m->node().GetStatus().progress) {
      out += "    " + HexId(peer) + " " + pr.ToString() + "\n";
    }
  }
  return out;
}

}  // namespace kvorum::raft::testing
