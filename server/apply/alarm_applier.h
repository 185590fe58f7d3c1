#pragma once
// AlarmApplier: what is refused while an alarm is on. A damaged cluster (CORRUPT) refuses
// everything that reads or changes keys and leases; a full one (NOSPACE) what may add to it.
// CORRUPT is asked first. Follows etcd server/etcdserver/apply/corrupt.go, capped.go.

#include "server/alarm/alarm_store.h"
#include "server/apply/applier.h"

namespace kvorum::server {

class AlarmApplier : public Applier {
 public:
  AlarmApplier(Applier& next, const AlarmStore& alarms) : next_(next), alarms_(alarms) {}
  ApplyResult Apply(const etcdserverpb::InternalRaftRequest& request,
                    const ApplyContext& context) override;

 private:
  Applier& next_;
  const AlarmStore& alarms_;
};

}  // namespace kvorum::server
