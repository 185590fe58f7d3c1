#include "mvcc/boltfile/import.h"

#include <algorithm>
#include <limits>
#include <optional>
#include <utility>

#include "base/log.h"
#include "mvcc/boltfile/reader.h"
#include "mvcc/key_value_view.h"
#include "mvcc/mvcc.h"

namespace kvorum::mvcc::boltfile {

namespace {

// What leaves room to count on.
constexpr Revision kRevisionMax{int64_t{1} << 62};
// Changes of one transaction; the index has 31 bits for it.
constexpr int64_t kSubMax = std::numeric_limits<int32_t>::max();

StatusOr<BucketInfo> RequireBucket(const Reader& reader, Bucket bucket) {
  const BucketInfo* const info = reader.FindBucket(BucketName(bucket));
  if (info != nullptr) return *info;
  return absl::FailedPreconditionError("database has no bucket " + std::string(BucketName(bucket)));
}

// The rows of `meta` that say where all others stand.
class MetaRows {
 public:
  Status Read(const Reader& reader);

  CommitPosition position;
  std::string storage_version;
  Revision compacted = kNeverCompacted;  // or scheduled to be

 private:
  Status Note(std::string_view key, std::string_view value);
  Status Require() const;
};

Status MetaRows::Read(const Reader& reader) {
  ASSIGN_OR_RETURN(const BucketInfo bucket, RequireBucket(reader, Bucket::kMeta));
  Cursor row = reader.NewCursor(bucket);
  for (row.SeekToFirst(); row.Valid(); row.Next()) {
    if (!Note(row.key(), row.value()).ok()) {
      return absl::DataLossError("bucket meta: damaged row " + std::string(row.key()));
    }
  }
  RETURN_IF_ERROR(row.status());
  return Require();
}

// Not OK when the value is not of the row's type.
Status MetaRows::Note(std::string_view key, std::string_view value) {
  const Status damaged = absl::DataLossError("");
  if (key == kConsistentIndexKey || key == kTermKey) {
    if (value.size() != 8) return damaged;
    const uint64_t number = ReadBigEndian64(value);
    if (key == kTermKey) {
      position.term = Term(number);
    } else {
      position.index = Index(number);
    }
  } else if (key == kScheduledCompactKey || key == kFinishedCompactKey) {
    const std::optional<RowKey> row = ParseRowKey(value);
    if (!row || row->revision.main < Revision(0)) return damaged;
    if (row->revision.main > kRevisionMax) return damaged;
    compacted = std::max(compacted, row->revision.main);
  } else if (key == kConfStateKey) {
    position.conf_state = std::string(value);
  } else if (key == kStorageVersionKey) {
    storage_version = value;
  }
  return absl::OkStatus();
}

Status MetaRows::Require() const {
  if (position.index == Index(0)) {
    return absl::FailedPreconditionError("database has no consistent index: nothing was applied");
  }
  if (position.term == Term(0)) {
    return absl::FailedPreconditionError("database has no term: written before etcd 3.5");
  }
  return absl::OkStatus();
}

// Whether the index can take the row behind one of `last`; nothing in it must be able to break an
// invariant there.
bool IsHistory(const RowKey& key, const KeyValueView& kv, const RowRevision& last) {
  const Revision main = key.revision.main;
  const int64_t sub = key.revision.sub;
  return main > Revision(0) && main <= kRevisionMax && sub >= 0 && sub <= kSubMax &&
         key.revision > last && kv.create_revision >= Revision(0) && kv.create_revision <= main &&
         kv.version >= 0 && kv.version <= main.value();
}

// Fills a new store.
class Importer {
 public:
  Importer(const Reader& reader, Backend& backend) : reader_(reader), backend_(backend) {}

  Status Run(Revision compacted);
  const Counters& counters() const { return counters_; }

 private:
  Status CopyBucket(Bucket bucket);
  Status CheckRow(std::string_view key, std::string_view value);
  Status Commit();
  void WarnOfOtherBuckets() const;

