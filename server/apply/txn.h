#pragma once
// A txn in three steps, so that it is applied whole or not at all: the path (which branch is taken,
// here and in every nested txn met on the way), the check of every operation on that path, both on
// the state before the txn; then execution, which cannot fail any more.
//
// So a nested compare does not see what an earlier operation of the same txn wrote, and a put that
// keeps its value must find the key before the txn. Follows etcd server/etcdserver/txn/txn.go.

#include <optional>
#include <vector>

#include "base/status.h"
#include "proto/rpc.pb.h"
#include "server/apply/key_ops.h"
#include "server/apply/txn_view.h"
#include "server/errors.h"

namespace kvorum::server {

// Which branch each txn takes.
struct TxnPath {
  bool succeeded = false;
  std::vector<TxnPath> nested;  // of the nested txns of the taken branch, in order

  const google::protobuf::RepeatedPtrField<etcdserverpb::RequestOp>& Taken(
      const etcdserverpb::TxnRequest& txn) const {
    return succeeded ? txn.success() : txn.failure();
  }
};

// True if every operation of both branches is a range: such a txn needs no log entry.
bool IsReadOnly(const etcdserverpb::TxnRequest& txn);
// True if it may be answered from the local store at once, however stale: read-only, and each of
// its ranges asks for that.
bool IsSerializable(const etcdserverpb::TxnRequest& txn);

StatusOr<TxnPath> ChoosePath(const etcdserverpb::TxnRequest& txn, TxnView& view);

// The first operation on the path that cannot be done, in order.
StatusOr<Error> CheckPath(const etcdserverpb::TxnRequest& txn, const TxnPath& path, TxnView& view,
                          const LeaseExists& lease_exists);

// Whether a put on the path would keep the value or the lease of a key that an earlier operation on
// it deletes by range_end "\0", everything from a key on. The duplicate check in front of the log
// (api/validate) takes such an interval for empty, as the original's does; the original ends there.
bool KeepsWhatItDeletes(const etcdserverpb::TxnRequest& txn, const TxnPath& path);

// Apply stage: does the whole of it, or answers with an error and changes nothing. `want_ranges`
// false: nobody waits, ranges need not be read. The caller ends `txn` if it is changed().
StatusOr<Error> ApplyTxn(const etcdserverpb::TxnRequest& request, bool want_ranges,
                         const mvcc::Store& store, mvcc::WriteTxn& txn,
                         const LeaseExists& lease_exists, etcdserverpb::TxnResponse* response);

// Any thread. REQUIRES: IsReadOnly(request).
StatusOr<Error> ReadTxn(const etcdserverpb::TxnRequest& request, const mvcc::Store& store,
                        etcdserverpb::TxnResponse* response);

// The same answer if MemoryView can give it; else nothing, and `response` holds nothing of use.
std::optional<Error> ReadTxnInMemory(const etcdserverpb::TxnRequest& request,
                                     const mvcc::Store& store, etcdserverpb::TxnResponse* response);

}  // namespace kvorum::server
