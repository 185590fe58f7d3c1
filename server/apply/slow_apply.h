#pragma once
// The log line "apply request took too long" about a request whose execution outlasted
// --warning-apply-duration, in etcd's fields; each is counted in etcd_server_slow_apply_total.
// Follows etcd server/etcdserver/txn/util.go.

#include <google/protobuf/message.h>

#include <string_view>

#include "base/clock.h"
#include "base/log_entry.h"
#include "server/wait_list.h"

namespace kvorum::server {

// About an entry. `result`: what it came to, nullptr if it has no result.
void WarnOfSlowApply(const LogEntry& entry, const WaitList::Result* result, Duration took,
                     Duration expected);

// About a read, which is no entry.
struct SlowRead {
  std::string_view kind;      // "read-only range" or "read-only txn"
  std::string_view response;  // what the line says of the answer; empty if there was none
  std::string_view error;     // empty: none
  Duration took{};
  Duration expected{};
};
void WarnOfSlowRead(const google::protobuf::Message& request, const SlowRead& read);

}  // namespace kvorum::server
