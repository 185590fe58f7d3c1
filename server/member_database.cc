#include "server/member_database.h"

#include <utility>

namespace kvorum::server {

MemberDatabase::MemberDatabase(std::shared_ptr<mvcc::Store> store, std::string storage_version,
                               std::function<Error(const Status&)> on_fault)
    : store_(std::move(store)),
      storage_version_(std::move(storage_version)),
      on_fault_(std::move(on_fault)),
      database_(store_->NewLogicalIterator()) {}

Error MemberDatabase::Plan(bool* done) {
  const StatusOr<bool> planned = database_.Plan();
  if (!planned.ok()) return on_fault_(planned.status());
  *done = *planned;
  return Error::kOk;
}

Error MemberDatabase::Read(size_t size, std::string* bytes) {
  StatusOr<std::string> read = database_.Read(size);
  if (!read.ok()) return on_fault_(read.status());
  *bytes = *std::move(read);
  return Error::kOk;
}

}  // namespace kvorum::server
