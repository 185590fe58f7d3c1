#pragma once
// MemberDatabase: what a client is given as a backup of this member (Server::NewDatabaseExport).
// Follows etcd server/storage/backend/backend.go (Snapshot).

#include <functional>
#include <memory>
#include <string>

#include "base/status.h"
#include "mvcc/boltfile/export.h"
#include "mvcc/store.h"
#include "server/metrics.h"
#include "server/server.h"

namespace kvorum::server {

// Holds the store for as long as its rows are read.
class MemberDatabase final : public DatabaseExport {
 public:
  // `on_fault` says what a failed read means to the caller.
  MemberDatabase(std::shared_ptr<mvcc::Store> store, std::string storage_version,
                 std::function<Error(const Status&)> on_fault);

  Error Plan(bool* done) override;
  uint64_t bytes() const override { return database_.bytes(); }
  const std::string& storage_version() const override { return storage_version_; }
  Error Read(size_t size, std::string* bytes) override;

 private:
  const std::shared_ptr<mvcc::Store> store_;
  const std::string storage_version_;
  const std::function<Error(const Status&)> on_fault_;
  mvcc::boltfile::DatabaseExport database_;
  const SnapshotMeter meter_;
};

}  // namespace kvorum::server
