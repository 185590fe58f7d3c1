#include "raft/log_unstable.h"

#include <algorithm>

#include "base/check.h"

namespace kvorum::raft {

std::vector<Entry> CopyLimited(const std::deque<Entry>& entries, uint64_t from, uint64_t to,
                               uint64_t max_bytes) {
  uint64_t end = from;
  uint64_t bytes = 0;
  while (end < to) {
    bytes += EncodedSize(entries[end]);
    if (bytes > max_bytes && end > from) break;
    ++end;
  }
  const auto begin = entries.begin();
  return {begin + static_cast<ptrdiff_t>(from), begin + static_cast<ptrdiff_t>(end)};
}

std::optional<Index> LogUnstable::MaybeFirstIndex() const {
  if (!snapshot_) return std::nullopt;
  return snapshot_->metadata.index + 1;
}

std::optional<Index> LogUnstable::MaybeLastIndex() const {
  if (!entries_.empty()) return End() - 1;
  if (snapshot_) return snapshot_->metadata.index;
  return std::nullopt;
}

std::optional<Term> LogUnstable::MaybeTerm(Index i) const {
  if (i >= offset_ && i < End()) return entries_[i - offset_].term;
  if (snapshot_ && snapshot_->metadata.index == i) return snapshot_->metadata.term;
  return std::nullopt;
}

std::vector<Entry> LogUnstable::NextEntries() const {
  return {entries_.begin() + static_cast<ptrdiff_t>(offset_in_progress_ - offset_), entries_.end()};
}

void LogUnstable::AcceptInProgress() {
  offset_in_progress_ = End();
  snapshot_in_progress_ = snapshot_ != nullptr;
}

std::vector<Entry> LogUnstable::StableTo(EntryId last) {
  if (last.index < offset_ || last.index >= End()) return {};
  if (entries_[last.index - offset_].term != last.term) return {};
  const auto end = entries_.begin() + static_cast<ptrdiff_t>(last.index + 1 - offset_);
  std::vector<Entry> stable(std::make_move_iterator(entries_.begin()),
                            std::make_move_iterator(end));
  entries_.erase(entries_.begin(), end);
  offset_ = last.index + 1;
  offset_in_progress_ = std::max(offset_in_progress_, offset_);
  return stable;
}

SnapshotPtr LogUnstable::StableSnapshotTo(Index index) {
  if (!snapshot_ || snapshot_->metadata.index != index) return nullptr;
  snapshot_in_progress_ = false;
  return std::move(snapshot_);
}

void LogUnstable::Restore(SnapshotPtr snapshot) {
  snapshot_ = std::move(snapshot);
  snapshot_in_progress_ = false;
  entries_.clear();
  offset_ = snapshot_->metadata.index + 1;
  offset_in_progress_ = offset_;
}

void LogUnstable::TruncateAndAppend(std::vector<Entry> entries) {
  const Index first = entries.front().index;
  CHECK_LE(first, End()) << "a gap in the log";
  if (first <= offset_) {
    entries_.clear();
    offset_ = first;
  } else {
    entries_.erase(entries_.begin() + static_cast<ptrdiff_t>(first - offset_), entries_.end());
  }
  offset_in_progress_ = std::max(offset_, std::min(offset_in_progress_, first));
  entries_.insert(entries_.end(), std::make_move_iterator(entries.begin()),
                  std::make_move_iterator(entries.end()));
}

std::vector<Entry> LogUnstable::Slice(Index lo, Index hi, uint64_t max_bytes) const {
  CHECK_LE(offset_, lo);
  CHECK_LT(lo, hi);
  CHECK_LE(hi, End());
  return CopyLimited(entries_, lo - offset_, hi - offset_, max_bytes);
}

}  // namespace kvorum::raft
