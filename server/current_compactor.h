#pragma once
// CurrentCompactor: the compactor of the store there is now. What waited for a compaction of a
// former store waits for nothing any more: the store that took its place was built compacted.
//
// Threads: the maintenance stage alone.

#include <cstdint>
#include <memory>

#include "base/clock.h"
#include "mvcc/compaction.h"
#include "server/store_slot.h"

namespace kvorum::server {

class CurrentCompactor {
 public:
  // Both must outlive this.
  CurrentCompactor(const StoreSlot& slot, const Clock& clock) : slot_(slot), clock_(clock) {}

  // The same until the store is replaced.
  mvcc::Compactor& Get() {
    if (std::shared_ptr<mvcc::Store> now = slot_.Get(); now != store_) {
      compactor_ = std::make_unique<mvcc::Compactor>(*now, clock_);
      store_ = std::move(now);  // the former one's, if any, ends here
      ++generation_;
    }
    return *compactor_;
  }
  // Counts the stores Get has met.
  uint64_t generation() const { return generation_; }

 private:
  const StoreSlot& slot_;
  const Clock& clock_;
  std::shared_ptr<mvcc::Store> store_;
  std::unique_ptr<mvcc::Compactor> compactor_;
  uint64_t generation_ = 0;
};

}  // namespace kvorum::server
