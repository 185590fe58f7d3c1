#include "mvcc/backend/rocksdb_batch.h"

#include "base/check.h"
#include "mvcc/backend/status_convert.h"

namespace kvorum::mvcc {

namespace {

// Which rows can be read back and count for the size here: not those of `key`, which the store's
// index knows, and not our own.
bool KeptHere(Bucket bucket) { return bucket != Bucket::kKey && bucket != Bucket::kLocal; }

std::string BigEndian(uint64_t v) {
  std::string out;
  AppendBigEndian64(&out, v);
  return out;
}

}  // namespace

StatusOr<std::optional<std::string>> ReadRocksDb(rocksdb::DB& db,
                                                 const rocksdb::ReadOptions& options,
                                                 const std::string& backend_key) {
  std::string value;
  const rocksdb::Status status = db.Get(options, db.DefaultColumnFamily(), backend_key, &value);
  if (status.IsNotFound()) return std::optional<std::string>();
  if (!status.ok()) return FromRocksDb(status);
  return std::optional<std::string>(std::move(value));
}

void RocksDbBatch::Put(Bucket bucket, std::string_view key, std::string_view value) {
  const std::string backend_key = BackendKey(bucket, key);
  batch_.Put(backend_key, rocksdb::Slice(value.data(), value.size()));
  if (!KeptHere(bucket)) return;
  if (CountsForSize(bucket)) {
    size_delta_ += LogicalRowBytes(key.size(), value.size()) - SizeOf(backend_key);
  }
  Overlay(backend_key, std::string(value));
}

void RocksDbBatch::Delete(Bucket bucket, std::string_view key) {
  const std::string backend_key = BackendKey(bucket, key);
  batch_.Delete(backend_key);
  if (!KeptHere(bucket)) return;
  if (CountsForSize(bucket)) size_delta_ -= SizeOf(backend_key);
  Overlay(backend_key, std::nullopt);
}

void RocksDbBatch::Overlay(const std::string& backend_key, std::optional<std::string> value) {
  overlay_.insert_or_assign(backend_key, std::move(value));
}

int64_t RocksDbBatch::SizeOf(const std::string& backend_key) {
  const StatusOr<std::optional<std::string>> row =
      Get(static_cast<Bucket>(backend_key[0]), std::string_view(backend_key).substr(1));
  if (!row.ok()) {
    failed_read_.Update(row.status());
    return 0;
  }
  return row->has_value() ? LogicalRowBytes(backend_key.size() - 1, (*row)->size()) : 0;
}

StatusOr<std::optional<std::string>> RocksDbBatch::Get(Bucket bucket, std::string_view key) {
  CHECK(bucket != Bucket::kKey);
  const std::string backend_key = BackendKey(bucket, key);
  const auto it = overlay_.find(backend_key);
  if (it != overlay_.end()) return it->second;
  return ReadRocksDb(db_, rocksdb::ReadOptions(), backend_key);
}

Status RocksDbBatch::Write(const CommitPosition& position, const Counters& counters) {
  RETURN_IF_ERROR(failed_read_);
  // Repeating these after a failed try is harmless: the last one counts.
  const auto put = [this](Bucket bucket, std::string_view key, std::string_view value) {
    batch_.Put(BackendKey(bucket, key), rocksdb::Slice(value.data(), value.size()));
  };
  if (position.index.value() > 0) {
    put(Bucket::kMeta, kConsistentIndexKey, BigEndian(position.index.value()));
  }
  if (position.term.value() > 0) put(Bucket::kMeta, kTermKey, BigEndian(position.term.value()));
  if (position.conf_state) put(Bucket::kMeta, kConfStateKey, *position.conf_state);
  put(Bucket::kLocal, kCountersKey, counters.Encode());

  rocksdb::WriteOptions options;
  options.disableWAL = true;
  RETURN_IF_ERROR(FromRocksDb(db_.Write(options, &batch_)));
  batch_.Clear();
  overlay_.clear();
  return absl::OkStatus();
}

int64_t RocksDbBatch::TakeSizeDelta() { return std::exchange(size_delta_, 0); }

}  // namespace kvorum::mvcc
