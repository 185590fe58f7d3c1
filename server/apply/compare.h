#pragma once
// The conditions of a txn. Follows etcd server/etcdserver/txn/txn.go.

#include "base/status.h"
#include "proto/rpc.pb.h"
#include "server/apply/txn_view.h"

namespace kvorum::server {

// Whether `compare` holds for every live key of its interval. With no such key, the value compares
// as false whatever the operator, all else as zero. An unknown operator holds.
StatusOr<bool> Holds(const etcdserverpb::Compare& compare, TxnView& view);

}  // namespace kvorum::server
