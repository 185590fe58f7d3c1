#include <algorithm>
#include <utility>

#include "base/check.h"
#include "mvcc/store.h"
#include "mvcc/store_scan.h"

namespace kvorum::mvcc {

namespace {

// Index keys visited under one hold of the lock: about 100 us.
constexpr int64_t kSliceKeys = 1000;
// Up to this many fetched rows may push others out of the cache; more only fill free room.
constexpr size_t kCachedFetches = 64;
// Up to this many rows are looked up one by one.
constexpr size_t kSingleFetches = 32;
// With less than this many revisions for each row wanted, reading ahead pays.
constexpr int64_t kDenseRevisions = 64;
constexpr int kStepsBeforeSeek = 8;

bool BeyondEnd(const KeyRange& range, std::string_view key) {
  return !range.unbounded() && key >= range.end;
}

}  // namespace

// Checks the revision, pins it and counts; done at once when no rows are wanted.
void Store::StartScan(Scan* scan) const {
  scan->result.current = current_revision();
  scan->at = scan->options.revision.value() > 0 ? scan->options.revision : scan->result.current;
  scan->done = true;
  if (scan->at > scan->result.current) {
    scan->result.error = Error::kFutureRevision;
    return;
  }
  if (scan->at < compacted_) {
    scan->result.error = Error::kCompacted;
    return;
  }
  scan->counted = scan->options.uncounted;
  if (scan->range.single()) {
    const KeyIndex* key = index_.Find(scan->range.key);
    if (key != nullptr) Visit(*key, scan);
    return;
  }
  if (!scan->counted && scan->at == scan->result.current) {
    scan->result.count = index_.CountLive(scan->range);
    scan->counted = true;
    if (scan->options.count_only || scan->result.count == 0) return;
  }
  if (scan->counted) {
    const int64_t limit = scan->options.limit;
    scan->result.rows.reserve(limit > 0 ? std::min(limit, scan->result.count) : scan->result.count);
  }
  scan->done = false;
  scan->resume = scan->range.key;
}

// Takes the key into the result if it exists at the scan's revision.
void Store::Visit(const KeyIndex& key, Scan* scan) const {
  const std::optional<KeyMeta> meta = key.Find(scan->at);
  if (!meta) return;
  if (!scan->counted) ++scan->result.count;
  if (scan->options.count_only || scan->full()) return;
  if (scan->options.keys_only) {
    const KeyValueView kv{.key = key.key(),
                          .create_revision = meta->created,
                          .mod_revision = meta->modified.main,
                          .version = meta->version};
    scan->result.rows.push_back({meta->modified, SharedBytes(kv.Encode())});
    return;
  }
  SharedBytes bytes = RowInMemory(key, meta->modified);
  if (bytes.empty()) scan->missing.push_back(scan->result.rows.size());
  scan->result.rows.push_back({meta->modified, std::move(bytes)});
}

SharedBytes Store::RowInMemory(const KeyIndex& key, const RowRevision& revision) const {
  if (revision == key.modified()) {
    SharedBytes cached = ValueCache::Get(key);
    if (!cached.empty()) return cached;
  }
  const PendingRow* pending = pending_.Find(revision);
  return pending != nullptr ? pending->bytes : SharedBytes();
}

void Store::ScanSlice(Scan* scan, int64_t max_keys) const {
  TreeIndex::Cursor cursor = index_.Seek(scan->resume);
  for (int64_t n = 0; n < max_keys; ++n, cursor.Next()) {
    if (!cursor.valid() || BeyondEnd(scan->range, cursor->key()) ||
        (scan->counted && scan->full())) {
      scan->done = true;
      return;
    }
    Visit(*cursor, scan);
  }
  if (cursor.valid()) {
    scan->resume = cursor->key();
  } else {
    scan->done = true;
  }
}

StatusOr<RangeResult> Store::Range(const KeyRange& range, const RangeOptions& options) const {
  // Before looking at the compacted revision, see ReadEpochs.
  const ReadEpochs::Guard guard = epochs_.Enter();
  Scan scan{.range = range, .options = options};
  {
    absl::ReaderMutexLock lock(&mutex_);
    StartScan(&scan);
    if (!scan.done) ScanSlice(&scan, kSliceKeys);
  }
  while (!scan.done) {
    absl::ReaderMutexLock lock(&mutex_);
    ScanSlice(&scan, kSliceKeys);
  }
  RETURN_IF_ERROR(FetchMissing(&scan));
  return std::move(scan.result);
}

std::optional<RangeResult> Store::TryRangeInMemory(const KeyRange& range,
                                                   const RangeOptions& options,
                                                   int64_t max_rows) const {
  const ReadEpochs::Guard guard = epochs_.Enter();
  Scan scan{.range = range, .options = options};
  absl::ReaderMutexLock lock(&mutex_);
  StartScan(&scan);
  // One more, to see the end behind the last.
  if (!scan.done) ScanSlice(&scan, max_rows + 1);
  if (!scan.done || !scan.missing.empty()) return std::nullopt;
  return std::move(scan.result);
}

// Reads the missing rows from the backend, outside the lock, and offers them to the cache. In the
// order they lie there, which is that of revisions: a block is then read and unpacked once, not
// once a row.
Status Store::FetchMissing(Scan* scan) const {
  std::vector<size_t> missing = std::exchange(scan->missing, {});
  if (missing.empty()) return absl::OkStatus();
  std::vector<Row>& rows = scan->result.rows;
  std::sort(missing.begin(), missing.end(),
            [&rows](size_t a, size_t b) { return rows[a].revision < rows[b].revision; });
  if (missing.size() > kSingleFetches) {
    RETURN_IF_ERROR(FetchByScan(missing, &rows));
  } else {
    for (const size_t i : missing) {
      ASSIGN_OR_RETURN(rows[i].bytes, FetchRow(rows[i].revision));
    }
  }
  FillCache(rows, missing);
  return absl::OkStatus();
}

// `missing` is ordered by revision.
Status Store::FetchByScan(const std::vector<size_t>& missing, std::vector<Row>* rows) const {
  const Revision first = (*rows)[missing.front()].revision.main;
  const Revision last = (*rows)[missing.back()].revision.main;
  const bool dense = (last - first) / static_cast<int64_t>(missing.size()) < kDenseRevisions;
  const std::unique_ptr<Iterator> it =
      backend_->NewIterator(Bucket::kKey, EncodeRowKey({.main = first}),
                            EncodeRowKey({.main = last + 1}), /*whole_scan=*/dense);
  for (const size_t i : missing) {
    Row& row = (*rows)[i];
    const std::string wanted = EncodeRowKey(row.revision);
    // A few steps cost less than a search.
    for (int n = 0; n < kStepsBeforeSeek && it->Valid() && it->key() < wanted; ++n) it->Next();
    if (it->Valid() && it->key() < wanted) it->Seek(wanted);
    if (!it->Valid() || it->key() != wanted) {
      RETURN_IF_ERROR(it->status());
      // Also what a scan that ended early without an error looks like: ask for the row itself.
      ASSIGN_OR_RETURN(row.bytes, FetchRow(row.revision));
      continue;
    }
    row.bytes = SharedBytes(std::string(it->value()));
  }
  return it->status();
}

StatusOr<SharedBytes> Store::FetchRow(const RowRevision& revision) const {
  ASSIGN_OR_RETURN(std::optional<std::string> value,
                   backend_->Get(Bucket::kKey, EncodeRowKey(revision)));
  if (!value) {
    return absl::DataLossError("revision " + RevisionText(revision) +
                               " is in the index but not in the state store");
  }
  return SharedBytes(*std::move(value));
}

void Store::FillCache(const std::vector<Row>& rows, const std::vector<size_t>& fetched) const {
  const bool evict = fetched.size() <= kCachedFetches;
  for (size_t begin = 0; begin < fetched.size(); begin += kCachedFetches) {
    absl::MutexLock lock(&mutex_);
    for (size_t i = begin; i < std::min(begin + kCachedFetches, fetched.size()); ++i) {
      if (!evict && !cache_.HasRoom()) return;
      const Row& row = rows[fetched[i]];
      const std::optional<KeyValueView> kv = KeyValueView::Parse(row.bytes.view());
      if (!kv) continue;
      // const: the cache is no part of the observable state.
      auto* key = const_cast<KeyIndex*>(index_.Find(kv->key));
      if (key == nullptr || key->empty() || key->modified() != row.revision) continue;
      if (evict) {
        cache_.Put(*key, row.bytes);
      } else {
        cache_.PutIfRoom(*key, row.bytes);
      }
    }
  }
}

StatusOr<std::optional<Row>> Store::ReadRow(const RowRevision& revision) const {
  const ReadEpochs::Guard guard = epochs_.Enter();
  {
    absl::ReaderMutexLock lock(&mutex_);
    if (const PendingRow* pending = pending_.Find(revision)) {
      if (pending->tombstone) return std::optional<Row>();
      return std::optional<Row>(Row{revision, pending->bytes});
    }
    if (dead_->Contains(revision)) return std::optional<Row>();
  }
  ASSIGN_OR_RETURN(std::optional<std::string> value,
                   backend_->Get(Bucket::kKey, EncodeRowKey(revision)));
  if (!value) return std::optional<Row>();
  return std::optional<Row>(Row{revision, SharedBytes(*std::move(value))});
}

}  // namespace kvorum::mvcc
