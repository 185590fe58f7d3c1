#include <absl/base/thread_annotations.h>
#include <absl/synchronization/mutex.h>
#include <rocksdb/convenience.h>
#include <rocksdb/db.h>
#include <rocksdb/listener.h>

#include <utility>

#include "base/check.h"
#include "base/log.h"
#include "mvcc/backend/backend.h"
#include "mvcc/backend/closable_env.h"
#include "mvcc/backend/file_purger.h"
#include "mvcc/backend/purge_filter.h"
#include "mvcc/backend/read_tx.h"
#include "mvcc/backend/rocksdb_batch.h"
#include "mvcc/backend/rocksdb_options.h"
#include "mvcc/backend/status_convert.h"

namespace kvorum::mvcc {

namespace {

// Runs on RocksDB's threads, where the database must not be called.
class FlushNotifier : public rocksdb::EventListener {
 public:
  // Whether a flush ended since the last call.
  bool TakeFlushed() { return flushed_.exchange(false, std::memory_order_acq_rel); }
  void MarkFlushed() { flushed_.store(true, std::memory_order_release); }
  void SetListener(std::function<void()> listener) {
    absl::MutexLock lock(&mutex_);
    listener_ = std::move(listener);
  }

  void OnFlushCompleted(rocksdb::DB*, const rocksdb::FlushJobInfo&) override {
    MarkFlushed();
    absl::MutexLock lock(&mutex_);
    if (listener_) listener_();
  }
  void OnBackgroundError(rocksdb::BackgroundErrorReason reason, rocksdb::Status* error) override {
    LOG_WARN("state store background error", {"reason", static_cast<int>(reason)},
             {"severity", static_cast<int>(error->severity())}, {"error", error->ToString()});
  }

 private:
  std::atomic<bool> flushed_{true};
  absl::Mutex mutex_;
  std::function<void()> listener_ ABSL_GUARDED_BY(mutex_);
};

std::string AfterBucket(Bucket bucket) {
  return std::string(1, static_cast<char>(static_cast<uint8_t>(bucket) + 1));
}

class RocksDbBackend : public Backend {
 public:
  RocksDbBackend(const BackendOptions& options, std::unique_ptr<ClosableEnv> env,
                 std::unique_ptr<rocksdb::DB> db, std::shared_ptr<FlushNotifier> notifier,
                 std::shared_ptr<PurgeFilterFactory> filter)
      : env_(std::move(env)),
        notifier_(std::move(notifier)),
        filter_(std::move(filter)),
        db_(std::move(db)),
        batch_(*db_),
        purger_(*db_, *filter_, *options.env, options.directory) {}
  ~RocksDbBackend() override {
    rocksdb::CancelAllBackgroundWork(db_.get(), /*wait=*/false);
    env_->EndSleeps();
    rocksdb::CancelAllBackgroundWork(db_.get(), /*wait=*/true);
    const rocksdb::Status closed = db_->Close();
    if (!closed.ok()) LOG_WARN("failed to close state store", {"error", closed.ToString()});
  }

  Batch& batch() override { return batch_; }
  Status Commit(const CommitPosition& position, const Counters& counters) override {
    RETURN_IF_ERROR(batch_.Write(position, counters));
    return RetryFlush();
  }
  int64_t TakeSizeDelta() override { return batch_.TakeSizeDelta(); }

  StatusOr<std::optional<std::string>> Get(Bucket bucket, std::string_view key) override {
    return ReadRocksDb(*db_, rocksdb::ReadOptions(), BackendKey(bucket, key));
  }
  std::unique_ptr<Iterator> NewIterator(Bucket bucket, std::string_view first,
                                        std::string_view last, bool whole_scan) override {
    return NewReadTx(*db_, {.lower = BackendKey(bucket, first),
                            .upper = last.empty() ? AfterBucket(bucket) : BackendKey(bucket, last),
                            .seek_bucket = bucket,
                            .whole_scan = whole_scan});
  }
  std::unique_ptr<Iterator> NewFullIterator() override {
    return NewReadTx(*db_, {.lower = BackendKey(Bucket::kAlarm, ""),
                            .upper = AfterBucket(Bucket::kLocal),
                            .seek_bucket = Bucket::kAlarm,
                            .whole_scan = true});
  }

