#include "server/apply/key_ops.h"

#include <optional>
#include <string_view>
#include <vector>

#include "base/check.h"

namespace kvorum::server {
namespace {

void Decode(const mvcc::Row& row, mvccpb::KeyValue* kv) {
  const std::string_view bytes = row.bytes.view();
  CHECK(kv->ParseFromArray(bytes.data(), static_cast<int>(bytes.size())))
      << "a row of the store is no KeyValue, at " << row.revision;
}

}  // namespace

StatusOr<Error> CheckPut(const etcdserverpb::PutRequest& request, TxnView& view,
                         const LeaseExists& lease_exists) {
  if (request.lease() != 0 && !lease_exists(LeaseId(request.lease()))) return Error::kLeaseNotFound;
  if (request.ignore_value() || request.ignore_lease()) {
    ASSIGN_OR_RETURN(const auto existing, view.Find(request.key()));
    if (!existing) return Error::kKeyNotFound;
  }
  return Error::kOk;
}

Status DoPut(const etcdserverpb::PutRequest& request, mvcc::WriteTxn& txn,
             etcdserverpb::PutResponse* response) {
  std::string_view value = request.value();
  LeaseId lease(request.lease());
  std::optional<mvcc::Row> previous;
  if (request.ignore_value() || request.ignore_lease() || request.prev_kv()) {
    ASSIGN_OR_RETURN(previous, txn.Get(request.key()));
  }
  // A key that is kept exists: CheckPut found it, and txns that delete it first are refused.
  if (previous) {
    const auto kv = mvcc::KeyValueView::Parse(previous->bytes.view());
    CHECK(kv.has_value()) << "a row of the store is no KeyValue, at " << previous->revision;
    if (request.ignore_value()) value = kv->value;
    if (request.ignore_lease()) lease = kv->lease;
    if (request.prev_kv()) Decode(*previous, response->mutable_prev_kv());
  }
  txn.Put(request.key(), value, lease);
  response->mutable_header()->set_revision(txn.revision().value());
  return absl::OkStatus();
}

Status DoDeleteRange(const etcdserverpb::DeleteRangeRequest& request, mvcc::WriteTxn& txn,
                     etcdserverpb::DeleteRangeResponse* response) {
  std::vector<mvcc::Row> previous;
  ASSIGN_OR_RETURN(const int64_t deleted,
                   txn.DeleteRange({.key = request.key(), .end = request.range_end()},
                                   request.prev_kv() ? &previous : nullptr));
  for (const mvcc::Row& row : previous) Decode(row, response->add_prev_kvs());
  response->set_deleted(deleted);
  response->mutable_header()->set_revision(txn.revision().value());
  return absl::OkStatus();
}

}  // namespace kvorum::server
