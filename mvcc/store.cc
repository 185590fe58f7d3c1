#include "mvcc/store.h"

#include <algorithm>
#include <utility>

#include "base/check.h"
#include "mvcc/metrics.h"

namespace kvorum::mvcc {

Store::Store(std::unique_ptr<Backend> backend, const StoreOptions& options)
    : options_(options),
      backend_(std::move(backend)),
      cache_(options.value_cache_bytes),
      dead_(std::make_shared<RevisionSet>()) {}

Store::~Store() = default;

Revision Store::compacted_revision() const {
  absl::ReaderMutexLock lock(&mutex_);
  return compacted_;
}

int64_t Store::key_count() const {
  absl::ReaderMutexLock lock(&mutex_);
  return index_.live_keys();
}

void Store::Publish(WriteTxn& txn) {
  CHECK_EQ(txn.base_revision(), current_revision());
  for (const WriteTxn::Change& change : txn.changes_) {
    const std::string key = EncodeRowKey(change.revision, change.tombstone);
    backend_->batch().Put(Bucket::kKey, key, change.row.view());
    size_in_use_.fetch_add(LogicalRowBytes(key.size(), change.row.size()),
                           std::memory_order_relaxed);
  }
  EventBatch events;
  {
    absl::MutexLock lock(&mutex_);
    events = ApplyToIndex(txn);
    current_revision_.store(txn.revision().value(), std::memory_order_release);
  }
  TellLeases(txn);
  // After the change is visible: a watch that starts at current_revision() + 1 misses nothing.
  if (options_.events != nullptr) options_.events->Publish(std::move(events));
}

EventBatch Store::ApplyToIndex(WriteTxn& txn) {
  EventBatch batch{.revision = txn.revision()};
  if (options_.events != nullptr) batch.events.reserve(txn.changes_.size());
  for (const WriteTxn::Change& change : txn.changes_) {
    if (options_.events != nullptr) {
      Event event{.type = change.tombstone ? EventType::kDelete : EventType::kPut,
                  .revision = change.revision,
                  .row = change.row};
      if (change.previous) {
        event.previous = change.previous->modified;
        if (const KeyIndex* key = index_.Find(change.key))
          event.previous_row = ValueCache::Get(*key);
      }
      batch.events.push_back(std::move(event));
    }
    if (change.tombstone) {
      cache_.Remove(index_.Tombstone(change.key, change.revision));
    } else {
      KeyIndex& key =
          index_.Put(change.key, {.revision = change.revision,
                                  .created = change.created,
                                  .version = change.version,
                                  .lease = change.lease,
                                  .row_bytes = static_cast<uint32_t>(change.row.size())});
      cache_.Put(key, change.row);
    }
    pending_.Append({change.revision, change.tombstone, change.row});
  }
  return batch;
}

void Store::TellLeases(const WriteTxn& txn) {
  if (options_.leases == nullptr) return;
  for (const WriteTxn::Change& change : txn.changes_) {
    const LeaseId before = change.previous ? change.previous->lease : LeaseId(0);
    if (before == change.lease) continue;
    if (before != LeaseId(0)) options_.leases->Detach(before, change.key);
    if (change.lease != LeaseId(0)) options_.leases->Attach(change.lease, change.key);
  }
}

Counters Store::MakeCounters() {
  size_in_use_.fetch_add(backend_->TakeSizeDelta(), std::memory_order_relaxed);
  const int64_t high_water = defragmented_.exchange(false) ? 0 : size_bytes();
  size_.store(std::max(high_water, size_in_use_bytes()), std::memory_order_relaxed);
  absl::ReaderMutexLock lock(&mutex_);
  return Counters{.current_revision = current_revision(),
                  .key_rows = index_.revisions(),
                  .size_in_use_bytes = size_in_use_bytes(),
                  .size_bytes = size_bytes()};
}

// Puts what the compactor finished into the batch.
void Store::NoteFinishedCompaction() {
  std::optional<Revision> finished;
  std::shared_ptr<const RevisionSet> dead;
  std::set<int64_t> stale;
  std::set<int64_t> unsaved;
  {
    absl::MutexLock lock(&mutex_);
    dead = dead_;
    stale.swap(stale_dead_);
    if (finish_wanted_) {
      finished = std::exchange(finish_wanted_, std::nullopt);
      finished_ = *finished;
      unsaved.swap(unsaved_dead_);
    }
  }
  if (!stale.empty() || !unsaved.empty()) PutDead(*dead, stale, unsaved);
  if (finished) {
    backend_->batch().Put(Bucket::kMeta, kFinishedCompactKey, EncodeRowKey({.main = *finished}));
  }
}

void Store::PutDead(const RevisionSet& dead, const std::set<int64_t>& stale,
                    const std::set<int64_t>& unsaved) {
  const auto row_key = [](int64_t chunk) {
    std::string key(kDeadKeyPrefix);
    AppendBigEndian64(&key, static_cast<uint64_t>(chunk));
    return key;
  };
  Batch& batch = backend_->batch();
  for (const int64_t chunk : stale) batch.Delete(Bucket::kLocal, row_key(chunk));
  for (const int64_t chunk : unsaved) {
    batch.Put(Bucket::kLocal, row_key(chunk), dead.EncodeChunk(chunk));
  }
  std::string generation;
  AppendBigEndian64(&generation, static_cast<uint64_t>(dead.generation()));
  batch.Put(Bucket::kLocal, kDeadGenerationKey, generation);
}

Status Store::Commit(const CommitPosition& position) {
  NoteFinishedCompaction();
  const TimePoint begin = std::chrono::steady_clock::now();
  RETURN_IF_ERROR(backend_->Commit(position, MakeCounters()));
  commit_seconds.Observe(std::chrono::steady_clock::now() - begin);
  std::vector<PendingRow> written;  // lives longer than the lock is held: freeing them takes time
  {
    absl::MutexLock lock(&mutex_);
    written = pending_.TakeAll();
  }
  if (options_.events != nullptr) options_.events->Flush();
  return absl::OkStatus();
}

Error Store::Compact(Revision revision) {
  ScheduledCompaction job{.revision = revision, .previous = compacted_revision()};
  if (revision <= job.previous) return Error::kCompacted;
  if (revision > current_revision()) return Error::kFutureRevision;
  backend_->batch().Put(Bucket::kMeta, kScheduledCompactKey, EncodeRowKey({.main = revision}));
  {
    absl::MutexLock lock(&mutex_);
    job.hash_wanted = finished_ == compacted_;
    compacted_ = revision;
  }
  // Reads of the new epoch know of the compaction; older ones may still need what it removes.
  job.epoch = epochs_.Advance();
  {
    absl::MutexLock lock(&mutex_);
    scheduled_.push_back(job);
  }
  if (options_.events != nullptr) {
    options_.events->Publish({.revision = current_revision(), .compacted = revision});
  }
  return Error::kNone;
}

}  // namespace kvorum::mvcc
