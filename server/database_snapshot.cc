#include "server/database_snapshot.h"

#include <utility>

#include "mvcc/boltfile/export.h"
#include "server/membership/v2_store_json.h"
#include "server/metrics.h"

namespace kvorum::server {
namespace {

// Holds the store for as long as its rows are read.
class ExportSource final : public peer::SnapshotSource {
 public:
  ExportSource(std::shared_ptr<mvcc::Store> store,
               std::unique_ptr<mvcc::boltfile::DatabaseExport> database)
      : store_(std::move(store)), database_(std::move(database)) {}
  StatusOr<uint64_t> Open() override { return database_->bytes(); }
  StatusOr<std::string> Read(size_t max_bytes) override { return database_->Read(max_bytes); }

 private:
  const std::shared_ptr<mvcc::Store> store_;
  const std::unique_ptr<mvcc::boltfile::DatabaseExport> database_;
  const SnapshotMeter meter_;
};

}  // namespace

StatusOr<DatabaseSnapshot> TakeDatabaseSnapshot(const std::shared_ptr<mvcc::Store>& store,
                                                const Membership& membership) {
  auto database = std::make_unique<mvcc::boltfile::DatabaseExport>(store->NewLogicalIterator());
  for (;;) {
    ASSIGN_OR_RETURN(const bool planned, database->Plan());
    if (planned) break;
  }
  const mvcc::CommitPosition& position = database->position();
  if (!position.conf_state) {
    return absl::FailedPreconditionError("the store holds no configuration of the cluster");
  }
  auto snapshot = std::make_shared<raft::Snapshot>();
  ASSIGN_OR_RETURN(snapshot->metadata.conf_state, ParseConfStateJson(*position.conf_state));
  snapshot->metadata.index = position.index;
  snapshot->metadata.term = position.term;
  snapshot->data = SharedBytes(V2StoreJson(membership));
  return DatabaseSnapshot{.snapshot = std::move(snapshot),
                          .source = std::make_unique<ExportSource>(store, std::move(database))};
}

}  // namespace kvorum::server
