#pragma once
// The log line about a Range or a read-only Txn that took longer than --warning-apply-duration, of
// what its answer is before the header is complete. Follows etcd server/etcdserver/txn/util.go
// WarnOfExpensiveReadOnlyRangeRequest and WarnOfExpensiveReadOnlyTxnRequest.

#include "api/grpc/call.h"
#include "api/grpc/interceptors.h"
#include "base/clock.h"
#include "proto/rpc.pb.h"
#include "server/errors.h"

namespace kvorum::api {

struct ReadTime {
  Duration took{};
  Duration limit{};
};

// Both do nothing for a read within the limit. `interceptors` have filled the reply's header.
void WarnIfSlowRange(const etcdserverpb::RangeRequest& request, const Reply& reply,
                     const Interceptors& interceptors, const ReadTime& time);
// `response`: with no more in its header than the revision; of no meaning with an error.
void WarnIfSlowTxn(const etcdserverpb::TxnRequest& request, server::Error error,
                   const etcdserverpb::TxnResponse& response, const ReadTime& time);

}  // namespace kvorum::api
