#include "tests/raft/describe.h"

#include <absl/strings/str_cat.h>
#include <absl/strings/str_join.h>

#include "base/bytes.h"

namespace kvorum::raft::testing {
namespace {

std::string Id(MemberId id) { return absl::StrCat(id.value()); }

std::string Point(Index index, Term term) { return absl::StrCat(index.value(), "@", term.value()); }

std::string Quoted(const SharedBytes& bytes) { return "\"" + std::string(bytes.view()) + "\""; }

std::string Verb(raftpb::ConfChangeType type) {
  switch (type) {
    case raftpb::ConfChangeAddNode:
      return "add";
    case raftpb::ConfChangeAddLearnerNode:
      return "learner";
    case raftpb::ConfChangeRemoveNode:
      return "remove";
    case raftpb::ConfChangeUpdateNode:
      return "update";
  }
  return "unknown";
}

std::string DescribeV1(const Entry& e) {
  ConfChange change;
  if (!change.ParseFromString(std::string(e.data.view()))) return "unparsable";
  return absl::StrCat(Verb(change.type()), " ", change.node_id());
}

std::string DescribeV2(const Entry& e) {
  ConfChangeV2 change;
  if (!change.ParseFromString(std::string(e.data.view()))) return "unparsable";
  if (change.changes().empty()) return "leave";
  std::string out = change.transition() == raftpb::ConfChangeTransitionAuto            ? "v2"
                    : change.transition() == raftpb::ConfChangeTransitionJointImplicit ? "implicit"
                                                                                       : "explicit";
  for (const auto& c : change.changes()) {
    absl::StrAppend(&out, " ", Verb(c.type()), " ", c.node_id());
  }
  return out;
}

std::string ShortName(MessageType type) {
  return std::string(Name(type).substr(3));
}  // without "Msg"

std::string DescribeAppendAnswer(const Message& m) {
  if (!m.reject) return absl::StrCat(" up to ", m.index.value());
  return absl::StrCat(" rejects ", m.index.value(), " hint ", Point(m.reject_hint, m.log_term));
}

std::string DescribeContext(const SharedBytes& context) {
  if (context.empty()) return "";
  if (context.size() == 8) return absl::StrCat(" read ", ReadLittleEndian64(context.view()));
  return absl::StrCat(" context ", Quoted(context));
}

std::string DescribeBody(const Message& m) {
  switch (m.type) {
    case MessageType::kApp:
      return absl::StrCat(" prev ", Point(m.index, m.log_term), " [", Describe(m.entries),
                          "] commit ", m.commit.value());
    case MessageType::kAppResp:
      return DescribeAppendAnswer(m);
    case MessageType::kVote:
    case MessageType::kPreVote:
      return absl::StrCat(" last ", Point(m.index, m.log_term), DescribeContext(m.context));
    case MessageType::kVoteResp:
    case MessageType::kPreVoteResp:
      return m.reject ? " no" : " yes";
    case MessageType::kSnap:
      return absl::StrCat(" at ", Point(m.snapshot->metadata.index, m.snapshot->metadata.term));
    case MessageType::kHeartbeat:
      return absl::StrCat(" commit ", m.commit.value(), DescribeContext(m.context));
    case MessageType::kHeartbeatResp:
      return DescribeContext(m.context);
    case MessageType::kProp:
    case MessageType::kReadIndex:
      return absl::StrCat(" [", Describe(m.entries), "]");
    case MessageType::kReadIndexResp:
      return absl::StrCat(" at ", m.index.value(), " [", Describe(m.entries), "]");
    default:
      return "";
  }
}

std::string DescribeSoftState(const SoftState& state) {
  if (state.role == Role::kLeader) return "leader";
  if (state.role == Role::kCandidate) return "candidate";
  if (state.role == Role::kPreCandidate) return "pre-candidate";
  return state.leader == kNone ? "follower of nobody" : "follower of " + Id(state.leader);
}

std::string DescribeWrite(const Ready& ready) {
  std::string out = ready.must_sync ? "syncs" : "writes";
  if (ready.snapshot) {
    const SnapshotMetadata& meta = ready.snapshot->metadata;
    absl::StrAppend(&out, " snapshot at ", Point(meta.index, meta.term));
  }
  if (ready.hard_state) {
    absl::StrAppend(&out, " term ", ready.hard_state->term.value(), " vote ",
                    Id(ready.hard_state->vote), " commit ", ready.hard_state->commit.value());
  }
  if (!ready.entries.empty()) absl::StrAppend(&out, " [", Describe(ready.entries), "]");
  return out;
}

}  // namespace

std::string Describe(const Entry& e) {
  const std::string at = e.index == Index(0) ? "" : Point(e.index, e.term);
  std::string what;
  if (e.type == EntryType::kConfChange) {
    what = DescribeV1(e);
  } else if (e.type == EntryType::kConfChangeV2) {
    what = DescribeV2(e);
  } else if (e.data.size() > 40) {
    what = absl::StrCat(e.data.size(), " bytes");
  } else if (!e.data.empty()) {
    what = Quoted(e.data);
  }
  return absl::StrCat(at, at.empty() || what.empty() ? "" : " ", what);
}

std::string Describe(const std::vector<Entry>& entries) {
  return absl::StrJoin(entries, ", ",
                       [](std::string* out, const Entry& e) { absl::StrAppend(out, Describe(e)); });
}

std::string Describe(const Message& m) {
  std::string out = absl::StrCat(Id(m.from), "->", Id(m.to), " ", ShortName(m.type));
  if (m.term != Term(0)) absl::StrAppend(&out, " term ", m.term.value());
  return absl::StrCat(out, DescribeBody(m));
}

std::string Describe(const Ready& ready) {
  std::vector<std::string> parts;
  if (ready.soft_state) parts.push_back(DescribeSoftState(*ready.soft_state));
  if (!ready.nothing_to_write()) parts.push_back(DescribeWrite(ready));
  for (const ReadState& read : ready.read_states) {
    parts.push_back(absl::StrCat("reads ", Quoted(read.context), " at ", read.index.value()));
  }
  return absl::StrJoin(parts, ", ");
}

std::string DescribeState(const RawNode& node, Index first) {
  const BasicStatus s = node.GetBasicStatus();
  std::string out = absl::StrCat(
      Id(s.id), " ", DescribeSoftState(s.soft_state), " term ", s.hard_state.term.value(), " vote ",
      Id(s.hard_state.vote), " log ", first.value(), "-", s.last_index.value(), " commit ",
      s.hard_state.commit.value(), " applied ", s.applied.value(), " ", node.config().ToString());
  if (s.transferee != kNone) absl::StrAppend(&out, " hands over to ", Id(s.transferee));
  return out;
}

}  // namespace kvorum::raft::testing
