#include "base/check.h"

#include <unistd.h>

#include <cstdint>
#include <cstdlib>
#include <string>

#include "base/clock.h"
#include "base/log.h"
#include "base/stack_trace.h"
#include "base/strings.h"

namespace kvorum::check_internal {
namespace {

// Past every lock and buffer of the logger: the failing thread may hold one.
void WriteToStderr(std::string_view text) {
  while (!text.empty()) {
    const ssize_t n = write(STDERR_FILENO, text.data(), text.size());
    if (n <= 0) return;
    text.remove_prefix(static_cast<size_t>(n));
  }
}

void WriteStack() {
  constexpr size_t kFramesMax = 64;
  void* frames[kFramesMax];
  for (void* const frame : CaptureStack(frames)) {
    WriteToStderr(StrCat("    @ ", DescribeFrame(frame), "\n"));
  }
}

}  // namespace

Failure::Failure(const char* file, int line, const char* condition) : file_(file), line_(line) {
  stream_ << "CHECK failed: " << condition << " ";
}

Failure::~Failure() {
  std::string msg = stream_.str();
  while (msg.ends_with(' ')) msg.pop_back();
  WriteToStderr(log::Format(log::Level::kFatal, SystemClock().WallNow(),
                            log::Caller(file_, static_cast<uint_least32_t>(line_)), msg, {}) +
                "\n");
  WriteStack();
  abort();
}

}  // namespace kvorum::check_internal
