#pragma once
// The space quota: what a request may cost, whether there is room for it, and the wrapper that says
// so in its answer. Follows etcd server/storage/quota.go and server/etcdserver/apply/quota.go.

#include <cstdint>

#include "proto/raft_internal.pb.h"
#include "server/apply/applier.h"
#include "server/store_slot.h"

namespace kvorum::server {

// Bytes a request may add, 0 if it adds nothing that counts: puts and lease grants do, and txns by
// the dearer of their branches.
int64_t SpaceCost(const etcdserverpb::InternalRaftRequest& request);

class Quota {
 public:
  // `quota_bytes` as configured: 0 is the default quota, negative means none. `store` must outlive
  // this.
  Quota(int64_t quota_bytes, const StoreSlot& store);
  // Any thread.
  bool Fits(const etcdserverpb::InternalRaftRequest& request) const;

 private:
  const int64_t quota_bytes_;  // negative: none
  const StoreSlot& store_;
};

// Lets a request that does not fit be applied all the same, as every other member does, whatever
// their quotas; but its caller is told, and the alarm raised.
class QuotaApplier : public Applier {
 public:
  QuotaApplier(Applier& next, const Quota& quota) : next_(next), quota_(quota) {}
  ApplyResult Apply(const etcdserverpb::InternalRaftRequest& request,
                    const ApplyContext& context) override;

 private:
  Applier& next_;
  const Quota& quota_;
};

}  // namespace kvorum::server
