#include "server/apply_stage.h"

#include <algorithm>
#include <iterator>
#include <utility>

#include "base/check.h"
#include "server/apply/slow_apply.h"
#include "server/fatal.h"
#include "server/metrics.h"

namespace kvorum::server {

ApplyStage::ApplyStage(Options options, Output output)
    : options_(options), output_(std::move(output)) {
  const mvcc::CommitPosition position = options_.store->Get()->opened_at();
  batch_index_ = position.index;
  batch_term_ = position.term;
  applied_.store(position.index.value());
  term_.store(position.term.value());
}

void ApplyStage::Push(std::vector<LogEntry> entries) { inbox_.Push(Task(std::move(entries))); }

void ApplyStage::Push(raft::SnapshotPtr snapshot) { inbox_.Push(Task(std::move(snapshot))); }

void ApplyStage::RequestCommit() { inbox_.Push(Task(CommitRequest{})); }

void ApplyStage::OnFlushed() { inbox_.Push(Task(Flushed{})); }

TimePoint ApplyStage::WakeAt() const { return disk_full() ? retry_at_ : TimePoint::max(); }

bool ApplyStage::Step(Wait wait) {
  std::vector<Task> tasks = wait == Wait::kYes ? inbox_.PopAll(WakeAt()) : inbox_.TryPopAll();
  for (Task& task : tasks) waiting_.push_back(std::move(task));
  if (disk_full()) {
    if (options_.clock->Now() < retry_at_) return !tasks.empty();
    Commit();
    if (disk_full()) return true;
  }
  if (waiting_.empty()) return false;
  std::vector<Task> work = std::exchange(waiting_, {});
  for (size_t i = 0; i < work.size(); ++i) {
    // What was applied before a snapshot is finished before it.
    if (std::holds_alternative<raft::SnapshotPtr>(work[i]) && commit_wanted_) Commit();
    if (disk_full()) {
      std::move(work.begin() + static_cast<ptrdiff_t>(i), work.end(), std::back_inserter(waiting_));
      return true;
    }
    std::visit([this](auto& task) { Take(task); }, work[i]);
  }
  if (commit_wanted_) Commit();
  return true;
}

void ApplyStage::Take(std::vector<LogEntry>& entries) {
  TimePoint begin = options_.clock->Now();
  mvcc::Batch& rows = options_.store->Get()->backend().batch();
  for (const LogEntry& entry : entries) {
    // Of a directory whose store is ahead of its log: the store has it already.
    if (entry.index <= batch_index_) continue;
    CHECK_EQ(entry.index, batch_index_ + 1);
    const size_t results = batch_.results.size();
    options_.entries->Apply(entry, rows, &batch_);
    batch_index_ = entry.index;
    batch_term_ = entry.term;
    const TimePoint end = options_.clock->Now();
    if (end - begin > options_.expected_duration) {
      const bool has_result = batch_.results.size() > results;
      WarnOfSlowApply(entry, has_result ? &batch_.results.back() : nullptr, end - begin,
                      options_.expected_duration);
    }
    begin = end;
  }
  commit_wanted_ = true;
}

void ApplyStage::Take(raft::SnapshotPtr& snapshot) {
  CHECK_GT(snapshot->metadata.index, batch_index_) << "a snapshot of the past";
  const raft::EntryId position = output_.install(snapshot);
  batch_index_ = std::max(position.index, snapshot->metadata.index);
  batch_term_ = std::max(position.term, snapshot->metadata.term);
  options_.snapshots->OnInstalled(snapshot->metadata.index);
  Finish();
}

void ApplyStage::Commit() {
  mvcc::CommitPosition position{.index = batch_index_, .term = batch_term_};
  if (!batch_.conf_changes.empty()) {
    position.conf_state = EncodeConfStateJson(options_.membership->conf_state());
  }
  const Status status = options_.store->Get()->Commit(position);
  if (absl::IsResourceExhausted(status)) return OnDiskFull(status);
  if (!status.ok()) Fatal("failed to commit to the store", {{"error", status}});
  if (disk_full()) LOG_INFO("there is space again to apply entries");
  disk_full_ = false;
  commit_wanted_ = false;
  Finish();
}

void ApplyStage::OnDiskFull(const Status& status) {
  if (!disk_full()) {
    LOG_ERROR("no space left to apply entries; trying again", {"error", status});
  }
  disk_full_ = true;
  retry_at_ = options_.clock->Now() + kRetryInterval;
  AnswerNoSpace();
}

// Those of this batch and those behind it. The alarm that would tell them cannot be applied before
// there is space.
void ApplyStage::AnswerNoSpace() {
  options_.wait_list->FailAll(Error::kNoSpace);
  batch_.results.clear();
  batch_.raise_no_space.clear();
}

void ApplyStage::Finish() {
  AppliedBatch batch = std::exchange(batch_, {});
  term_.store(batch_term_.value(), std::memory_order_relaxed);
  applied_.store(batch_index_.value(), std::memory_order_release);
  for (auto& [index, change] : batch.conf_changes) {
    output_.on_conf_change(index, std::move(change));
  }
  output_.on_applied(batch_index_);
  for (const Term term : batch.terms_started) output_.on_term_started(term);
  // Before the results are given out, which would otherwise answer those that have to wait.
  if (!batch.raise_no_space.empty()) output_.raise_no_space(std::move(batch.raise_no_space));
  options_.wait_list->Complete(batch.results);
  options_.read_index->OnApplied(batch_index_);
  if (batch.compacted) output_.on_compaction();
  options_.snapshots->OnCommitted(batch_index_, batch_term_);
}

}  // namespace kvorum::server