  StatusOr<Index> FlushedIndex() override;
  StatusOr<std::optional<std::string>> GetFlushed(Bucket bucket, std::string_view key) override {
    RETURN_IF_ERROR(RetryFlush());
    rocksdb::ReadOptions options;
    options.read_tier = rocksdb::kPersistedTier;  // skips the memory tables, as there is no log
    return ReadRocksDb(*db_, options, BackendKey(bucket, key));
  }
  Status RequestFlush() override;
  Status Flush() override;
  void SetFlushListener(std::function<void()> listener) override {
    notifier_->SetListener(std::move(listener));
  }

  void SetPurgeable(std::shared_ptr<const RevisionSet> dead) override {
    filter_->Set(std::move(dead));
  }
  StatusOr<PurgeResult> PurgeOneFile(double dead_share) override {
    return purger_.PurgeOne(dead_share);
  }

 private:
  // Makes good a request that came while it could not be served.
  Status RetryFlush() {
    return flush_wanted_.load(std::memory_order_acquire) ? RequestFlush() : absl::OkStatus();
  }

  const std::unique_ptr<ClosableEnv> env_;
  const std::shared_ptr<FlushNotifier> notifier_;
  const std::shared_ptr<PurgeFilterFactory> filter_;
  const std::unique_ptr<rocksdb::DB> db_;
  RocksDbBatch batch_;  // apply thread
  FilePurger purger_;   // maintenance thread

  std::atomic<bool> flush_wanted_{false};
  absl::Mutex mutex_;
  Index flushed_index_ ABSL_GUARDED_BY(mutex_);
};

Status RocksDbBackend::RequestFlush() {
  rocksdb::FlushOptions options;
  options.wait = false;
  options.allow_write_stall = true;  // else the call would wait for a stall to pass
  const rocksdb::Status status = db_->Flush(options);
  // With all memory tables full there is no new one to go on with; the next call here tries again.
  flush_wanted_.store(status.IsTryAgain(), std::memory_order_release);
  if (status.IsTryAgain()) return absl::OkStatus();
  return FromRocksDb(status);
}

Status RocksDbBackend::Flush() {
  rocksdb::FlushOptions options;
  options.wait = true;
  options.allow_write_stall = false;  // waits until there is a free memory table
  RETURN_IF_ERROR(FromRocksDb(db_->Flush(options)), "flushing state store");
  return absl::OkStatus();
}

StatusOr<Index> RocksDbBackend::FlushedIndex() {
  absl::MutexLock lock(&mutex_);
  if (!notifier_->TakeFlushed()) return flushed_index_;
  const StatusOr<std::optional<std::string>> row = GetFlushed(Bucket::kMeta, kConsistentIndexKey);
  if (!row.ok()) {
    notifier_->MarkFlushed();
    return row.status();
  }
  if (*row && (*row)->size() == 8) flushed_index_ = Index(ReadBigEndian64(**row));
  return flushed_index_;
}

}  // namespace

StatusOr<std::unique_ptr<Backend>> OpenBackend(const BackendOptions& options) {
  CHECK(options.env != nullptr);
  std::unique_ptr<ClosableEnv> env = ClosableEnv::New(*options.env);
  rocksdb::Options rocksdb_options = MakeRocksDbOptions(options, env.get());
  auto notifier = std::make_shared<FlushNotifier>();
  rocksdb_options.listeners.push_back(notifier);
  auto filter = std::make_shared<PurgeFilterFactory>();
  rocksdb_options.compaction_filter_factory = filter;
  rocksdb_options.table_properties_collector_factories.push_back(NewHistoryCollectorFactory());
  rocksdb::DB* db = nullptr;
  const rocksdb::Status opened = rocksdb::DB::Open(rocksdb_options, options.directory, &db);
  if (!opened.ok()) {
    return WithContext(FromRocksDb(opened), "opening state store " + options.directory);
  }
  return std::make_unique<RocksDbBackend>(options, std::move(env), std::unique_ptr<rocksdb::DB>(db),
                                          std::move(notifier), std::move(filter));
}

}  // namespace kvorum::mvcc
