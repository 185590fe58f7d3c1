#pragma once
// ReplicatedState: everything the log makes, opened together in the order their rows depend on one
// another: members, alarms and leases first, then the key space, which tells the leases their keys,
// then the watches on it. Written by the apply stage, read by any thread.
//
// Also passes on the backend's flushes, which it reports on a thread of its own, to stages that are
// made later and end earlier.

#include <absl/base/thread_annotations.h>
#include <absl/synchronization/mutex.h>

#include <functional>
#include <memory>

#include "base/random.h"
#include "base/status.h"
#include "mvcc/store.h"
#include "mvcc/watchable_store.h"
#include "server/alarm/alarm_store.h"
#include "server/bootstrap.h"
#include "server/lease/lessor.h"
#include "server/store_slot.h"

namespace kvorum::server {

class ReplicatedState {
 public:
  // Takes backend and members out of `recovered`. `clock` must outlive this.
  static StatusOr<std::unique_ptr<ReplicatedState>> Open(Recovered& recovered, const Config& config,
                                                         const Clock& clock,
                                                         std::unique_ptr<Random> random);
  ~ReplicatedState();

  Membership& membership() { return *membership_; }
  AlarmStore& alarms() { return alarms_; }
  Lessor& lessor() { return lessor_; }
  StoreSlot& store() { return store_; }
  const StoreSlot& store() const { return store_; }
  mvcc::WatchableStore& watches() { return *watches_; }

  // Puts another store in the place of this one: alarms, members and leases are read from it, then
  // it is opened and shown to readers and watches. Blocks, about 1 us a row. On an error nothing
  // is to be relied on. Apply stage.
  Status Replace(std::unique_ptr<mvcc::Backend> backend);

  // Called after each flush of the store, on any thread, until replaced by an empty one; when that
  // returns, no call is running.
  void SetFlushListener(std::function<void()> listener);

 private:
  // Outlives this if the backend's thread still holds it.
  struct FlushRelay {
    absl::Mutex mutex;
    std::function<void()> listener ABSL_GUARDED_BY(mutex);
  };

  ReplicatedState(const Config& config, const Clock& clock, std::unique_ptr<Random> random);

  LessorOptions LeaseOptions(const Config& config) const;
  Status OpenStore(std::unique_ptr<mvcc::Backend> backend);

  const std::unique_ptr<Random> random_;  // of the watch stage
  const std::shared_ptr<FlushRelay> flush_relay_ = std::make_shared<FlushRelay>();
  std::unique_ptr<Membership> membership_;
  AlarmStore alarms_;
  Lessor lessor_;
  std::unique_ptr<mvcc::WatchableStore> watches_;
  StoreSlot store_;  // its store is also held by the watch stage and by readers
};

}  // namespace kvorum::server
