#include "mvcc/backend/purge_filter.h"

#include <utility>

#include "base/bytes.h"
#include "mvcc/backend/schema.h"
#include "mvcc/revision.h"

namespace kvorum::mvcc {

namespace {

constexpr char kHistoryProperty[] = "kvorum.history";

std::optional<RowKey> ParseBackendKey(const rocksdb::Slice& key) {
  if (key.empty() || key[0] != static_cast<char>(Bucket::kKey)) return std::nullopt;
  return ParseRowKey({key.data() + 1, key.size() - 1});
}

// What the rewrite on this thread leaves out. RocksDB makes a filter, the files it passes, and
// drops it on one thread; the set may be replaced meanwhile.
thread_local std::shared_ptr<const RevisionSet> left_out_here;

class PurgeFilter : public rocksdb::CompactionFilter {
 public:
  explicit PurgeFilter(std::shared_ptr<const RevisionSet> dead) : dead_(std::move(dead)) {
    left_out_here = dead_;
  }
  ~PurgeFilter() override { left_out_here = nullptr; }
  const char* Name() const override { return "kvorum.PurgeFilter"; }
  bool IgnoreSnapshots() const override { return true; }
  Decision FilterV2(int, const rocksdb::Slice& key, ValueType type, const rocksdb::Slice&,
                    std::string*, std::string*) const override {
    if (type != ValueType::kValue) return Decision::kKeep;
    const std::optional<RowKey> row = ParseBackendKey(key);
    return row && dead_->Contains(row->revision) ? Decision::kRemove : Decision::kKeep;
  }

 private:
  const std::shared_ptr<const RevisionSet> dead_;
};

class HistoryCollector : public rocksdb::TablePropertiesCollector {
 public:
  // `left_out`: what the file was rewritten without; null for one that holds all it was given.
  explicit HistoryCollector(std::shared_ptr<const RevisionSet> left_out)
      : left_out_(std::move(left_out)) {}
  const char* Name() const override { return "kvorum.HistoryCollector"; }
  rocksdb::Status AddUserKey(const rocksdb::Slice& key, const rocksdb::Slice&,
                             rocksdb::EntryType type, rocksdb::SequenceNumber, uint64_t) override {
    if (type != rocksdb::kEntryPut) return rocksdb::Status::OK();
    if (const std::optional<RowKey> row = ParseBackendKey(key)) {
      const Revision main = row->revision.main;
      if (history_.rows++ == 0) history_.first_main = main;  // keys ascend
      history_.last_main = main;
    }
    return rocksdb::Status::OK();
  }
  rocksdb::Status Finish(rocksdb::UserCollectedProperties* properties) override {
    if (history_.rows == 0) return rocksdb::Status::OK();
    if (left_out_ != nullptr) {
      history_.generation = left_out_->generation();
      history_.left_out = left_out_->CountBetween(history_.first_main, history_.last_main);
    }
    std::string value;
    for (const int64_t v : {history_.rows, history_.first_main.value(), history_.last_main.value(),
                            history_.generation, history_.left_out}) {
      AppendBigEndian64(&value, static_cast<uint64_t>(v));
    }
    properties->insert({kHistoryProperty, value});
    return rocksdb::Status::OK();
  }
  rocksdb::UserCollectedProperties GetReadableProperties() const override { return {}; }

 private:
  const std::shared_ptr<const RevisionSet> left_out_;
  FileHistory history_;
};

class HistoryCollectorFactory : public rocksdb::TablePropertiesCollectorFactory {
 public:
  const char* Name() const override { return "kvorum.HistoryCollectorFactory"; }
  rocksdb::TablePropertiesCollector* CreateTablePropertiesCollector(Context) override {
    return new HistoryCollector(left_out_here);
  }
};

}  // namespace

std::unique_ptr<rocksdb::CompactionFilter> PurgeFilterFactory::CreateCompactionFilter(
    const rocksdb::CompactionFilter::Context&) {
  std::shared_ptr<const RevisionSet> dead = Get();
  if (dead == nullptr || dead->empty()) return nullptr;
  return std::make_unique<PurgeFilter>(std::move(dead));
}

void PurgeFilterFactory::Set(std::shared_ptr<const RevisionSet> dead) {
  absl::MutexLock lock(&mutex_);
  dead_ = std::move(dead);
}

std::shared_ptr<const RevisionSet> PurgeFilterFactory::Get() const {
  absl::MutexLock lock(&mutex_);
  return dead_;
}

std::shared_ptr<rocksdb::TablePropertiesCollectorFactory> NewHistoryCollectorFactory() {
  return std::make_shared<HistoryCollectorFactory>();
}

std::optional<FileHistory> ReadFileHistory(const rocksdb::TableProperties& properties) {
  const auto it = properties.user_collected_properties.find(kHistoryProperty);
  if (it == properties.user_collected_properties.end() || it->second.size() != 40) {
    return std::nullopt;
  }
  const auto number = [&it](size_t i) {
    return static_cast<int64_t>(ReadBigEndian64(std::string_view(it->second).substr(8 * i)));
  };
  return FileHistory{.rows = number(0),
                     .first_main = Revision(number(1)),
                     .last_main = Revision(number(2)),
                     .generation = number(3),
                     .left_out = number(4)};
}

}  // namespace kvorum::mvcc
