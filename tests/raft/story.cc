// Options of `cluster`: founded=N (N voters that were bootstrapped, as a cluster that others join
// later has to be; `voters` start from a stored configuration), pre_vote, check_quorum, served
// (both, as a server has it), no_pre_vote=ID (an exception), message_bytes=, inflight=,
// inflight_bytes=, uncommitted=, applying=, step_down_on_removal, no_forwarding, no_validation,
// v1_only.

#include "tests/raft/story.h"

#include <absl/strings/numbers.h>
#include <absl/strings/str_cat.h>
#include <absl/strings/str_join.h>
#include <absl/strings/str_split.h>

#include <algorithm>

#include "base/check.h"
#include "tests/raft/describe.h"

namespace kvorum::raft::testing {
namespace {

Status Wrong(const std::string& what, const std::string& word) {
  return absl::InvalidArgumentError(absl::StrCat(what, ": ", word));
}

StatusOr<uint64_t> Number(const std::string& word) {
  uint64_t n = 0;
  if (!absl::SimpleAtoi(word, &n)) return Wrong("not a number", word);
  return n;
}

StatusOr<uint64_t> NumberAt(const std::vector<std::string>& w, size_t i, uint64_t otherwise) {
  if (i >= w.size()) return otherwise;
  return Number(w[i]);
}

using Tune = std::function<void(Config*)>;

// What one option of `cluster` sets in a member's configuration.
StatusOr<Tune> TuneFor(const std::string& key, uint64_t n) {
  static const std::map<std::string, void (*)(Config*, uint64_t)> kOptions = {
      {"no_pre_vote", [](Config* c, uint64_t v) { c->pre_vote &= c->id != MemberId(v); }},
      {"message_bytes", [](Config* c, uint64_t v) { c->max_message_bytes = v; }},
      {"inflight", [](Config* c, uint64_t v) { c->max_inflight_messages = static_cast<int>(v); }},
      {"inflight_bytes", [](Config* c, uint64_t v) { c->max_inflight_bytes = v; }},
      {"uncommitted", [](Config* c, uint64_t v) { c->max_uncommitted_bytes = v; }},
      {"applying", [](Config* c, uint64_t v) { c->max_applying_bytes = v; }},
      {"step_down_on_removal", [](Config* c, uint64_t) { c->step_down_on_removal = true; }},
      {"no_forwarding", [](Config* c, uint64_t) { c->disable_proposal_forwarding = true; }},
      {"no_validation", [](Config* c, uint64_t) { c->disable_conf_change_validation = true; }},
      {"v1_only", [](Config* c, uint64_t) { c->allow_conf_change_v2 = false; }},
  };
  const auto it = kOptions.find(key);
  if (it == kOptions.end()) return Wrong("no option", key);
  return Tune([set = it->second, n](Config* c) { set(c, n); });
}

}  // namespace

// ---- The cluster ----

Status Story::Cluster(const Words& w) {
  NetworkOptions options;
  std::vector<Tune> tunes;
  uint64_t founders = 0;
  for (size_t i = 1; i < w.size(); ++i) {
    const std::pair<std::string, std::string> option =
        absl::StrSplit(w[i], absl::MaxSplits('=', 1));
    const std::string& key = option.first;
    uint64_t n = 1;
    if (!option.second.empty()) {
      ASSIGN_OR_RETURN(n, Number(option.second));
    }
    if (key == "voters") {
      options.voters = static_cast<int>(n);
    } else if (key == "founded") {
      options.voters = 0;
      founders = n;
    } else if (key == "learners") {
      options.learners = static_cast<int>(n);
    } else if (key == "pre_vote" || key == "check_quorum" || key == "served") {
      options.pre_vote |= key != "check_quorum";
      options.check_quorum |= key != "pre_vote";
    } else {
      ASSIGN_OR_RETURN(Tune tune, TuneFor(key, n));
      tunes.push_back(std::move(tune));
    }
  }
  options.tune = [tunes](Config* c) {
    for (const Tune& tune : tunes) tune(c);
  };
  *this = Story();
  net_ = std::make_unique<Network>(options);
  Found(founders);
  for (auto& [id, member] : net_->members()) Watch(*member);
  return absl::OkStatus();
}

// Members whose log begins with their configuration, so that others can join by it.
void Story::Found(uint64_t founders) {
  std::vector<Peer> peers;
  for (uint64_t id = 1; id <= founders; ++id) {
    peers.push_back({.id = MemberId(id), .context = ""});
  }
  for (const Peer& peer : peers) {
    Member& member = net_->Add(peer.id.value());
    CHECK_OK(member.node().Bootstrap(peers));
    member.Settle();
  }
}

Status Story::Join(const Words& w) {
  ASSIGN_OR_RETURN(const uint64_t id, NumberAt(w, 1, 0));
  if (net_->members().count(MemberId(id)) > 0) return Wrong("exists", w[1]);
  Watch(net_->Add(id));
  return absl::OkStatus();
}

Status Story::Bootstrap(const Words& w) {
  ASSIGN_OR_RETURN(Member * member, Find(w.at(1)));
  std::vector<Peer> peers;
  for (size_t i = 2; i < w.size(); ++i) {
    ASSIGN_OR_RETURN(const uint64_t id, Number(w[i]));
    peers.push_back({.id = MemberId(id), .context = ""});
  }
  const Status status = member->node().Bootstrap(peers);
  if (!status.ok()) Print(absl::StrCat("refused: ", status.message()));
  return absl::OkStatus();
}

Status Story::Fill(const Words& w) {
  ASSIGN_OR_RETURN(Member * member, Find(w.at(1)));
  const size_t printed = output_.size();
  Message m{.type = MessageType::kApp, .to = member->id(), .from = MemberId(99)};
  for (size_t i = 2; i < w.size(); ++i) {
    ASSIGN_OR_RETURN(const uint64_t term, Number(w[i]));
    m.term = std::max(m.term, Term(term));
    m.entries.push_back({.term = Term(term), .index = Index(i - 1)});
  }
  member->node().Step(std::move(m));
  member->Settle();
  (void)member->TakeOutbox();
  member->Restart();  // and forgets who sent that
  output_.resize(printed);
  return absl::OkStatus();
}

StatusOr<Member*> Story::Find(const std::string& word) {
  ASSIGN_OR_RETURN(const uint64_t id, Number(word));
  if (net_ == nullptr) return Wrong("there is no cluster yet", word);
  const auto it = net_->members().find(MemberId(id));
  if (it == net_->members().end()) return Wrong("no member", word);
  return it->second.get();
}

void Story::Watch(Member& member) {
  member.on_ready = [this](const Member& m, const Ready& ready) {
    const std::string what = Describe(ready);
    if (!what.empty()) Print(absl::StrCat(m.id().value(), " ", what));
  };
  member.on_apply = [this](const Member& m, const Entry& e) {
    if (applying_ != m.id()) FlushApplied();
    applying_ = m.id();
    applied_.push_back(e);
  };
}

// ---- What is printed ----

void Story::Print(std::string line) {
  FlushApplied();
  output_.push_back(std::move(line));
}

void Story::FlushApplied() {
  if (applied_.empty()) return;
  const std::vector<Entry> entries = std::exchange(applied_, {});
  output_.push_back(absl::StrCat(applying_.value(), " applies ", Describe(entries)));
}

std::vector<std::string> Story::TakeOutput() {
  FlushApplied();
  return std::exchange(output_, {});
}

// ---- Running ----

void Story::Collect(Member& member, bool print) {
  member.Collect();
  for (Message& m : member.TakeOutbox()) {
    if (print) Print(absl::StrCat("  ", Describe(m)));
    in_flight_.push_back(std::move(m));
  }
}

void Story::Settle(Member& member) {
  const bool disk = disk_held_.count(member.id()) == 0;
  const bool store = apply_held_.count(member.id()) == 0;
  for (bool more = true; more;) {
    Collect(member, false);
    const bool write = disk && member.pending_writes() > 0;
    if (write) member.Sync(member.pending_writes());
    Collect(member, false);
    const bool apply = store && member.pending_batches() > 0;
    while (apply && member.pending_batches() > 0) {
      member.Apply();
      FlushApplied();  // a batch, a line
    }
    more = write || apply;
  }
  Collect(member, false);
}

void Story::Hand(Message m) {
  std::string line = Describe(m);
  bool lost = std::any_of(losses_.begin(), losses_.end(), [&](const Loss& loss) {
    return (loss.type == "all" || loss.type == Name(m.type).substr(3)) &&
           (loss.from == 0 || m.from == MemberId(loss.from)) &&
           (loss.to == 0 || m.to == MemberId(loss.to));
  });
  lost = lost || !net_->Deliver(std::move(m));
  Print(absl::StrCat(line, lost ? " (lost)" : ""));
}

void Story::RunUntilQuiet() {
  // Far beyond what any story needs: a livelock shows as a failure, not as a hang.
  for (int round = 0; round < 1000; ++round) {
    for (auto& [id, member] : net_->members()) Settle(*member);
    std::vector<Message> messages = std::exchange(in_flight_, {});
    if (messages.empty()) return;
    for (Message& m : messages) Hand(std::move(m));
  }
  Print("messages never stop");
}

}  // namespace kvorum::raft::testing
