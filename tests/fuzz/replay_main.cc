// Gives each file of the directories named to a fuzz target, once as it is and once with each of
// its first bytes changed: what a fuzzer found stays found without a fuzzer.
#include <cstdint>
#include <iostream>
#include <string>

#include "base/check.h"
#include "base/env.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size);

namespace kvorum {
namespace {

constexpr size_t kChangedBytesMax = 256;

void Run(const std::string& input) {
  LLVMFuzzerTestOneInput(reinterpret_cast<const uint8_t*>(input.data()), input.size());
}

int Replay(const std::string& directory) {
  const auto names = PosixEnv().List(directory);
  CHECK_OK(names.status());
  for (const std::string& name : *names) {
    auto input = PosixEnv().ReadFile(JoinPath(directory, name));
    CHECK_OK(input.status());
    std::cout << name << "\n";
    Run(*input);
    for (size_t i = 0; i < input->size() && i < kChangedBytesMax; ++i) {
      (*input)[i] ^= 0x55;
      Run(*input);
      (*input)[i] ^= 0x55;
    }
  }
  return static_cast<int>(names->size());
}

}  // namespace
}  // namespace kvorum

int main(int argc, char** argv) {
  int inputs = 0;
  for (int i = 1; i < argc; ++i) inputs += kvorum::Replay(argv[i]);
  return inputs > 0 ? 0 : 1;
}
