// What each command of story.h does.

#include <absl/strings/numbers.h>
#include <absl/strings/str_cat.h>
#include <absl/strings/str_join.h>
#include <absl/strings/str_split.h>

#include <algorithm>

#include "tests/raft/describe.h"
#include "tests/raft/story.h"

namespace kvorum::raft::testing {
namespace {

Status Wrong(const std::string& what, const std::string& word) {
  return absl::InvalidArgumentError(absl::StrCat(what, ": ", word));
}

StatusOr<uint64_t> NumberAt(const std::vector<std::string>& w, size_t i, uint64_t otherwise) {
  uint64_t n = otherwise;
  if (i < w.size() && !absl::SimpleAtoi(w[i], &n)) return Wrong("not a number", w[i]);
  return n;
}

StatusOr<raftpb::ConfChangeType> ChangeType(const std::string& word) {
  if (word == "add") return raftpb::ConfChangeAddNode;
  if (word == "learner") return raftpb::ConfChangeAddLearnerNode;
  if (word == "remove") return raftpb::ConfChangeRemoveNode;
  if (word == "update") return raftpb::ConfChangeUpdateNode;
  return Wrong("no change", word);
}

const char* WhyNot(ProposeResult result) {
  switch (result) {
    case ProposeResult::kOk:
      return "ok";
    case ProposeResult::kNoLeader:
      return "no leader";
    case ProposeResult::kTransferring:
      return "handing over";
    case ProposeResult::kNotMember:
      return "not a member";
    case ProposeResult::kUncommittedFull:
      return "too much uncommitted";
    case ProposeResult::kNotForwarded:
      return "not forwarded";
    case ProposeResult::kInvalid:
      return "invalid";
  }
  return "?";
}

}  // namespace

const std::map<std::string_view, Story::Command>& Story::Commands() {
  static const std::map<std::string_view, Command> kCommands = {
      {"cluster", &Story::Cluster},    {"join", &Story::Join},     {"bootstrap", &Story::Bootstrap},
      {"fill", &Story::Fill},          {"tick", &Story::Tick},     {"campaign", &Story::Ask},
      {"stepdown", &Story::Ask},       {"forget", &Story::Ask},    {"may-campaign", &Story::Ask},
      {"best", &Story::Ask},           {"read", &Story::Ask},      {"transfer", &Story::Ask},
      {"propose", &Story::Propose},    {"fat", &Story::Propose},   {"change", &Story::Change},
      {"unreachable", &Story::Report}, {"report", &Story::Report}, {"run", &Story::RunAll},
      {"ready", &Story::Work},         {"sync", &Story::Work},     {"apply", &Story::Work},
      {"deliver", &Story::Deliver},    {"drop", &Story::Deliver},  {"hold-disk", &Story::Hold},
      {"hold-apply", &Story::Hold},    {"release", &Story::Hold},  {"compact", &Story::Store},
      {"flush", &Story::Store},        {"restart", &Story::Store}, {"cut", &Story::Connect},
      {"isolate", &Story::Connect},    {"heal", &Story::Connect},  {"lose", &Story::Lose},
      {"step", &Story::Step},          {"state", &Story::Show},    {"log", &Story::Show},
      {"progress", &Story::Show},      {"data", &Story::Show},     {"in-flight", &Story::Show},
  };
  return kCommands;
}

Status Story::Run(const std::string& line) {
  Words words = absl::StrSplit(line, ' ', absl::SkipEmpty());
  if (words.empty()) return Wrong("no command", line);
  const bool quiet = words.back() == "quiet";
  if (quiet) words.pop_back();
  const auto command = Commands().find(words[0]);
  if (command == Commands().end()) return Wrong("no command", line);
  if (net_ == nullptr && words[0] != "cluster") return Wrong("there is no cluster yet", line);
  FlushApplied();
  const size_t printed = output_.size();
  RETURN_IF_ERROR((this->*command->second)(words));
  FlushApplied();
  if (quiet) output_.resize(std::min(output_.size(), printed));
  return absl::OkStatus();
}

// ---- Time and requests ----

Status Story::Tick(const Words& w) {
  ASSIGN_OR_RETURN(const uint64_t ticks, NumberAt(w, 2, 1));
  const bool all = w.at(1) == "all";
  Member* member = nullptr;
  if (!all) {
    ASSIGN_OR_RETURN(member, Find(w[1]));
  }
  for (uint64_t i = 0; i < ticks; ++i) {
    if (!all) {
      member->node().Tick();
      continue;
    }
    for (auto& [id, each] : net_->members()) each->node().Tick();
    RunUntilQuiet();
  }
  return absl::OkStatus();
}

Status Story::Ask(const Words& w) {
  ASSIGN_OR_RETURN(Member * member, Find(w.at(1)));
  RawNode& node = member->node();
  if (w[0] == "campaign") {
    node.Campaign();
  } else if (w[0] == "stepdown") {
    node.StepDown();
  } else if (w[0] == "forget") {
    node.ForgetLeader();
  } else if (w[0] == "may-campaign") {
    node.SetMayCampaign(w.at(2) == "on");
  } else if (w[0] == "best") {
    Print(absl::StrCat("best target: ", node.BestTransferee().value()));
  } else if (w[0] == "read") {
    node.ReadIndex(SharedBytes(w.at(2)));
  } else {
    ASSIGN_OR_RETURN(const uint64_t target, NumberAt(w, 2, 0));
    node.TransferLeader(MemberId(target));
  }
  return absl::OkStatus();
}

void Story::Refused(const char* what, ProposeResult result) {
  if (result != ProposeResult::kOk) Print(absl::StrCat(what, " refused: ", WhyNot(result)));
}

Status Story::Propose(const Words& w) {
  ASSIGN_OR_RETURN(Member * member, Find(w.at(1)));
  std::vector<SharedBytes> batch;
  if (w[0] == "fat") {
    ASSIGN_OR_RETURN(const uint64_t bytes, NumberAt(w, 2, 1));
    batch.emplace_back(std::string(bytes, 'x'));
  } else {
    for (size_t i = 2; i < w.size(); ++i) batch.emplace_back(w[i]);
  }
  Refused("proposal", member->node().ProposeBatch(std::move(batch)));
  return absl::OkStatus();
}

Status Story::Change(const Words& w) {
  ASSIGN_OR_RETURN(Member * member, Find(w.at(1)));
  const bool v2 = w.at(2) == "v2" || w[2] == "implicit" || w[2] == "explicit" || w[2] == "leave";
  ConfChangeV2 change;
  if (w[2] == "implicit") change.set_transition(raftpb::ConfChangeTransitionJointImplicit);
  if (w[2] == "explicit") change.set_transition(raftpb::ConfChangeTransitionJointExplicit);
  for (size_t i = v2 ? 3 : 2; i < w.size(); i += 2) {
    auto* single = change.add_changes();
    ASSIGN_OR_RETURN(const auto type, ChangeType(w[i]));
    ASSIGN_OR_RETURN(const uint64_t id, NumberAt(w, i + 1, 0));
    single->set_type(type);
    single->set_node_id(id);
  }
  if (v2) {
    Refused("change", member->node().ProposeConfChange(change));
    return absl::OkStatus();
  }
  if (change.changes_size() != 1) return Wrong("one change only", w[2]);
  ConfChange v1;
  v1.set_type(change.changes(0).type());
  v1.set_node_id(change.changes(0).node_id());
  Refused("change", member->node().ProposeConfChange(v1));
  return absl::OkStatus();
}

Status Story::Report(const Words& w) {
  ASSIGN_OR_RETURN(Member * member, Find(w.at(1)));
  ASSIGN_OR_RETURN(const uint64_t peer, NumberAt(w, 2, 0));
  if (w[0] == "unreachable") {
    member->node().ReportUnreachable(MemberId(peer));
  } else {
    member->node().ReportSnapshot(MemberId(peer), w.at(3) == "ok");
  }
  return absl::OkStatus();
}

// ---- Running ----

Status Story::RunAll(const Words&) {
  RunUntilQuiet();
  return absl::OkStatus();
}

Status Story::Work(const Words& w) {
  ASSIGN_OR_RETURN(Member * member, Find(w.at(1)));
  if (w[0] == "ready") {
    Collect(*member, true);
    return absl::OkStatus();
  }
  if (w[0] == "apply") {
    member->Apply();
    return absl::OkStatus();
  }
  ASSIGN_OR_RETURN(const uint64_t writes, NumberAt(w, 2, member->pending_writes()));
  member->Sync(writes);
  for (Message& m : member->TakeOutbox()) {
    Print(absl::StrCat("  ", Describe(m)));
    in_flight_.push_back(std::move(m));
  }
  return absl::OkStatus();
}

Status Story::Deliver(const Words& w) {
  ASSIGN_OR_RETURN(const uint64_t to, NumberAt(w, 1, 0));
  std::vector<Message> messages;
  std::vector<Message> others;
  for (Message& m : std::exchange(in_flight_, {})) {
    (m.to == MemberId(to) ? messages : others).push_back(std::move(m));
  }
  in_flight_ = std::move(others);
  if (w[0] == "drop") return absl::OkStatus();
  const std::string how = w.size() > 2 ? w[2] : "";
  if (how == "reversed") std::reverse(messages.begin(), messages.end());
  for (Message& m : messages) {
    if (how == "twice") Hand(m);
    Hand(std::move(m));
  }
  return absl::OkStatus();
}

Status Story::Hold(const Words& w) {
  ASSIGN_OR_RETURN(Member * member, Find(w.at(1)));
  if (w[0] == "hold-disk") {
    disk_held_.insert(member->id());
  } else if (w[0] == "hold-apply") {
    apply_held_.insert(member->id());
  } else {
    disk_held_.erase(member->id());
    apply_held_.erase(member->id());
  }
  return absl::OkStatus();
}

Status Story::Store(const Words& w) {
  ASSIGN_OR_RETURN(Member * member, Find(w.at(1)));
  if (w[0] == "flush") {
    member->Flush();
  } else if (w[0] == "restart") {
    member->Restart();
  } else {
    ASSIGN_OR_RETURN(const uint64_t keep, NumberAt(w, 2, 0));
    member->Compact(keep);
  }
  return absl::OkStatus();
}

// ---- The network ----

Status Story::Connect(const Words& w) {
  ASSIGN_OR_RETURN(const uint64_t a, NumberAt(w, 1, 0));
  ASSIGN_OR_RETURN(const uint64_t b, NumberAt(w, 2, 0));
  if (w[0] == "cut") {
    net_->Cut(a, b);
  } else if (w[0] == "isolate") {
    net_->Isolate(a);
  } else {
    net_->Heal();
    losses_.clear();
  }
  return absl::OkStatus();
}

Status Story::Lose(const Words& w) {
  Loss loss{.type = w.at(1)};
  for (size_t i = 2; i + 1 < w.size(); i += 2) {
    ASSIGN_OR_RETURN(const uint64_t id, NumberAt(w, i + 1, 0));
    if (w[i] != "to" && w[i] != "from") return Wrong("to or from, not", w[i]);
    (w[i] == "to" ? loss.to : loss.from) = id;
  }
  losses_.push_back(std::move(loss));
  return absl::OkStatus();
}

Status Story::Step(const Words& w) {
  ASSIGN_OR_RETURN(Message m, ParseMessage({w.begin() + 1, w.end()}));
  ASSIGN_OR_RETURN(Member * member, Find(absl::StrCat(m.to.value())));
  member->node().Step(std::move(m));
  return absl::OkStatus();
}

// ---- Questions ----

Status Story::Show(const Words& w) {
  if (w[0] == "in-flight") {
    for (const Message& m : in_flight_) Print(Describe(m));
    return absl::OkStatus();
  }
  if (w[0] == "state" && w.size() == 1) {
    for (auto& [id, member] : net_->members()) {
      Print(DescribeState(member->node(), member->memory_log().first()));
    }
    return absl::OkStatus();
  }
  ASSIGN_OR_RETURN(Member * member, Find(w.at(1)));
  const Disk& log = member->memory_log();
  if (w[0] == "state") {
    Print(DescribeState(member->node(), log.first()));
  } else if (w[0] == "log") {
    const std::string entries = Describe({log.entries.begin(), log.entries.end()});
    Print(absl::StrCat(w[1], " log: ", entries.empty() ? "empty" : entries));
  } else if (w[0] == "data") {
    Print(absl::StrCat(w[1], " holds ", absl::StrJoin(member->AppliedData(), " ")));
  } else {
    for (const auto& [id, pr] : member->node().GetStatus().progress) {
      Print(absl::StrCat("  ", id.value(), " ", pr.ToString()));
    }
  }
  return absl::OkStatus();
}

}  // namespace kvorum::raft::testing
