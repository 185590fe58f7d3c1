#pragma once
// AlarmStore: the alarms of the cluster, as the applied log says. An alarm is a member and a kind;
// it is there until somebody takes exactly that one away. Kept in memory for everybody to read and
// in the bucket `alarm` for the next start.
//
// Threads: Load before the stages start, Activate and Deactivate on the apply stage, Get on any.
// Follows etcd server/etcdserver/api/v3alarm/alarms.go.

#include <absl/base/thread_annotations.h>
#include <absl/synchronization/mutex.h>

#include <set>
#include <utility>
#include <vector>

#include "base/status.h"
#include "base/types.h"
#include "mvcc/backend/backend.h"
#include "proto/rpc.pb.h"

namespace kvorum::server {

class AlarmStore {
 public:
  AlarmStore() = default;
  AlarmStore(const AlarmStore&) = delete;
  AlarmStore& operator=(const AlarmStore&) = delete;

  // DataLoss if a row makes no sense.
  Status Load(mvcc::Backend& backend);

  // Idempotent. REQUIRES: type is not NONE.
  void Activate(MemberId member, etcdserverpb::AlarmType type, mvcc::Batch& batch);
  // False if there was none.
  bool Deactivate(MemberId member, etcdserverpb::AlarmType type, mvcc::Batch& batch);

  // Those of one kind, or all for NONE.
  std::vector<etcdserverpb::AlarmMember> Get(etcdserverpb::AlarmType type) const;
  // Whether any member has raised it.
  bool Any(etcdserverpb::AlarmType type) const;

 private:
  using Key = std::pair<int, MemberId>;  // type first, so that a kind is one interval

  mutable absl::Mutex mutex_;
  std::set<Key> alarms_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace kvorum::server
