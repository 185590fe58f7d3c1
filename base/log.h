#pragma once
// Structured log lines in zap's shape: one JSON object a line with level, ts, [logger,] caller, msg
// and the fields in the order given (etcd client/pkg/logutil). Names of messages and fields that
// operators and test suites look for are etcd's.
//
//   LOG_INFO("saved snapshot to disk", {"snapshot-index", index.value()});
//
// Thread-safe; a disabled level costs a load and a branch. Lines are written synchronously, so none
// is lost in a crash. More than 100 lines a second of one (level, msg) are thinned to every 100th.

#include <atomic>
#include <initializer_list>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "base/clock.h"
#include "base/status.h"
#include "base/strings.h"

namespace kvorum::log {

enum class Level { kDebug, kInfo, kWarn, kError, kDpanic, kPanic, kFatal };

// "debug", "info", "warn", "error", "dpanic", "panic", "fatal".
StatusOr<Level> ParseLevel(std::string_view name);

// A field's value. Durations print as Go prints them ("1.5s"), times like `ts`, string lists as
// JSON arrays.
using Value = std::variant<bool, int64_t, uint64_t, double, std::string_view, Duration, WallTime,
                           std::vector<std::string>>;
struct Field {
  // From anything Value can hold; integers of any width, durations of any unit, Status (its text),
  // const char*.
  template <typename T>
  Field(std::string_view key, const T& value) : key(key), value(ToValue(value)) {}

  std::string_view key;
  Value value;

 private:
  template <typename T>
  static Value ToValue(const T& v) {
    if constexpr (std::is_same_v<T, bool> || std::is_same_v<T, WallTime> ||
                  std::is_same_v<T, std::vector<std::string>>) {
      return v;
    } else if constexpr (std::is_integral_v<T> && std::is_signed_v<T>) {
      return static_cast<int64_t>(v);
    } else if constexpr (std::is_integral_v<T>) {
      return static_cast<uint64_t>(v);
    } else if constexpr (std::is_floating_point_v<T>) {
      return static_cast<double>(v);
    } else if constexpr (std::is_convertible_v<T, Duration>) {
      return std::chrono::duration_cast<Duration>(v);
    } else if constexpr (std::is_same_v<T, Status>) {
      return ToStd(v.message());
    } else if constexpr (std::is_same_v<T, absl::string_view>) {
      return ToStd(v);
    } else {
      return std::string_view(v);
    }
  }
};
using Fields = std::initializer_list<Field>;

struct Options {
  Level level = Level::kInfo;
  // "stderr", "stdout", or a file's path (appended to, created 0666 & ~umask).
  std::vector<std::string> outputs = {"stderr"};
};

// Replaces the process's logger; until called, lines go to stderr at info. A file that cannot be
// opened is an error and leaves the old logger in place.
Status Configure(const Options& options);

// Where a line was logged: of a default argument, where the function is called.
// (std::source_location does the same, but clang before 16 cannot read libstdc++'s.)
struct Location {
  static constexpr Location Current(const char* file = __builtin_FILE(),
                                    uint_least32_t line = __builtin_LINE()) {
    return {file, line};
  }
  const char* file;
  uint_least32_t line;
};

// A line of level panic or fatal does not end the process: the caller does. From level error on a
// field `stacktrace` is added.
void Write(Level level, std::string_view msg, Fields fields,
           const Location& where = Location::Current());
// The same under a logger's name ("raft"), which stands between ts and caller.
void WriteNamed(std::string_view logger, Level level, std::string_view msg, Fields fields,
                const Location& where = Location::Current());

extern std::atomic<int> g_level;
inline bool Enabled(Level level) {
  return static_cast<int>(level) >= g_level.load(std::memory_order_relaxed);
}

// The line Write would produce, without the newline and without a stack; for tests and for CHECK.
std::string Format(Level level, WallTime ts, std::string_view caller, std::string_view msg,
                   Fields fields, std::string_view logger = "");

// "server/raft_loop.cc:12" of a path and a line: the file with its folder.
std::string Caller(std::string_view file, uint_least32_t line);

}  // namespace kvorum::log

#define KVORUM_LOG(level, msg, ...)                                                     \
  do {                                                                                  \
    if (::kvorum::log::Enabled(level)) ::kvorum::log::Write(level, msg, {__VA_ARGS__}); \
  } while (false)
// Fields follow the message as brace pairs: LOG_WARN("slow fdatasync", {"took", took}, {"n", 3}).
#define LOG_DEBUG(msg, ...) KVORUM_LOG(::kvorum::log::Level::kDebug, msg, __VA_ARGS__)
#define LOG_INFO(msg, ...) KVORUM_LOG(::kvorum::log::Level::kInfo, msg, __VA_ARGS__)
#define LOG_WARN(msg, ...) KVORUM_LOG(::kvorum::log::Level::kWarn, msg, __VA_ARGS__)
#define LOG_ERROR(msg, ...) KVORUM_LOG(::kvorum::log::Level::kError, msg, __VA_ARGS__)
