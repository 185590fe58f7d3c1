#include "tests/raft/member.h"

#include <algorithm>

#include "base/check.h"

namespace kvorum::raft::testing {

// ---- Disk ----

Term Disk::TermAt(Index i) const {
  if (i == snapshot->metadata.index) return snapshot->metadata.term;
  CHECK_GE(i, first());
  CHECK_LE(i, last());
  return entries[i - first()].term;
}

void Disk::Write(const Ready& ready) {
  if (ready.snapshot) {
    snapshot = ready.snapshot;
    entries.clear();
  }
  for (const Entry& e : ready.entries) {
    CHECK_GE(e.index, first());
    CHECK_LE(e.index, last() + 1) << "a gap on disk";
    entries.resize(e.index - first());
    entries.push_back(e);
  }
  if (ready.hard_state) hard_state = *ready.hard_state;
}

// ---- Member ----

Member::Member(MemberOptions options)
    : options_(std::move(options)), random_(NewSeededRandom(options_.seed)) {
  store_.conf_state = options_.conf_state;
  flushed_ = store_;
  Start(Index(0));
}

void Member::Start(Index applied) {
  storage_ = std::make_unique<MemoryStorage>();
  if (disk_.snapshot->metadata.index != Index(0)) {
    CHECK_OK(storage_->ApplySnapshot(disk_.snapshot));
  }
  storage_->Append({disk_.entries.begin(), disk_.entries.end()});
  storage_->SetHardState(disk_.hard_state);
  memory_ = disk_;
  Config config;
  config.id = options_.id;
  config.storage = storage_.get();
  config.random = random_.get();
  config.applied = applied;
  config.conf_state = store_.conf_state;
  config.pre_vote = options_.pre_vote;
  config.check_quorum = options_.check_quorum;
  config.allow_conf_change_v2 = true;
  if (options_.tune) options_.tune(&config);
  auto node = RawNode::Create(config);
  CHECK(node.ok()) << node.status().ToString();
  node_ = *std::move(node);
}

void Member::Restart() {
  writes_.clear();
  batches_.clear();
  outbox_.clear();
  reads_.clear();
  store_ = flushed_;
  ++restarts_;
  disk_.hard_state = synced_;  // a commit index alone is written without a sync
  // A snapshot on disk that the store had not taken over yet is installed again.
  if (disk_.snapshot->metadata.index > store_.applied) {
    store_.applied = disk_.snapshot->metadata.index;
    store_.conf_state = disk_.snapshot->metadata.conf_state;
  }
  disk_.hard_state.commit = std::max(disk_.hard_state.commit, store_.applied);
  Start(store_.applied);
}

void Member::Collect() {
  while (node_->HasReady()) {
    Ready ready = node_->TakeReady();
    outbox_.insert(outbox_.end(), ready.messages.begin(), ready.messages.end());
    reads_.insert(reads_.end(), ready.read_states.begin(), ready.read_states.end());
    if (!ready.committed_entries.empty()) {
      batches_.push_back({.entries = std::move(ready.committed_entries), .snapshot = nullptr});
    }
    if (ready.must_sync) ++syncs_requested_;
    memory_.Write(ready);
    if (on_ready) on_ready(*this, ready);
    if (ready.needs_append) {
      writes_.push_back(std::move(ready));
    } else {
      CHECK(ready.nothing_to_write() && ready.messages_after_append.empty());
    }
  }
}

void Member::Sync(size_t readys) {
  for (; readys > 0 && !writes_.empty(); --readys) {
    Ready ready = std::move(writes_.front());
    writes_.pop_front();
    disk_.Write(ready);
    if (ready.must_sync) synced_ = disk_.hard_state;
    outbox_.insert(outbox_.end(), ready.messages_after_append.begin(),
                   ready.messages_after_append.end());
    if (ready.snapshot) batches_.push_back({.entries = {}, .snapshot = ready.snapshot});
    node_->OnAppended(std::move(ready.append_ack));
  }
}

void Member::Apply() {
  if (batches_.empty()) return;
  const Batch batch = std::move(batches_.front());
  batches_.pop_front();
  if (batch.snapshot) {
    CHECK_GT(batch.snapshot->metadata.index, store_.applied);
    store_.applied = batch.snapshot->metadata.index;
    store_.conf_state = batch.snapshot->metadata.conf_state;
  }
  for (const Entry& e : batch.entries) ApplyEntry(e);
  node_->OnApplied(store_.applied);
}

void Member::ApplyEntry(const Entry& e) {
  CHECK_EQ(e.index, store_.applied + 1) << "applied out of order";
  CHECK_LE(e.index, disk_.last()) << "applied before it was durable";
  store_.applied = e.index;
  store_.entries[e.index] = e;
  if (e.type == EntryType::kConfChange) {
    ConfChange change;
    CHECK(change.ParseFromString(std::string(e.data.view())));
    store_.conf_state = node_->ApplyConfChange(e.index, change);
  } else if (e.type == EntryType::kConfChangeV2) {
    ConfChangeV2 change;
    CHECK(change.ParseFromString(std::string(e.data.view())));
    store_.conf_state = node_->ApplyConfChange(e.index, change);
  }
  if (on_apply) on_apply(*this, e);
}

void Member::Settle() {
  for (Collect(); !writes_.empty() || !batches_.empty(); Collect()) {
    Sync(writes_.size());
    Collect();
    while (!batches_.empty()) Apply();
  }
}

void Member::Compact(uint64_t keep) {
  const Index at = store_.applied;
  // (The store may still be on its way to a snapshot that was received.)
  if (at <= storage_->CurrentSnapshot()->metadata.index) return;
  CHECK_OK(storage_->CreateSnapshot(at, store_.conf_state, {}));
  const Index to = at.value() > keep ? at - keep : Index(0);
  if (to >= storage_->FirstIndex()) CHECK_OK(storage_->Compact(to));
  disk_.entries.erase(disk_.entries.begin(),
                      disk_.entries.begin() + static_cast<ptrdiff_t>(at + 1 - disk_.first()));
  disk_.snapshot = storage_->CurrentSnapshot();
  Flush();
}

SnapshotPtr Member::MakeSnapshot() const {
  if (storage_->CurrentSnapshot()->metadata.index >= store_.applied) {
    return storage_->CurrentSnapshot();
  }
  auto snapshot = std::make_shared<Snapshot>();
  snapshot->metadata = {.index = store_.applied,
                        .term = storage_->TermAt(store_.applied).value(),
                        .conf_state = store_.conf_state};
  return snapshot;
}

std::vector<Message> Member::TakeOutbox() { return std::exchange(outbox_, {}); }

std::vector<ReadState> Member::TakeReads() { return std::exchange(reads_, {}); }

std::vector<std::string> Member::AppliedData() const {
  std::vector<std::string> data;
  for (const auto& [index, e] : store_.entries) {
    if (e.type == EntryType::kNormal && !e.data.empty()) data.emplace_back(e.data.view());
  }
  return data;
}

}  // namespace kvorum::raft::testing
