#pragma once
// What background rewrites leave out, and what tells which files are worth rewriting.

#include <absl/base/thread_annotations.h>
#include <absl/synchronization/mutex.h>
#include <rocksdb/compaction_filter.h>
#include <rocksdb/table_properties.h>

#include <memory>
#include <optional>

#include "mvcc/revision_set.h"

namespace kvorum::mvcc {

// Each rewrite gets the set that is current when it begins and keeps it to its end. Thread-safe.
class PurgeFilterFactory : public rocksdb::CompactionFilterFactory {
 public:
  const char* Name() const override { return "kvorum.PurgeFilter"; }
  std::unique_ptr<rocksdb::CompactionFilter> CreateCompactionFilter(
      const rocksdb::CompactionFilter::Context& context) override;

  void Set(std::shared_ptr<const RevisionSet> dead);
  // Null before the first Set.
  std::shared_ptr<const RevisionSet> Get() const;

 private:
  mutable absl::Mutex mutex_;
  std::shared_ptr<const RevisionSet> dead_ ABSL_GUARDED_BY(mutex_);
};

// The rows of bucket `key` in one file. (A file also holds rows of other buckets, so its first and
// last key say nothing.)
struct FileHistory {
  int64_t rows = 0;
  Revision first_main;
  Revision last_main;
  // How many of the dead set, in its form of this generation, lie between the two and had been left
  // out when the file was written: what the set has there beyond that is dead weight in this file.
  int64_t generation = 0;
  int64_t left_out = 0;
};
// Notes a FileHistory in each file written.
std::shared_ptr<rocksdb::TablePropertiesCollectorFactory> NewHistoryCollectorFactory();
// Nothing for a file without such rows.
std::optional<FileHistory> ReadFileHistory(const rocksdb::TableProperties& properties);

}  // namespace kvorum::mvcc
