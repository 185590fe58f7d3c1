// Store::Open: the index read back from the rows.
#include <algorithm>
#include <utility>
#include <vector>

#include "base/log.h"
#include "mvcc/store.h"

namespace kvorum::mvcc {

namespace {

StatusOr<std::optional<Revision>> ReadMetaRevision(Backend& backend, std::string_view key) {
  ASSIGN_OR_RETURN(const std::optional<std::string> row, backend.Get(Bucket::kMeta, key));
  if (!row) return std::optional<Revision>();
  const std::optional<RowKey> parsed = ParseRowKey(*row);
  if (!parsed) return absl::DataLossError("meta row " + std::string(key) + " is no revision");
  return std::optional<Revision>(parsed->revision.main);
}

StatusOr<uint64_t> ReadMetaNumber(Backend& backend, std::string_view key) {
  ASSIGN_OR_RETURN(const std::optional<std::string> row, backend.Get(Bucket::kMeta, key));
  if (!row) return uint64_t{0};
  if (row->size() != 8) return absl::DataLossError("meta row " + std::string(key));
  return ReadBigEndian64(*row);
}

}  // namespace

// Reads a backend into a store that no other thread knows yet.
//
// Rows that compaction made superfluous may still be there, in part: a purge goes file by file. So
// up to the compacted revision C nothing is derived from a row's predecessors: the newest row of a
// key up to C stands for its whole history (it carries its own create_revision and version), and if
// that is a tombstone below C, the key is not there.
struct Store::Loader {
  explicit Loader(Store& s) : store(s) {}

  Status Run();
  Status ReadMeta();
  Status ReadDead();
  Status ReadRows();
  Status AddKeyRow(std::string_view row_key, std::string_view value);
  void DropOld(KeyIndex& key);
  void EraseCompactedTombstones();
  Status CheckCounters() const;
  void AttachLeases();

