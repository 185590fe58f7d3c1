#include "raft/quorum/majority.h"

#include <algorithm>

namespace kvorum::raft::quorum {

MajorityConfig::MajorityConfig(std::initializer_list<MemberId> ids) {
  for (MemberId id : ids) Insert(id);
}

bool MajorityConfig::Contains(MemberId id) const {
  return std::binary_search(ids_.begin(), ids_.end(), id);
}

void MajorityConfig::Insert(MemberId id) {
  const auto it = std::lower_bound(ids_.begin(), ids_.end(), id);
  if (it == ids_.end() || *it != id) ids_.insert(it, id);
}

void MajorityConfig::Erase(MemberId id) {
  const auto it = std::lower_bound(ids_.begin(), ids_.end(), id);
  if (it != ids_.end() && *it == id) ids_.erase(it);
}

uint64_t MajorityConfig::CommittedIndex(AckedFn acked) const {
  if (ids_.empty()) return kEverything;
  std::vector<uint64_t> values;
  values.reserve(ids_.size());
  for (MemberId id : ids_) values.push_back(acked(id).value_or(0));
  // In descending order, the value at position majority-1 is held by that many voters.
  const size_t position = ids_.size() / 2;
  std::nth_element(values.begin(), values.begin() + static_cast<ptrdiff_t>(position), values.end(),
                   std::greater<>());
  return values[position];
}

VoteResult MajorityConfig::Result(const Votes& votes) const {
  if (ids_.empty()) return VoteResult::kWon;
  size_t granted = 0;
  size_t missing = 0;
  for (MemberId id : ids_) {
    const auto it = votes.find(id);
    if (it == votes.end()) {
      ++missing;
    } else if (it->second) {
      ++granted;
    }
  }
  const size_t majority = ids_.size() / 2 + 1;
  if (granted >= majority) return VoteResult::kWon;
  return granted + missing >= majority ? VoteResult::kPending : VoteResult::kLost;
}

std::string MajorityConfig::ToString() const {
  std::string out = "(";
  for (MemberId id : ids_) {
    if (out.size() > 1) out += ' ';
    out += HexId(id);
  }
  return out + ")";
}

}  // namespace kvorum::raft::quorum
