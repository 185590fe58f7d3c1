#include "tests/raft/network.h"

#include "base/check.h"

namespace kvorum::raft::testing {

ConfState MakeConfState(const std::vector<uint64_t>& voters,
                        const std::vector<uint64_t>& learners) {
  ConfState state;
  for (uint64_t id : voters) state.add_voters(id);
  for (uint64_t id : learners) state.add_learners(id);
  return state;
}

Network::Network(const NetworkOptions& options) : options_(options) {
  std::vector<uint64_t> voters;
  std::vector<uint64_t> learners;
  uint64_t id = 0;
  for (int i = 0; i < options.voters; ++i) voters.push_back(++id);
  for (int i = 0; i < options.learners; ++i) learners.push_back(++id);
  const ConfState state = MakeConfState(voters, learners);
  for (uint64_t i = 1; i <= id; ++i) {
    members_[MemberId(i)] =
        std::make_unique<Member>(MemberOptions{.id = MemberId(i),
                                               .conf_state = state,
                                               .seed = i,
                                               .pre_vote = options.pre_vote,
                                               .check_quorum = options.check_quorum,
                                               .tune = options.tune});
  }
}

Member& Network::Add(uint64_t id) {
  auto& slot = members_[MemberId(id)];
  CHECK(!slot);
  slot = std::make_unique<Member>(MemberOptions{.id = MemberId(id),
                                                .conf_state = {},
                                                .seed = id,
                                                .pre_vote = options_.pre_vote,
                                                .check_quorum = options_.check_quorum,
                                                .tune = options_.tune});
  return *slot;
}

void Network::Stabilize() {
  // Far beyond what any test needs: a livelock shows as a failure, not as a hang.
  for (int round = 0; round < 10000; ++round) {
    std::vector<Message> messages;
    for (auto& [id, member] : members_) {
      member->Settle();
      std::vector<Message> out = member->TakeOutbox();
      messages.insert(messages.end(), out.begin(), out.end());
    }
    if (messages.empty()) return;
    for (Message& m : messages) Deliver(std::move(m));
  }
  CHECK(false) << "messages never stop";
}

bool Network::Deliver(Message m) {
  if (filter && !filter(m)) return false;
  if (ignored_.count(m.type) > 0 || cut_.count({m.from, m.to}) > 0) return false;
  const auto it = members_.find(m.to);
  if (it == members_.end()) return false;
  it->second->node().Step(std::move(m));
  return true;
}

void Network::Elect(uint64_t id) {
  node(id).Campaign();
  Stabilize();
}

void Network::Tick(uint64_t id, int ticks) {
  for (int i = 0; i < ticks; ++i) node(id).Tick();
}

void Network::TickAll(int ticks) {
  for (int i = 0; i < ticks; ++i) {
    for (auto& [id, member] : members_) member->node().Tick();
    Stabilize();
  }
}

ProposeResult Network::TryPropose(uint64_t id, const std::string& data) {
  const ProposeResult result = node(id).Propose(SharedBytes(data));
  Stabilize();
  return result;
}

void Network::Cut(uint64_t a, uint64_t b) {
  cut_.insert({MemberId(a), MemberId(b)});
  cut_.insert({MemberId(b), MemberId(a)});
}

void Network::Isolate(uint64_t id) {
  for (const auto& [other, member] : members_) {
    if (other != MemberId(id)) Cut(id, other.value());
  }
}

void Network::Heal() {
  cut_.clear();
  ignored_.clear();
  filter = nullptr;
}

uint64_t Network::Leader() const {
  const RawNode* best = nullptr;
  for (const auto& [id, member] : members_) {
    const RawNode& node = member->node();
    if (node.role() != Role::kLeader) continue;
    if (best == nullptr || node.term() > best->term()) best = &node;
  }
  return best == nullptr ? 0 : best->id().value();
}

}  // namespace kvorum::raft::testing
