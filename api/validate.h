#pragma once
// What can be said about a request from the request alone: the checks a member makes before a
// request meets the store or the log. Pure functions; kOk means well-formed. Texts are api/errors'.
//
// Follows etcd server/etcdserver/api/v3rpc/key.go (checkRangeRequest and its neighbours).

#include <cstdint>

#include "proto/rpc.pb.h"
#include "server/errors.h"

namespace kvorum::api {

// kEmptyKey, or kInvalidSortOption for enum numbers that have no name.
server::Error CheckRange(const etcdserverpb::RangeRequest& request);

// kEmptyKey; kValueProvided or kLeaseProvided for a field that is given and to be ignored.
server::Error CheckPut(const etcdserverpb::PutRequest& request);

// kEmptyKey.
server::Error CheckDeleteRange(const etcdserverpb::DeleteRangeRequest& request);

// First failure of, in this order: number of operations (kTooManyOps; a level's longest list is
// taken off the budget of the txns nested in it, so depth costs and siblings do not add up), keys
// of the compares, operations depth first by their own rules (one without a kind is kKeyNotFound),
// then keys that both lists, each for itself, would change twice (kDuplicateKey).
server::Error CheckTxn(const etcdserverpb::TxnRequest& request, int64_t max_ops);

// True if no operation of either list can change anything. A nested txn counts as a change,
// whatever it holds: only its parent's path is known before it runs.
bool IsReadOnly(const etcdserverpb::TxnRequest& request);

// True if every range of either list may be answered without a read index; also without any.
bool IsSerializable(const etcdserverpb::TxnRequest& request);

}  // namespace kvorum::api
