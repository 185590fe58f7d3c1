#include "raft/types.h"

#include <algorithm>
#include <array>

namespace kvorum::raft {
namespace {

uint64_t VarintSize(uint64_t v) {
  uint64_t n = 1;
  while (v >= 0x80) {
    v >>= 7;
    ++n;
  }
  return n;
}

template <typename Repeated>
std::vector<uint64_t> Sorted(const Repeated& ids) {
  std::vector<uint64_t> sorted(ids.begin(), ids.end());
  std::sort(sorted.begin(), sorted.end());
  return sorted;
}

}  // namespace

std::string_view Name(MessageType type) {
  static constexpr std::array<std::string_view, kMessageTypeCount> kNames = {"MsgHup",
                                                                             "MsgBeat",
                                                                             "MsgProp",
                                                                             "MsgApp",
                                                                             "MsgAppResp",
                                                                             "MsgVote",
                                                                             "MsgVoteResp",
                                                                             "MsgSnap",
                                                                             "MsgHeartbeat",
                                                                             "MsgHeartbeatResp",
                                                                             "MsgUnreachable",
                                                                             "MsgSnapStatus",
                                                                             "MsgCheckQuorum",
                                                                             "MsgTransferLeader",
                                                                             "MsgTimeoutNow",
                                                                             "MsgReadIndex",
                                                                             "MsgReadIndexResp",
                                                                             "MsgPreVote",
                                                                             "MsgPreVoteResp",
                                                                             "MsgStorageAppend",
                                                                             "MsgStorageAppendResp",
                                                                             "MsgStorageApply",
                                                                             "MsgStorageApplyResp",
                                                                             "MsgForgetLeader"};
  const auto i = static_cast<size_t>(type);
  return i < kNames.size() ? kNames[i] : "MsgUnknown";
}

bool IsLocalMessage(MessageType type) {
  switch (type) {
    case MessageType::kHup:
    case MessageType::kBeat:
    case MessageType::kUnreachable:
    case MessageType::kSnapStatus:
    case MessageType::kCheckQuorum:
    case MessageType::kStorageAppend:
    case MessageType::kStorageAppendResp:
    case MessageType::kStorageApply:
    case MessageType::kStorageApplyResp:
      return true;
    default:
      return false;
  }
}

bool IsResponseMessage(MessageType type) {
  switch (type) {
    case MessageType::kAppResp:
    case MessageType::kVoteResp:
    case MessageType::kHeartbeatResp:
    case MessageType::kUnreachable:
    case MessageType::kReadIndexResp:
    case MessageType::kPreVoteResp:
    case MessageType::kStorageAppendResp:
    case MessageType::kStorageApplyResp:
      return true;
    default:
      return false;
  }
}

std::string_view Name(Role role) {
  static constexpr std::array<std::string_view, 4> kNames = {"StateFollower", "StateCandidate",
                                                             "StateLeader", "StatePreCandidate"};
  return kNames[static_cast<size_t>(role)];
}

uint64_t EncodedSize(const Entry& e) {
  // One tag byte a field; type is written only when it is not normal, data when there is some.
  uint64_t size = 2 + VarintSize(e.term.value()) + VarintSize(e.index.value());
  if (e.type != EntryType::kNormal) size += 2;
  if (!e.data.empty()) size += 1 + VarintSize(e.data.size()) + e.data.size();
  return size;
}

uint64_t EncodedSize(const std::vector<Entry>& entries) {
  uint64_t size = 0;
  for (const Entry& e : entries) size += EncodedSize(e);
  return size;
}

uint64_t PayloadSize(const std::vector<Entry>& entries) {
  uint64_t size = 0;
  for (const Entry& e : entries) size += e.data.size();
  return size;
}

bool IsConfChange(const Entry& e) {
  return e.type == EntryType::kConfChange || e.type == EntryType::kConfChangeV2;
}

bool Equivalent(const ConfState& a, const ConfState& b) {
  return Sorted(a.voters()) == Sorted(b.voters()) && Sorted(a.learners()) == Sorted(b.learners()) &&
         Sorted(a.voters_outgoing()) == Sorted(b.voters_outgoing()) &&
         Sorted(a.learners_next()) == Sorted(b.learners_next()) && a.auto_leave() == b.auto_leave();
}

}  // namespace kvorum::raft