  Store& store;
  Backend& backend = *store.backend_;
  Revision finished = kNeverCompacted;
  Revision current = kFirstRevision;
  int64_t other_bytes = 0;
  int64_t key_bytes = 0;
  RevisionSet known_dead;  // as stored
  RevisionSet found_dead;  // beyond that
  // Keys of which a tombstone below C was the newest row when it came.
  std::vector<std::string> tombstones;
  std::optional<Counters> counters;
};

StatusOr<std::unique_ptr<Store>> Store::Open(std::unique_ptr<Backend> backend,
                                             const StoreOptions& options) {
  std::unique_ptr<Store> store(new Store(std::move(backend), options));
  RETURN_IF_ERROR(Loader(*store).Run(), "reading the state store");
  return store;
}

Status Store::Loader::Run() {
  absl::MutexLock lock(&store.mutex_);
  RETURN_IF_ERROR(ReadMeta());
  RETURN_IF_ERROR(ReadDead());
  RETURN_IF_ERROR(ReadRows());
  EraseCompactedTombstones();
  RETURN_IF_ERROR(CheckCounters());
  AttachLeases();

  store.unsaved_dead_ = found_dead.ChunkNumbers();
  known_dead.Merge(found_dead);
  store.dead_ = std::make_shared<RevisionSet>(std::move(known_dead));
  store.finished_ = finished;
  store.current_revision_.store(current.value(), std::memory_order_release);
  const int64_t in_use = kEmptyStoreBytes + other_bytes + key_bytes;
  store.size_in_use_.store(in_use, std::memory_order_relaxed);
  const int64_t high_water = counters ? counters->size_bytes : 0;
  store.size_.store(std::max(in_use, high_water), std::memory_order_relaxed);
  if (counters && counters->size_in_use_bytes != in_use && finished == store.compacted_) {
    LOG_WARN("state store size differs from what was recorded", {"size", in_use},
             {"recorded", counters->size_in_use_bytes});
  }
  if (finished < store.compacted_ || !store.unsaved_dead_.empty()) {
    LOG_INFO("resume scheduled compaction",
             {"scheduled-compact-revision", store.compacted_.value()});
    store.scheduled_.push_back({.revision = store.compacted_, .previous = finished});
  }
  LOG_INFO("kvstore restored", {"current-rev", current.value()});
  return absl::OkStatus();
}

Status Store::Loader::ReadMeta() {
  ASSIGN_OR_RETURN(const std::optional<Revision> done,
                   ReadMetaRevision(backend, kFinishedCompactKey));
  ASSIGN_OR_RETURN(const std::optional<Revision> scheduled,
                   ReadMetaRevision(backend, kScheduledCompactKey));
  finished = done.value_or(kNeverCompacted);
  store.compacted_ = std::max(finished, scheduled.value_or(kNeverCompacted));
  if (done) {
    LOG_INFO("restored last compact revision", {"meta-bucket-name-key", kFinishedCompactKey},
             {"restored-compact-revision", finished.value()});
  }
  current = std::max(current, store.compacted_);

  ASSIGN_OR_RETURN(const uint64_t index, ReadMetaNumber(backend, kConsistentIndexKey));
  ASSIGN_OR_RETURN(const uint64_t term, ReadMetaNumber(backend, kTermKey));
  store.opened_at_ = {.index = Index(index), .term = Term(term)};
  ASSIGN_OR_RETURN(store.opened_at_.conf_state, backend.Get(Bucket::kMeta, kConfStateKey));

  ASSIGN_OR_RETURN(const std::optional<std::string> row, backend.Get(Bucket::kLocal, kCountersKey));
  if (row) {
    counters = Counters::Parse(*row);
    if (!counters) return absl::DataLossError("counters");
    current = std::max(current, counters->current_revision);
  }
  return absl::OkStatus();
}

Status Store::Loader::ReadDead() {
  ASSIGN_OR_RETURN(const std::optional<std::string> generation,
                   backend.Get(Bucket::kLocal, kDeadGenerationKey));
  if (generation && generation->size() == 8) {
    known_dead = RevisionSet(static_cast<int64_t>(ReadBigEndian64(*generation)));
  }
  const std::unique_ptr<Iterator> it = backend.NewIterator(Bucket::kLocal, kDeadKeyPrefix);
  for (; it->Valid() && it->key().starts_with(kDeadKeyPrefix); it->Next()) {
    const std::string_view number = it->key().substr(kDeadKeyPrefix.size());
    if (number.size() != 8 ||
        !known_dead.InsertChunk(static_cast<int64_t>(ReadBigEndian64(number)), it->value())) {
      return absl::DataLossError("damaged set of dead revisions");
    }
  }
  return it->status();
}

Status Store::Loader::ReadRows() {
  const std::unique_ptr<Iterator> it = backend.NewFullIterator();
  for (; it->Valid() && it->bucket() != Bucket::kLocal; it->Next()) {
    if (it->bucket() == Bucket::kKey) {
      RETURN_IF_ERROR(AddKeyRow(it->key(), it->value()));
    } else if (CountsForSize(it->bucket())) {
      other_bytes += LogicalRowBytes(it->key().size(), it->value().size());
    }
  }
  return it->status();
}

Status Store::Loader::AddKeyRow(std::string_view row_key, std::string_view value) {
  const std::optional<RowKey> row = ParseRowKey(row_key);
  const std::optional<KeyValueView> kv = KeyValueView::Parse(value);
  if (!row || !kv) return absl::DataLossError("damaged row in bucket key");
  current = std::max(current, row->revision.main);
  if (known_dead.Contains(row->revision)) return absl::OkStatus();

  if (row->revision.main <= store.compacted_) {
    KeyIndex* known = store.index_.Find(kv->key);
    if (known != nullptr && !known->empty()) {
      // A tombstone exactly at C is kept, with what follows it in the same transaction.
      const KeyIndex::Entry& last = known->entries().back();
      if (!last.tombstone || last.main != store.compacted_.value()) DropOld(*known);
    }
    if (row->tombstone && row->revision.main < store.compacted_) {
      tombstones.emplace_back(kv->key);
    }
  }
  key_bytes += LogicalRowBytes(row_key.size(), value.size());
  if (row->tombstone) {
    store.cache_.Remove(store.index_.Tombstone(kv->key, row->revision));
    return absl::OkStatus();
  }
  KeyIndex& key = store.index_.Put(kv->key, {.revision = row->revision,
                                             .created = kv->create_revision,
                                             .version = kv->version,
                                             .lease = kv->lease,
                                             .row_bytes = static_cast<uint32_t>(value.size())});
  // The rows are being read anyway: the first lists after a restart should not have to again.
  store.cache_.Remove(key);
  if (store.cache_.HasRoom()) store.cache_.PutIfRoom(key, SharedBytes(std::string(value)));
  return absl::OkStatus();
}

void Store::Loader::DropOld(KeyIndex& key) {
  store.index_.DropHistory(key, [&](const KeyIndex::Entry& entry) {
    key_bytes -= key.RowBytes(entry);
    found_dead.Insert(entry.revision());
  });
}

void Store::Loader::EraseCompactedTombstones() {
  for (const std::string& name : tombstones) {
    KeyIndex* key = store.index_.Find(name);
    if (key == nullptr || key->empty()) continue;
    // Later rows may have followed it; then only the tombstone goes.
    store.index_.Compact(*key, store.compacted_, [&](const KeyIndex::Entry& entry) {
      key_bytes -= key->RowBytes(entry);
      found_dead.Insert(entry.revision());
    });
    if (key->empty()) store.index_.Erase(name);
  }
}

// A scan that ended early without an error would otherwise pass for a smaller store.
Status Store::Loader::CheckCounters() const {
  if (!counters) return absl::OkStatus();
  const int64_t found = store.index_.revisions();
  const bool compacting = finished < store.compacted_;
  if (compacting ? found <= counters->key_rows : found == counters->key_rows) {
    return absl::OkStatus();
  }
  // An imported database's rows are counted as they are: it may have dead ones that no compaction
  // of its own has seen.
  if (found + found_dead.size() == counters->key_rows) return absl::OkStatus();
  return absl::DataLossError("found " + std::to_string(found) + " revisions, expected " +
                             std::to_string(counters->key_rows));
}

void Store::Loader::AttachLeases() {
  if (store.options_.leases == nullptr) return;
  for (TreeIndex::Cursor it = store.index_.Seek(""); it.valid(); it.Next()) {
    const std::optional<KeyMeta> meta = it->Latest();
    if (meta && meta->lease != LeaseId(0)) store.options_.leases->Attach(meta->lease, it->key());
  }
}

}  // namespace kvorum::mvcc
