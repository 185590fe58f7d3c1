#include "mvcc/revision_set.h"

#include <bit>
#include <iterator>
#include <limits>

namespace kvorum::mvcc {

void RevisionSet::Insert(const RowRevision& revision) {
  if (revision.sub == 0) {
    const int64_t main = revision.main.value();
    auto [it, created] = chunks_.try_emplace(main / kChunkRevisions);
    if (created) it->second.fill(0);
    uint64_t& word = it->second[main % kChunkRevisions / 64];
    const uint64_t bit = uint64_t{1} << (main % 64);
    if ((word & bit) == 0) ++size_;
    word |= bit;
    return;
  }
  size_ += others_.insert(revision).second ? 1 : 0;
}

bool RevisionSet::Contains(const RowRevision& revision) const {
  if (revision.sub != 0) return others_.contains(revision);
  const int64_t main = revision.main.value();
  const auto it = chunks_.find(main / kChunkRevisions);
  return it != chunks_.end() &&
         (it->second[main % kChunkRevisions / 64] >> (main % 64) & uint64_t{1}) != 0;
}

void RevisionSet::Merge(const RevisionSet& other) {
  for (const auto& [number, chunk] : other.chunks_) {
    auto [it, created] = chunks_.try_emplace(number);
    if (created) it->second.fill(0);
    for (size_t i = 0; i < chunk.size(); ++i) {
      size_ += std::popcount(chunk[i] & ~it->second[i]);
      it->second[i] |= chunk[i];
    }
  }
  for (const RowRevision& revision : other.others_) Insert(revision);
}

void RevisionSet::EraseUpTo(Revision last) {
  while (!chunks_.empty() && (chunks_.begin()->first + 1) * kChunkRevisions - 1 <= last.value()) {
    for (const uint64_t word : chunks_.begin()->second) size_ -= std::popcount(word);
    chunks_.erase(chunks_.begin());
  }
  const auto keep = others_.upper_bound(RowRevision{last, std::numeric_limits<int64_t>::max()});
  size_ -= std::distance(others_.begin(), keep);
  others_.erase(others_.begin(), keep);
}

int64_t RevisionSet::CountBetween(Revision first, Revision last) const {
  if (first > last) return 0;
  int64_t count = 0;
  for (auto it = chunks_.lower_bound(first.value() / kChunkRevisions);
       it != chunks_.end() && it->first <= last.value() / kChunkRevisions; ++it) {
    const int64_t base = it->first * kChunkRevisions;
    for (size_t i = 0; i < it->second.size(); ++i) {
      uint64_t word = it->second[i];
      if (word == 0) continue;
      const int64_t lowest = base + static_cast<int64_t>(i) * 64;
      if (first.value() > lowest + 63 || last.value() < lowest) continue;
      if (first.value() > lowest) word &= ~uint64_t{0} << (first.value() - lowest);
      if (last.value() < lowest + 63) word &= ~uint64_t{0} >> (lowest + 63 - last.value());
      count += std::popcount(word);
    }
  }
  const auto from = others_.lower_bound(RowRevision{first, 0});
  const auto to = others_.lower_bound(RowRevision{last + 1, 0});
  return count + std::distance(from, to);
}

}  // namespace kvorum::mvcc
