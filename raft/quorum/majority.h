#pragma once
// A set of voters and the arithmetic of its majority. Pure; knows neither messages nor terms.

#include <absl/functional/function_ref.h>

#include <cstdint>
#include <initializer_list>
#include <limits>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "base/types.h"

namespace kvorum::raft::quorum {

enum class VoteResult : uint8_t {
  kPending,  // undecided: outstanding answers can still tip it
  kLost,     // a majority can no longer be reached
  kWon,
};

// Answers received so far; a voter without an entry has not answered.
using Votes = std::map<MemberId, bool>;
// What a voter has acknowledged; nullopt counts as 0.
using AckedFn = absl::FunctionRef<std::optional<uint64_t>(MemberId)>;

// What an empty set has acknowledged: everything, so that it never holds back a joint one.
inline constexpr uint64_t kEverything = std::numeric_limits<uint64_t>::max();

// A sorted set of members. Small (single digits), so a vector.
class MajorityConfig {
 public:
  MajorityConfig() = default;
  MajorityConfig(std::initializer_list<MemberId> ids);

  bool Contains(MemberId id) const;
  void Insert(MemberId id);
  void Erase(MemberId id);
  void Clear() { ids_.clear(); }
  size_t size() const { return ids_.size(); }
  bool empty() const { return ids_.empty(); }
  // Ascending.
  const std::vector<MemberId>& ids() const { return ids_; }
  auto begin() const { return ids_.begin(); }
  auto end() const { return ids_.end(); }

  // The largest value acknowledged by a majority; kEverything for an empty set.
  uint64_t CommittedIndex(AckedFn acked) const;
  // kWon for an empty set.
  VoteResult Result(const Votes& votes) const;

  // "(1 2 3)", ids in hex.
  std::string ToString() const;

  friend bool operator==(const MajorityConfig&, const MajorityConfig&) = default;

 private:
  std::vector<MemberId> ids_;
};

}  // namespace kvorum::raft::quorum
