#pragma once
// Range: a RangeRequest's sort orders, revision filters and limits on top of what the store can do.
//
// The store reads an interval in key order at one revision, counts it and stops at a limit. Here
// the rest of the request is done: whether the limit may be pushed down, filters, sorting, `more`.
// Used by the Range call on the store and by ranges inside a txn on its transaction. Rows stay in
// their canonical bytes; they are looked into only where a filter or a sort by value needs it.
// Follows etcd server/etcdserver/txn/range.go.

#include <absl/functional/function_ref.h>

#include "base/status.h"
#include "mvcc/mvcc.h"
#include "proto/rpc.pb.h"
#include "server/server.h"

namespace kvorum::server {

// Store::Range or WriteTxn::Range.
using RangeSource = absl::FunctionRef<StatusOr<mvcc::RangeResult>(const mvcc::KeyRange&,
                                                                  const mvcc::RangeOptions&)>;

// Executes a validated request. An error of the request is in the Error; a fault of the disk is a
// Status. Pure but for what `source` does.
StatusOr<Error> ExecuteRange(const etcdserverpb::RangeRequest& request, RangeSource source,
                             RangeResult* result);

// How the request is put to the store; a limit is pushed down only if nothing later may drop or
// reorder rows.
mvcc::RangeOptions StoreOptionsOf(const etcdserverpb::RangeRequest& request);

// The rest: filters, sort, limit and `more` on what the store found.
void FinishRange(const etcdserverpb::RangeRequest& request, mvcc::RangeResult found,
                 RangeResult* result);

// The message form, with the revision in the header; decodes the rows.
void FillRangeResponse(const RangeResult& result, etcdserverpb::RangeResponse* response);

// As the store names it, as the client is told.
Error FromStore(mvcc::Error error);

}  // namespace kvorum::server
