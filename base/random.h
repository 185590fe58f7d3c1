#pragma once
// Randomness as a dependency: seeded in tests and simulation, from the kernel in production.

#include <cstdint>
#include <memory>

namespace kvorum {

// Not thread-safe: one per stage.
class Random {
 public:
  virtual ~Random() = default;
  virtual uint64_t Next() = 0;
  // Uniform in [0, n). REQUIRES: n > 0.
  uint64_t Uniform(uint64_t n);
};

// Same seed, same sequence, on every machine.
std::unique_ptr<Random> NewSeededRandom(uint64_t seed);
// Seeded from getrandom(2).
std::unique_ptr<Random> NewSystemRandom();

}  // namespace kvorum
