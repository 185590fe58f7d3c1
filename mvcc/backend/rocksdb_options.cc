#include "mvcc/backend/rocksdb_options.h"

#include <rocksdb/cache.h>
#include <rocksdb/env.h>
#include <rocksdb/table.h>

#include <cstdarg>
#include <cstdio>

#include "base/log.h"

namespace kvorum::mvcc {

namespace {

// RocksDB's own log: what it warns of goes into ours, the rest nowhere.
class ForwardingLogger : public rocksdb::Logger {
 public:
  ForwardingLogger() : Logger(rocksdb::InfoLogLevel::WARN_LEVEL) {}
  using Logger::Logv;
  void Logv(const char* format, va_list args) override {
    char text[1024];
    std::vsnprintf(text, sizeof(text), format, args);
    LOG_WARN("rocksdb", {"message", std::string_view(text)});
  }
  void LogHeader(const char*, va_list) override {}
};

}  // namespace

rocksdb::Options MakeRocksDbOptions(const BackendOptions& options, rocksdb::Env* rocksdb_env) {
  rocksdb::Options o;
  o.env = rocksdb_env;
  o.create_if_missing = options.create;
  o.error_if_exists = options.create;
  o.paranoid_checks = true;
  o.info_log = std::make_shared<ForwardingLogger>();
  o.info_log_level = rocksdb::InfoLogLevel::WARN_LEVEL;
  o.stats_dump_period_sec = 0;
  o.stats_persist_period_sec = 0;

  // One memory table is filled while others are written out.
  o.write_buffer_size = static_cast<size_t>(options.memtable_bytes);
  o.max_write_buffer_number = 4;
  o.min_write_buffer_number_to_merge = 1;
  o.level0_file_num_compaction_trigger = 8;
  o.level0_slowdown_writes_trigger = 40;
  o.level0_stop_writes_trigger = 64;
  // One flush and two compactions: a long rewrite must not block all others.
  o.max_background_jobs = 3;
  o.bytes_per_sync = 1 << 20;
  // What a purge rewrites in one piece.
  o.target_file_size_base = 16 << 20;
  // The caller flushes what it wants durable; closing is not the moment to find the disk full.
  o.avoid_flush_during_shutdown = true;
  o.max_open_files = -1;

  // LZ4 everywhere: files move between levels unchanged, so a bottommost setting would never act.
  o.compression = rocksdb::kLZ4Compression;
  rocksdb::BlockBasedTableOptions table;
  table.block_size = 16 << 10;
  table.format_version = 5;
  table.checksum = rocksdb::kXXH3;  // the packaged crc32c is the slow software one
  table.block_cache = rocksdb::NewLRUCache(static_cast<size_t>(options.block_cache_bytes));
  o.table_factory.reset(rocksdb::NewBlockBasedTableFactory(table));
  return o;
}

}  // namespace kvorum::mvcc
