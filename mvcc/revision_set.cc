#include "mvcc/revision_set.h"

#include <bit>
#include <cstring>
#include <iterator>

#include "mvcc/varint.h"

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

int64_t RevisionSet::CountFirstsBetween(Revision first, Revision last) const {
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
  return count;
}

int64_t RevisionSet::CountBetween(Revision first, Revision last) const {
  if (first > last) return 0;
  const auto from = others_.lower_bound(RowRevision{first, 0});
  const auto to = others_.lower_bound(RowRevision{last + 1, 0});
  return CountFirstsBetween(first, last) + std::distance(from, to);
}

std::set<int64_t> RevisionSet::ChunkNumbers() const {
  std::set<int64_t> numbers;
  for (const auto& [number, chunk] : chunks_) numbers.insert(number);
  for (const RowRevision& revision : others_) {
    numbers.insert(numbers.end(), revision.main.value() / kChunkRevisions);
  }
  return numbers;
}

std::string RevisionSet::EncodeChunk(int64_t number) const {
  const auto it = chunks_.find(number);
  const Chunk bits = it == chunks_.end() ? Chunk{} : it->second;
  std::string out(reinterpret_cast<const char*>(bits.data()), sizeof(bits));
  const int64_t first = number * kChunkRevisions;
  for (auto other = others_.lower_bound(RowRevision{Revision(first), 0});
       other != others_.end() && other->main.value() < first + kChunkRevisions; ++other) {
    AppendVarint(&out, static_cast<uint64_t>(other->main.value() - first));
    AppendVarint(&out, static_cast<uint64_t>(other->sub));
  }
  return out;
}

bool RevisionSet::InsertChunk(int64_t number, std::string_view bytes) {
  Chunk bits;
  if (bytes.size() < sizeof(bits)) return false;
  std::memcpy(bits.data(), bytes.data(), sizeof(bits));
  bytes.remove_prefix(sizeof(bits));
  RevisionSet part;
  part.chunks_[number] = bits;
  Merge(part);
  while (!bytes.empty()) {
    uint64_t main;
    uint64_t sub;
    if (!ReadVarint(&bytes, &main) || !ReadVarint(&bytes, &sub)) return false;
    Insert({Revision(number * kChunkRevisions + static_cast<int64_t>(main)),
            static_cast<int64_t>(sub)});
  }
  return true;
}

}  // namespace kvorum::mvcc
