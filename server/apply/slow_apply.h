#pragma once
// The log line "apply request took too long" about one entry, in etcd's fields. Follows etcd
// server/etcdserver/txn/util.go WarnOfExpensiveRequest.

#include "base/clock.h"
#include "base/log_entry.h"
#include "server/wait_list.h"

namespace kvorum::server {

// `result`: what the entry came to, nullptr if it has no result.
void WarnOfSlowApply(const LogEntry& entry, const WaitList::Result* result, Duration took,
                     Duration expected);

}  // namespace kvorum::server
