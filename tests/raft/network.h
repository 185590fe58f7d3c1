#pragma once
// Members of one cluster and the messages between them, in memory and in order unless told
// otherwise.

#include <functional>
#include <map>
#include <memory>
#include <set>
#include <vector>

#include "tests/raft/member.h"

namespace kvorum::raft::testing {

struct NetworkOptions {
  int voters = 3;    // ids 1..voters
  int learners = 0;  // ids behind them
  bool pre_vote = false;
  bool check_quorum = false;
  std::function<void(Config*)> tune;
};

ConfState MakeConfState(const std::vector<uint64_t>& voters,
                        const std::vector<uint64_t>& learners = {});

class Network {
 public:
  explicit Network(const NetworkOptions& options = {});

  Member& at(uint64_t id) { return *members_.at(MemberId(id)); }
  RawNode& node(uint64_t id) { return at(id).node(); }
  // A member that knows no configuration yet, to be added by a change.
  Member& Add(uint64_t id);

  // Lets every member work, and messages travel, until nothing moves any more. No ticks.
  void Stabilize();
  // Campaigns at `id` and settles; afterwards it leads unless something prevents it.
  void Elect(uint64_t id);
  // Ticks one member, without letting anything else happen.
  void Tick(uint64_t id, int ticks);
  // Ticks everyone, settling after each tick.
  void TickAll(int ticks);
  // Proposes at `id` and settles.
  void Propose(uint64_t id, const std::string& data) { (void)TryPropose(id, data); }
  ProposeResult TryPropose(uint64_t id, const std::string& data);

  // Cuts both directions of one link, or of all links of one member.
  void Cut(uint64_t a, uint64_t b);
  void Isolate(uint64_t id);
  void Heal();
  // Messages of this type are lost, until Heal.
  void Ignore(MessageType type) { ignored_.insert(type); }
  // Sees every message before delivery; false drops it.
  std::function<bool(const Message&)> filter;

  // Hands one message to its member; false if it is lost on the way.
  bool Deliver(Message m);

  // The member leading the highest term, 0 if none.
  uint64_t Leader() const;
  std::map<MemberId, std::unique_ptr<Member>>& members() { return members_; }

 private:
  NetworkOptions options_;
  std::map<MemberId, std::unique_ptr<Member>> members_;
  std::set<std::pair<MemberId, MemberId>> cut_;
  std::set<MessageType> ignored_;
};

}  // namespace kvorum::raft::testing
