#include "base/stack_trace.h"

#include <absl/debugging/symbolize.h>
#include <execinfo.h>

#include <algorithm>
#include <cstdint>

#include "base/strings.h"

namespace kvorum {

__attribute__((noinline)) std::span<void* const> CaptureStack(std::span<void*> frames) {
  constexpr size_t kOwnFrames = 2;  // this function and its caller
  const int count = backtrace(frames.data(), static_cast<int>(frames.size()));
  return frames.subspan(std::min<size_t>(kOwnFrames, static_cast<size_t>(count)),
                        std::max<size_t>(static_cast<size_t>(count), kOwnFrames) - kOwnFrames);
}

std::string DescribeFrame(void* frame) {
  char symbol[1024];
  // A return address may already belong to the next function; the call itself lies before it.
  const bool known = absl::Symbolize(static_cast<char*>(frame) - 1, symbol, sizeof(symbol));
  return StrCat(known ? symbol : "?", " 0x", absl::Hex(reinterpret_cast<uintptr_t>(frame)));
}

}  // namespace kvorum
