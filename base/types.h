#pragma once
// Distinct integer types for the quantities that must never be mixed up. Construction from a plain
// integer is explicit; `value()` gives it back. All are cheap values, safe on any thread.

#include <compare>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <ostream>
#include <string>

namespace kvorum {

template <typename Tag, typename Rep>
class TypedId {
 public:
  constexpr TypedId() = default;
  constexpr explicit TypedId(Rep value) : value_(value) {}

  constexpr Rep value() const { return value_; }
  constexpr auto operator<=>(const TypedId&) const = default;

  constexpr TypedId operator+(Rep n) const { return TypedId(value_ + n); }
  constexpr TypedId operator-(Rep n) const { return TypedId(value_ - n); }
  // Distance between two of a kind.
  constexpr Rep operator-(TypedId other) const { return value_ - other.value_; }
  constexpr TypedId& operator++() {
    ++value_;
    return *this;
  }

  template <typename H>
  friend H AbslHashValue(H h, TypedId id) {
    return H::combine(std::move(h), id.value_);
  }
  friend std::ostream& operator<<(std::ostream& os, TypedId id) { return os << id.value_; }

 private:
  Rep value_{};
};

// Raft term; 0 before the first election.
using Term = TypedId<struct TermTag, uint64_t>;
// Position in the raft log; the first entry has index 1, 0 means "none".
using Index = TypedId<struct IndexTag, uint64_t>;
// Raft member; 0 means "none".
using MemberId = TypedId<struct MemberIdTag, uint64_t>;
using ClusterId = TypedId<struct ClusterIdTag, uint64_t>;
// Main revision of the store; a fresh store is at 1, -1 stands for "never compacted".
using Revision = TypedId<struct RevisionTag, int64_t>;
// Lease; 0 means "no lease".
using LeaseId = TypedId<struct LeaseIdTag, int64_t>;

// How ids are written in logs, file names of members and HTTP: lower-case hex without padding.
std::string HexId(uint64_t id);
inline std::string HexId(MemberId id) { return HexId(id.value()); }
inline std::string HexId(ClusterId id) { return HexId(id.value()); }

}  // namespace kvorum

template <typename Tag, typename Rep>
struct std::hash<kvorum::TypedId<Tag, Rep>> {
  size_t operator()(kvorum::TypedId<Tag, Rep> id) const noexcept {
    return std::hash<Rep>()(id.value());
  }
};
