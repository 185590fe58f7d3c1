#include <algorithm>

#include "base/check.h"
#include "raft/log_unstable.h"
#include "raft/storage.h"

namespace kvorum::raft {

MemoryStorage::MemoryStorage() : snapshot_(std::make_shared<const Snapshot>()) {}

std::optional<Term> MemoryStorage::TermAt(Index i) const {
  if (i == compacted_.index) return compacted_.term;
  if (i < FirstIndex() || i > LastIndex()) return std::nullopt;
  return entries_[i - FirstIndex()].term;
}

std::optional<std::vector<Entry>> MemoryStorage::Entries(Index lo, Index hi,
                                                         uint64_t max_bytes) const {
  CHECK_LT(lo, hi);
  CHECK_LE(hi, LastIndex() + 1);
  if (lo < FirstIndex()) return std::nullopt;
  return CopyLimited(entries_, lo - FirstIndex(), hi - FirstIndex(), max_bytes);
}

Status MemoryStorage::ApplySnapshot(SnapshotPtr snapshot) {
  const Index held = snapshot_->metadata.index;
  if (held != Index(0) && held >= snapshot->metadata.index) {
    return absl::FailedPreconditionError("raft: snapshot is not newer than the one held");
  }
  snapshot_ = std::move(snapshot);
  compacted_ = {.term = snapshot_->metadata.term, .index = snapshot_->metadata.index};
  entries_.clear();
  return absl::OkStatus();
}

void MemoryStorage::Append(std::vector<Entry> entries) {
  auto from = entries.begin();
  while (from != entries.end() && from->index < FirstIndex()) ++from;
  if (from == entries.end()) return;
  CHECK_LE(from->index, LastIndex() + 1) << "a gap in the log";
  const uint64_t keep = from->index - FirstIndex();
  entries_.erase(entries_.begin() + static_cast<ptrdiff_t>(keep), entries_.end());
  entries_.insert(entries_.end(), std::make_move_iterator(from),
                  std::make_move_iterator(entries.end()));
}

Status MemoryStorage::CreateSnapshot(Index i, const ConfState& conf_state, SharedBytes data) {
  if (i <= snapshot_->metadata.index) {
    return absl::FailedPreconditionError("raft: snapshot is not newer than the one held");
  }
  const std::optional<Term> term = TermAt(i);
  CHECK(term.has_value()) << "snapshot at " << i << " outside the log [" << FirstIndex() << ", "
                          << LastIndex() << "]";
  auto made = std::make_shared<Snapshot>();
  made->metadata = {.index = i, .term = *term, .conf_state = conf_state};
  made->data = std::move(data);
  snapshot_ = std::move(made);
  return absl::OkStatus();
}

Status MemoryStorage::Compact(Index i) {
  if (i < FirstIndex()) return absl::FailedPreconditionError("raft: already compacted");
  CHECK_LE(i, LastIndex());
  const EntryId point{.term = *TermAt(i), .index = i};
  entries_.erase(entries_.begin(), entries_.begin() + static_cast<ptrdiff_t>(i - compacted_.index));
  compacted_ = point;
  return absl::OkStatus();
}

}  // namespace kvorum::raft
