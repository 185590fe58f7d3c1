#pragma once
// A cluster told what to do line by line, and what it did: the language of the transcripts.
//
// The cluster
//   cluster voters=3 learners=1 OPTIONS...   starts over; ids count from 1; OPTIONS: see story.cc
//   join ID                                  a member that knows no configuration yet
//   bootstrap ID PEER...                     gives a joined member its first log
//   fill ID TERM...                          a log with entries of these terms, nothing committed
// Time and requests
//   tick ID [N] | tick all [N]               `all` runs after each tick, until nothing moves
//   campaign ID, stepdown ID, forget ID, may-campaign ID on|off, best ID
//   propose ID DATA..., fat ID BYTES, change ID [v2|implicit|explicit] add|learner|remove N ... |
//   change ID leave, read ID CONTEXT, transfer ID TARGET
//   unreachable ID PEER, report ID PEER ok|failed      what the transport noticed
// Running
//   run                                      disks, stores and messages, until nothing moves
//   ready ID, sync ID [N], apply ID          one step of one member; messages stay in flight
//   deliver ID [reversed|twice], drop ID     of messages in flight
//   hold-disk ID, hold-apply ID, release ID  what `run` leaves alone
//   compact ID KEEP, flush ID, restart ID    restart: a crash, back to what was flushed
// The network
//   cut A B, isolate ID, lose TYPE|all [to ID] [from ID], heal
//   step A->B TYPE [KEY VALUE]...            a message out of nowhere; keys: see story_step.cc
// Questions
//   state [ID], log ID, progress ID, data ID, in-flight
// `quiet` at the end of a line keeps its output to itself.
//
// What is printed: Readys of a member (describe.h), what it applies, messages as they travel.

#include <map>
#include <memory>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "base/status.h"
#include "tests/raft/network.h"

namespace kvorum::raft::testing {

class Story {
 public:
  // InvalidArgument if the line is not one of the above.
  Status Run(const std::string& line);
  // The lines printed since the last call.
  std::vector<std::string> TakeOutput();

 private:
  using Words = std::vector<std::string>;
  using Command = Status (Story::*)(const Words&);
  static const std::map<std::string_view, Command>& Commands();

  Status Cluster(const Words& w);
  Status Join(const Words& w);
  Status Bootstrap(const Words& w);
  Status Fill(const Words& w);
  Status Tick(const Words& w);
  Status Ask(const Words& w);
  Status Propose(const Words& w);
  Status Change(const Words& w);
  Status Report(const Words& w);
  Status RunAll(const Words& w);
  Status Work(const Words& w);
  Status Deliver(const Words& w);
  Status Hold(const Words& w);
  Status Store(const Words& w);
  Status Connect(const Words& w);
  Status Lose(const Words& w);
  Status Step(const Words& w);
  Status Show(const Words& w);

  StatusOr<Member*> Find(const std::string& word);
  void Found(uint64_t founders);
  void Watch(Member& member);
  void Print(std::string line);
  void FlushApplied();
  void Refused(const char* what, ProposeResult result);
  void Settle(Member& member);
  void Collect(Member& member, bool print);
  void Hand(Message m);
  void RunUntilQuiet();

  std::unique_ptr<Network> net_;
  std::vector<Message> in_flight_;
  std::set<MemberId> disk_held_;
  std::set<MemberId> apply_held_;
  struct Loss {
    std::string type;  // or "all"
    uint64_t from = 0;
    uint64_t to = 0;
  };
  std::vector<Loss> losses_;
  MemberId applying_;
  std::vector<Entry> applied_;  // by applying_, not printed yet
  std::vector<std::string> output_;
};

// "2->1 AppResp term 1 index 5 ..." (story_step.cc).
StatusOr<Message> ParseMessage(const std::vector<std::string>& words);

}  // namespace kvorum::raft::testing
