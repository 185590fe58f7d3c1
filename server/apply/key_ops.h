#pragma once
// The two changes of the key space, put and delete, on an open transaction: alone in an entry or as
// operations of a txn. Follows etcd server/etcdserver/txn/put.go, delete.go.

#include <functional>

#include "base/status.h"
#include "mvcc/store_txn.h"
#include "proto/rpc.pb.h"
#include "server/apply/txn_view.h"
#include "server/errors.h"

namespace kvorum::server {

using LeaseExists = std::function<bool(LeaseId)>;

// Whether a put can be done on the state of `view`: kLeaseNotFound, or kKeyNotFound if it keeps
// value or lease of a key that does not exist.
StatusOr<Error> CheckPut(const etcdserverpb::PutRequest& request, TxnView& view,
                         const LeaseExists& lease_exists);

// Does a put that CheckPut let through.
Status DoPut(const etcdserverpb::PutRequest& request, mvcc::WriteTxn& txn,
             etcdserverpb::PutResponse* response);

Status DoDeleteRange(const etcdserverpb::DeleteRangeRequest& request, mvcc::WriteTxn& txn,
                     etcdserverpb::DeleteRangeResponse* response);

}  // namespace kvorum::server
