#include "raft/log.h"

#include <algorithm>

#include "base/check.h"

namespace kvorum::raft {

RaftLog::RaftLog(MemoryStorage* storage, uint64_t max_applying_bytes)
    : storage_(storage),
      unstable_(storage->LastIndex() + 1),
      committed_(storage->FirstIndex() - 1),
      applying_(committed_),
      applied_(committed_),
      max_applying_bytes_(max_applying_bytes) {}

// ---- Looking ----

Index RaftLog::FirstIndex() const {
  return unstable_.MaybeFirstIndex().value_or(storage_->FirstIndex());
}

Index RaftLog::LastIndex() const {
  return unstable_.MaybeLastIndex().value_or(storage_->LastIndex());
}

std::optional<Term> RaftLog::TermAt(Index i) const {
  if (const auto term = unstable_.MaybeTerm(i)) return term;
  // What Storage holds outside these bounds has been replaced.
  if (i + 1 < FirstIndex() || i > LastIndex()) return std::nullopt;
  return storage_->TermAt(i);
}

EntryId RaftLog::LastEntryId() const {
  const Index last = LastIndex();
  const std::optional<Term> term = TermAt(last);
  CHECK(term.has_value()) << "no term for the last index " << last;
  return {.term = *term, .index = last};
}

bool RaftLog::Matches(EntryId id) const {
  const std::optional<Term> term = TermAt(id.index);
  return term.has_value() && *term == id.term;
}

bool RaftLog::IsUpToDate(EntryId last) const {
  const EntryId ours = LastEntryId();
  return last.term > ours.term || (last.term == ours.term && last.index >= ours.index);
}

std::optional<std::vector<Entry>> RaftLog::Entries(Index from, uint64_t max_bytes) const {
  const Index end = LastIndex() + 1;
  if (from >= end) return std::vector<Entry>();
  if (from < FirstIndex()) return std::nullopt;
  return Slice(from, end, max_bytes);
}

std::vector<Entry> RaftLog::Slice(Index lo, Index hi, uint64_t max_bytes) const {
  if (lo >= unstable_.offset()) return unstable_.Slice(lo, hi, max_bytes);
  const Index cut = std::min(hi, unstable_.offset());
  auto stored = storage_->Entries(lo, cut, max_bytes);
  CHECK(stored.has_value()) << "entries from " << lo << " are compacted";
  std::vector<Entry> out = std::move(*stored);
  if (cut == hi || out.size() < cut - lo) return out;
  const uint64_t bytes = EncodedSize(out);
  if (bytes >= max_bytes) return out;
  std::vector<Entry> rest = unstable_.Slice(cut, hi, max_bytes - bytes);
  // Slice gives at least one entry, which may be one too many here.
  if (rest.size() == 1 && bytes + EncodedSize(rest[0]) > max_bytes) return out;
  out.insert(out.end(), std::make_move_iterator(rest.begin()), std::make_move_iterator(rest.end()));
  return out;
}

// ---- Appending ----

std::optional<Index> RaftLog::MaybeAppend(EntryId prev, std::vector<Entry> entries,
                                          Index committed) {
  if (!Matches(prev)) return std::nullopt;
  const Index last_new = prev.index + entries.size();
  const Index conflict = FindConflict(entries);
  if (conflict != Index(0)) {
    CHECK_LT(committed_, conflict) << "an entry conflicts with a committed one";
    const auto known = static_cast<ptrdiff_t>(conflict - prev.index - 1);
    entries.erase(entries.begin(), entries.begin() + known);
    Append(std::move(entries));
  }
  CommitTo(std::min(committed, last_new));
  return last_new;
}

void RaftLog::Append(std::vector<Entry> entries) {
  if (entries.empty()) return;
  CHECK_LT(committed_, entries.front().index) << "committed entries are never replaced";
  unstable_.TruncateAndAppend(std::move(entries));
}

Index RaftLog::FindConflict(const std::vector<Entry>& entries) const {
  for (const Entry& e : entries) {
    if (!Matches(IdOf(e))) return e.index;
  }
  return Index(0);
}

EntryId RaftLog::FindConflictByTerm(Index from, Term term) const {
  for (Index i = from; i > Index(0); i = i - 1) {
    const std::optional<Term> ours = TermAt(i);
    if (!ours) return {.term = Term(0), .index = i};
    if (*ours <= term) return {.term = *ours, .index = i};
  }
  return {};
}

// ---- Committing and applying ----

void RaftLog::CommitTo(Index index) {
  if (index <= committed_) return;
  CHECK_LE(index, LastIndex())
      << "tocommit is beyond lastIndex. Was the raft log corrupted, truncated, or lost?";
  committed_ = index;
}

bool RaftLog::MaybeCommit(EntryId at) {
  // Term 0 is the term of index 0, which needs no commit.
  if (at.term == Term(0) || at.index <= committed_ || !Matches(at)) return false;
  CommitTo(at.index);
  return true;
}

Index RaftLog::MaxAppliable() const { return std::min(committed_, stable()); }

bool RaftLog::HasNextCommitted() const {
  return !applying_paused_ && applied_ >= applying_until_ && !HasPendingSnapshot() &&
         applying_ < MaxAppliable();
}

std::vector<Entry> RaftLog::NextCommitted(bool split) const {
  if (!HasNextCommitted()) return {};
  CHECK_LT(applying_bytes_, max_applying_bytes_);
  std::vector<Entry> batch =
      Slice(applying_ + 1, MaxAppliable() + 1, max_applying_bytes_ - applying_bytes_);
  if (!split) return batch;
  const auto change = std::find_if(batch.begin(), batch.end(), IsConfChange);
  if (change != batch.end()) batch.erase(change + 1, batch.end());
  return batch;
}

void RaftLog::AcceptApplying(const std::vector<Entry>& batch, bool split) {
  if (batch.empty()) return;
  CHECK_EQ(batch.front().index, applying_ + 1);
  applying_ = batch.back().index;
  CHECK_LE(applying_, MaxAppliable());
  batches_.push_back({.last = applying_,
                      .encoded_bytes = EncodedSize(batch),
                      .payload_bytes = PayloadSize(batch)});
  applying_bytes_ += batches_.back().encoded_bytes;
  if (split && IsConfChange(batch.back())) applying_until_ = applying_;
  // A batch that was cut short means that the limit is reached, though not to the byte.
  applying_paused_ = applying_bytes_ >= max_applying_bytes_ || applying_ < MaxAppliable();
}

uint64_t RaftLog::AppliedTo(Index index) {
  CHECK_LE(index, committed_);
  applied_ = std::max(applied_, index);
  applying_ = std::max(applying_, applied_);
  uint64_t payload_bytes = 0;
  while (!batches_.empty() && batches_.front().last <= applied_) {
    applying_bytes_ -= batches_.front().encoded_bytes;
    payload_bytes += batches_.front().payload_bytes;
    batches_.pop_front();
  }
  applying_paused_ = applying_bytes_ >= max_applying_bytes_;
  return payload_bytes;
}

bool RaftLog::HasUnappliedConfChange() const {
  Index lo = std::max(applied_ + 1, FirstIndex());
  while (lo <= committed_) {
    // By pages, so that a long backlog is not copied at once.
    const std::vector<Entry> page = Slice(lo, committed_ + 1, max_applying_bytes_);
    if (std::any_of(page.begin(), page.end(), IsConfChange)) return true;
    lo = lo + page.size();
  }
  return false;
}

// ---- Becoming durable ----

void RaftLog::StableTo(EntryId last) { storage_->Append(unstable_.StableTo(last)); }

bool RaftLog::StableSnapshotTo(const SnapshotPtr& snapshot) {
  const Index index = snapshot->metadata.index;
  (void)unstable_.StableSnapshotTo(index);
  if (index <= storage_->CurrentSnapshot()->metadata.index) return false;
  // Also one that was superseded meanwhile: the store comes by it, and whoever makes a snapshot or
  // compacts there must find in Storage what is on disk.
  CHECK_OK(storage_->ApplySnapshot(snapshot));
  return true;
}

void RaftLog::Restore(SnapshotPtr snapshot) {
  CHECK_LT(committed_, snapshot->metadata.index);
  committed_ = snapshot->metadata.index;
  unstable_.Restore(std::move(snapshot));
}

}  // namespace kvorum::raft
