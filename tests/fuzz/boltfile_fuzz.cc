// Bytes from outside, taken for a database file. For libFuzzer (clang++ -fsanitize=fuzzer), and for
// replay_main.cc, which goes through a corpus.
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "tests/mvcc/boltfile/use_image.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view image(reinterpret_cast<const char*>(data), size);
  (void)kvorum::mvcc::boltfile::UseImage(image);
  return 0;
}
