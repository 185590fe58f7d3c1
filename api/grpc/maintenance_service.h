#pragma once
// etcdserverpb.Maintenance: Alarm, Status, HashKV, Hash, Defragment, MoveLeader, Snapshot.
// Downgrade is not served yet and falls to the catch-all. Follows etcd
// server/etcdserver/api/v3rpc/maintenance.go.

#include <atomic>
#include <functional>

#include "api/grpc/service.h"

namespace kvorum::api {

// Transfers of the database at once, each of which holds disk space and about a MiB of memory; more
// are told "too many requests".
inline constexpr int kMaxSnapshots = 32;

class MaintenanceService final : public Service {
 public:
  // Says by `set_serving` that this member does not serve while it defragments, if its feature gate
  // wants that.
  MaintenanceService(const ServiceContext& context, std::function<void(bool)> set_serving);

 private:
  Task<Reply> Alarm(UnaryCall& call);
  Task<Reply> Status(UnaryCall& call);
  Task<Reply> HashKv(UnaryCall& call);
  Task<Reply> Hash(UnaryCall& call);
  Task<Reply> Defragment(UnaryCall& call);
  Task<Reply> MoveLeader(UnaryCall& call);
  Task<grpc::Status> Snapshot(StreamCall& call);
  Task<server::Error> WaitDefragmented(UnaryCall& call);

  void DefragmentStarted();
  void DefragmentEnded();

  const std::function<void(bool)> set_serving_;
  std::atomic<int> defragmenting_{0};  // calls
  int snapshots_ = 0;                  // under way; the polling thread's
};

}  // namespace kvorum::api
