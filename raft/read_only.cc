#include "raft/read_only.h"

#include <algorithm>

namespace kvorum::raft {

bool ReadOnly::Add(Index committed, Message message) {
  if (waiting_.size() >= kMaxWaiting) return false;
  waiting_.push_back({.message = std::move(message), .index = committed});
  return true;
}

SharedBytes ReadOnly::HeartbeatContext() const {
  if (waiting_.empty()) return {};
  std::string bytes;
  AppendLittleEndian64(&bytes, position());
  return SharedBytes(std::move(bytes));
}

void ReadOnly::ReceiveAck(MemberId from, const SharedBytes& context) {
  if (context.size() != 8) return;
  ReceiveAck(from, ReadLittleEndian64(context.view()));
}

void ReadOnly::ReceiveAck(MemberId from, uint64_t position) {
  // An echo of a number that was never sent confirms nothing.
  if (position > confirmed_ + waiting_.size()) return;
  uint64_t& acked = acks_[from];
  acked = std::max(acked, position);
}

std::vector<ReadOnly::Request> ReadOnly::Advance(const quorum::JointConfig& voters) {
  const uint64_t confirmed = voters.CommittedIndex([&](MemberId id) -> std::optional<uint64_t> {
    const auto it = acks_.find(id);
    if (it == acks_.end()) return std::nullopt;
    return it->second;
  });
  std::vector<Request> released;
  // Without voters everything counts as confirmed, hence the second bound.
  while (confirmed_ < confirmed && !waiting_.empty()) {
    released.push_back(std::move(waiting_.front()));
    waiting_.pop_front();
    ++confirmed_;
  }
  return released;
}

}  // namespace kvorum::raft
