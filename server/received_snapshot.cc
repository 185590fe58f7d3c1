#include "server/received_snapshot.h"

#include <utility>

#include "base/log.h"
#include "base/strings.h"
#include "mvcc/boltfile/import.h"
#include "wal/snap/snap_db.h"

namespace kvorum::server {

StatusOr<std::unique_ptr<mvcc::Backend>> InstallReceivedDatabase(
    Env& env, const DataPaths& paths, const mvcc::StoreIdentity& identity, Index index) {
  ASSIGN_OR_RETURN(std::string path, wal::snap::FindSnapDb(env, paths.snap, index));
  mvcc::boltfile::ImportOptions options;
  options.database = std::move(path);
  options.store = {.env = &env, .member_dir = paths.member, .identity = identity};
  options.number = index.value();
  ASSIGN_OR_RETURN(mvcc::boltfile::ImportedStore imported, mvcc::boltfile::ImportDatabase(options));
  if (imported.position.index != index) {
    return absl::FailedPreconditionError(StrCat(options.database, " stands at index ",
                                                imported.position.index.value(), ", not ",
                                                index.value()));
  }
  RETURN_IF_ERROR(mvcc::PublishStoreDir(env, paths.member, options.number));
  LOG_INFO("built the store from a received database", {"path", options.database},
           {"index", index.value()});
  return std::move(imported.backend);
}

}  // namespace kvorum::server
