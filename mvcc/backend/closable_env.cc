#include "mvcc/backend/closable_env.h"

#include <absl/synchronization/notification.h>
#include <absl/time/time.h>
#include <rocksdb/system_clock.h>

#include <utility>

#include "mvcc/backend/env_file_system.h"

namespace kvorum::mvcc {

class ClosableEnv::Clock : public rocksdb::SystemClockWrapper {
 public:
  using SystemClockWrapper::SystemClockWrapper;
  const char* Name() const override { return "KvorumClosableClock"; }
  void SleepForMicroseconds(int micros) override {
    closed_.WaitForNotificationWithTimeout(absl::Microseconds(micros));
  }
  void Close() {
    if (!closed_.HasBeenNotified()) closed_.Notify();
  }

 private:
  absl::Notification closed_;
};

ClosableEnv::ClosableEnv(std::unique_ptr<rocksdb::Env> base, std::shared_ptr<Clock> clock)
    : EnvWrapper(std::move(base)), clock_(std::move(clock)) {
  system_clock_ = clock_;
}

std::unique_ptr<ClosableEnv> ClosableEnv::New(kvorum::Env& env) {
  auto base = rocksdb::NewCompositeEnv(NewEnvFileSystem(env));
  auto clock = std::make_shared<Clock>(base->GetSystemClock());
  return std::unique_ptr<ClosableEnv>(new ClosableEnv(std::move(base), std::move(clock)));
}

void ClosableEnv::EndSleeps() { clock_->Close(); }

}  // namespace kvorum::mvcc