  const Reader& reader_;
  Backend& backend_;
  Counters counters_{.current_revision = kFirstRevision, .size_in_use_bytes = kEmptyStoreBytes};
  RowRevision last_;  // of the rows of `key` so far
  int64_t batch_bytes_ = 0;
};

Status Importer::Run(Revision compacted) {
  WarnOfOtherBuckets();
  counters_.current_revision = std::max(counters_.current_revision, compacted);
  // What a new store begins with; the file's own follows, if it has one.
  backend_.batch().Delete(Bucket::kAuth, kAuthRevisionKey);
  for (const Bucket bucket : kEtcdBuckets) RETURN_IF_ERROR(CopyBucket(bucket));
  RETURN_IF_ERROR(Commit());
  return backend_.Flush();
}

void Importer::WarnOfOtherBuckets() const {
  for (const BucketInfo& info : reader_.buckets()) {
    const auto is_it = [&info](Bucket bucket) { return BucketName(bucket) == info.name; };
    if (std::ranges::none_of(kEtcdBuckets, is_it)) {
      LOG_WARN("left out an unknown bucket of the database", {"bucket", info.name});
    }
  }
}

Status Importer::CopyBucket(Bucket bucket) {
  const BucketInfo* const info = reader_.FindBucket(BucketName(bucket));
  if (info == nullptr) return absl::OkStatus();
  Cursor row = reader_.NewCursor(*info);
  for (row.SeekToFirst(); row.Valid(); row.Next()) {
    if (bucket == Bucket::kKey) RETURN_IF_ERROR(CheckRow(row.key(), row.value()));
    backend_.batch().Put(bucket, row.key(), row.value());
    const int64_t bytes = LogicalRowBytes(row.key().size(), row.value().size());
    if (CountsForSize(bucket)) counters_.size_in_use_bytes += bytes;
    batch_bytes_ += bytes;
    if (batch_bytes_ >= kBatchBytes) RETURN_IF_ERROR(Commit());
  }
  return row.status();
}

Status Importer::CheckRow(std::string_view key, std::string_view value) {
  const std::optional<RowKey> row = ParseRowKey(key);
  const std::optional<KeyValueView> kv = KeyValueView::Parse(value);
  if (!row || !kv || !IsHistory(*row, *kv, last_)) {
    return absl::DataLossError("bucket key: damaged row behind revision " + RevisionText(last_));
  }
  last_ = row->revision;
  counters_.current_revision = std::max(counters_.current_revision, row->revision.main);
  ++counters_.key_rows;
  return absl::OkStatus();
}

Status Importer::Commit() {
  backend_.TakeSizeDelta();  // the sizes are counted here
  counters_.size_bytes = counters_.size_in_use_bytes;
  batch_bytes_ = 0;
  // Index, term and ConfState are rows of the file.
  return backend_.Commit({}, counters_);
}

StatusOr<ImportedStore> Build(const ImportOptions& options, const Reader& reader, MetaRows meta) {
  ASSIGN_OR_RETURN(std::unique_ptr<Backend> backend, CreateStoreDir(options.store, options.number));
  Importer importer(reader, *backend);
  RETURN_IF_ERROR(importer.Run(meta.compacted), options.database);
  return ImportedStore{.backend = std::move(backend),
                       .position = std::move(meta.position),
                       .storage_version = std::move(meta.storage_version),
                       .counters = importer.counters()};
}

}  // namespace

StatusOr<ImportedStore> ImportDatabase(const ImportOptions& options) {
  Env& env = *options.store.env;
  ASSIGN_OR_RETURN(const std::unique_ptr<File> file, env.Open(options.database, OpenMode::kRead));
  const StatusOr<Reader> reader = Reader::Open(*file);
  RETURN_IF_ERROR(reader.status(), options.database);
  MetaRows meta;
  RETURN_IF_ERROR(meta.Read(*reader), options.database);
  RETURN_IF_ERROR(RequireBucket(*reader, Bucket::kKey).status(), options.database);

  StatusOr<ImportedStore> imported = Build(options, *reader, std::move(meta));
  if (!imported.ok()) {
    const Status removed = RemoveStoreDir(env, options.store.member_dir, options.number);
    if (!removed.ok()) LOG_WARN("left a state store half built", {"error", removed.ToString()});
  }
  return imported;
}

}  // namespace kvorum::mvcc::boltfile
