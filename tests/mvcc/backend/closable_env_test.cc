#include "mvcc/backend/closable_env.h"

#include <gtest/gtest.h>
#include <rocksdb/system_clock.h>

#include <thread>

#include "tests/testing/fault_env.h"

namespace kvorum::mvcc {
namespace {

constexpr int kAnHour = 3'600'000'000 / 2;  // as many microseconds as fit

TEST(ClosableEnvTest, CloseEndsSleepsAndThereAreNoneAfterwards) {
  FaultEnv files;
  const auto env = ClosableEnv::New(files);
  std::thread sleeper([&env] { env->GetSystemClock()->SleepForMicroseconds(kAnHour); });
  env->EndSleeps();
  sleeper.join();
  env->GetSystemClock()->SleepForMicroseconds(kAnHour);
  env->EndSleeps();
}

TEST(ClosableEnvTest, FreeSpaceIsThatOfOurEnv) {
  FaultEnv files;
  files.SetFreeBytes(12345);
  uint64_t free = 0;
  ASSERT_TRUE(ClosableEnv::New(files)->GetFreeSpace("/", &free).ok());
  EXPECT_EQ(free, 12345u);
}

}  // namespace
}  // namespace kvorum::mvcc
