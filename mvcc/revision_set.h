#pragma once
// RevisionSet: a compact set of row revisions, for the millions a compaction lets go.
//
// Revisions with sub 0, nearly all of them, are bits in chunks of 4,096 main revisions; the others
// (later changes of one transaction) are an ordered set. 1,000,000 puts in a row take 125 KB.

#include <absl/container/btree_set.h>

#include <array>
#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <string_view>

#include "mvcc/revision.h"

namespace kvorum::mvcc {

// Immutable use from many threads is safe; changing needs exclusion.
class RevisionSet {
 public:
  // `generation`: how often the set of which this is the present form was begun anew.
  explicit RevisionSet(int64_t generation) : generation_(generation) {}
  RevisionSet() : RevisionSet(0) {}

  void Insert(const RowRevision& revision);
  bool Contains(const RowRevision& revision) const;
  void Merge(const RevisionSet& other);
  // How many have first <= main <= last.
  int64_t CountBetween(Revision first, Revision last) const;
  // The part of it in sub 0.
  int64_t CountFirstsBetween(Revision first, Revision last) const;

  // In pieces for storing: the numbers of all chunks with something in them; one chunk's bytes (its
  // bits, then the others' main and sub as varints); and the way back. False for damaged `bytes`.
  std::set<int64_t> ChunkNumbers() const;
  std::string EncodeChunk(int64_t number) const;
  bool InsertChunk(int64_t number, std::string_view bytes);

  int64_t generation() const { return generation_; }
  int64_t size() const { return size_; }
  bool empty() const { return size_ == 0; }
  // Memory held, roughly.
  int64_t memory_bytes() const {
    constexpr int64_t kChunkBytes = sizeof(Chunk) + 64;
    return static_cast<int64_t>(chunks_.size()) * kChunkBytes +
           static_cast<int64_t>(others_.size() * sizeof(RowRevision));
  }

 private:
  static constexpr int64_t kChunkRevisions = 4096;
  using Chunk = std::array<uint64_t, kChunkRevisions / 64>;

  int64_t generation_;
  std::map<int64_t, Chunk> chunks_;      // by main / kChunkRevisions
  absl::btree_set<RowRevision> others_;  // sub > 0
  int64_t size_ = 0;
};

}  // namespace kvorum::mvcc
