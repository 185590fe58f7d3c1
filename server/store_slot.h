#pragma once
// StoreSlot: the store there is now. A snapshot from the leader puts another one in its place; who
// still reads the old one keeps it until he is done.
//
// Threads: any; Set on the apply stage. The store a reader gets stays whole for as long as he holds
// it, but may be the former one from the next moment on: so one read uses one Get.

#include <atomic>
#include <memory>
#include <utility>

#include "mvcc/store.h"

namespace kvorum::server {

class StoreSlot {
 public:
  std::shared_ptr<mvcc::Store> Get() const { return store_.load(std::memory_order_acquire); }
  // For one call: slot->Range(..).
  std::shared_ptr<mvcc::Store> operator->() const { return Get(); }
  void Set(std::shared_ptr<mvcc::Store> store) {
    store_.store(std::move(store), std::memory_order_release);
  }

 private:
  std::atomic<std::shared_ptr<mvcc::Store>> store_;
};

}  // namespace kvorum::server
