#pragma once
// The apply thread's pending write: a RocksDB WriteBatch, what it changes for who reads it back,
// and what it changes in size.

#include <rocksdb/db.h>
#include <rocksdb/write_batch.h>

#include <map>
#include <optional>
#include <string>

#include "mvcc/backend/backend.h"

namespace kvorum::mvcc {

// One thread. `db` must outlive it.
class RocksDbBatch : public Batch {
 public:
  explicit RocksDbBatch(rocksdb::DB& db) : db_(db) {}

  void Put(Bucket bucket, std::string_view key, std::string_view value) override;
  void Delete(Bucket bucket, std::string_view key) override;
  StatusOr<std::optional<std::string>> Get(Bucket bucket, std::string_view key) override;
  bool empty() const override { return batch_.Count() == 0; }

  // Adds the rows of `position` and `counters` and writes everything. On failure all of it is kept
  // and Write may be called again.
  Status Write(const CommitPosition& position, const Counters& counters);
  int64_t TakeSizeDelta();

 private:
  // The size of the row as it is now; 0 when absent.
  int64_t SizeOf(const std::string& backend_key);
  void Overlay(const std::string& backend_key, std::optional<std::string> value);

  rocksdb::DB& db_;
  rocksdb::WriteBatch batch_;
  // Pending rows of all buckets but `key`, by backend key; nothing for a deleted one.
  std::map<std::string, std::optional<std::string>, std::less<>> overlay_;
  int64_t size_delta_ = 0;
  // A read that failed while keeping the sizes; reported by Write.
  Status failed_read_;
};

// Get of one row; nothing when absent.
StatusOr<std::optional<std::string>> ReadRocksDb(rocksdb::DB& db,
                                                 const rocksdb::ReadOptions& options,
                                                 const std::string& backend_key);

}  // namespace kvorum::mvcc
