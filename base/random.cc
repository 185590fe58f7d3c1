#include "base/random.h"

#include <sys/random.h>

#include <array>
#include <random>

#include "base/check.h"

namespace kvorum {
namespace {

// The standard fixes every output of this engine, which is what makes a seed portable.
class MersenneTwister : public Random {
 public:
  explicit MersenneTwister(uint64_t seed) : engine_(seed) {}
  explicit MersenneTwister(std::seed_seq& seeds) : engine_(seeds) {}
  uint64_t Next() override { return engine_(); }

 private:
  std::mt19937_64 engine_;
};

}  // namespace

uint64_t Random::Uniform(uint64_t n) {
  CHECK_GT(n, 0u);
  // Values below `skipped` = 2^64 mod n are refused, so that each remainder has equally many left.
  const uint64_t skipped = (0 - n) % n;
  uint64_t value = Next();
  while (value < skipped) value = Next();
  return value % n;
}

std::unique_ptr<Random> NewSeededRandom(uint64_t seed) {
  return std::make_unique<MersenneTwister>(seed);
}

std::unique_ptr<Random> NewSystemRandom() {
  std::array<uint32_t, 8> words;
  // Up to 256 bytes come whole or not at all once the kernel's pool is ready; the call waits for
  // that.
  CHECK_EQ(getrandom(words.data(), sizeof(words), 0), static_cast<ssize_t>(sizeof(words)));
  std::seed_seq seeds(words.begin(), words.end());
  return std::make_unique<MersenneTwister>(seeds);
}

}  // namespace kvorum
