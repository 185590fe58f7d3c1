#pragma once
// ClosableEnv: what RocksDB runs on: files through our Env, time as usual, but sleeps that end when
// the store is closed. Its background threads sleep a second after each failed job, and closing
// would wait for that.

#include <rocksdb/env.h>

#include <memory>

#include "base/env.h"

namespace kvorum::mvcc {

class ClosableEnv : public rocksdb::EnvWrapper {
 public:
  // `env` must outlive it.
  static std::unique_ptr<ClosableEnv> New(kvorum::Env& env);
  const char* Name() const override { return "KvorumClosableEnv"; }

  // From now on nobody sleeps. Thread-safe.
  void EndSleeps();

 private:
  class Clock;
  ClosableEnv(std::unique_ptr<rocksdb::Env> base, std::shared_ptr<Clock> clock);

  const std::shared_ptr<Clock> clock_;
};

}  // namespace kvorum::mvcc
