#include "base/log.h"

#include <absl/strings/numbers.h>
#include <spdlog/logger.h>
#include <spdlog/pattern_formatter.h>
#include <spdlog/sinks/basic_file_sink.h>
#include <spdlog/sinks/stdout_sinks.h>
#include <unistd.h>

#include <charconv>
#include <cmath>
#include <ctime>
#include <memory>
#include <utility>

#include "base/go_duration.h"
#include "base/log_sampler.h"
#include "base/stack_trace.h"
#include "base/strings.h"
#include "base/utf8.h"

namespace kvorum::log {

std::atomic<int> g_level{static_cast<int>(Level::kInfo)};

namespace {

constexpr std::pair<Level, std::string_view> kLevelNames[] = {
    {Level::kDebug, "debug"}, {Level::kInfo, "info"},     {Level::kWarn, "warn"},
    {Level::kError, "error"}, {Level::kDpanic, "dpanic"}, {Level::kPanic, "panic"},
    {Level::kFatal, "fatal"}};

std::string_view LevelName(Level level) { return kLevelNames[static_cast<int>(level)].second; }

void AppendEscapedAscii(std::string* out, char c) {
  switch (c) {
    case '"':
    case '\\':
      out->push_back('\\');
      out->push_back(c);
      return;
    case '\n':
      out->append("\\n");
      return;
    case '\r':
      out->append("\\r");
      return;
    case '\t':
      out->append("\\t");
      return;
    default:
      if (c >= 0x20) {
        out->push_back(c);
      } else {
        StrAppend(out, "\\u00", absl::Hex(static_cast<uint8_t>(c), absl::kZeroPad2));
      }
  }
}

void AppendString(std::string* out, std::string_view text) {
  out->push_back('"');
  while (!text.empty()) {
    const Rune rune = TakeRune(text);
    if (!rune.valid) {
      out->append("\\ufffd");
    } else if (rune.bytes == 1) {
      AppendEscapedAscii(out, text.front());
    } else {
      out->append(text.substr(0, rune.bytes));
    }
    text.remove_prefix(rune.bytes);
  }
  out->push_back('"');
}

void AppendDouble(std::string* out, double v) {
  if (std::isnan(v)) {
    out->append("\"NaN\"");
  } else if (std::isinf(v)) {
    out->append(v > 0 ? "\"+Inf\"" : "\"-Inf\"");
  } else {
    char digits[400];  // the largest double has 309 digits, the smallest 324 zeros before its own
    const auto end = std::to_chars(digits, digits + sizeof(digits), v, std::chars_format::fixed);
    out->append(digits, end.ptr);
  }
}

// Local date and time to the second, and the zone's offset ("Z" or "+0200"). The conversion takes a
// process-wide lock in libc, so each thread keeps the last second's.
struct LocalSecond {
  int64_t unix_seconds = INT64_MIN;
  char date[32] = "";
  char zone[8] = "";
};

const LocalSecond& ToLocalSecond(int64_t unix_seconds) {
  thread_local LocalSecond cached;
  if (cached.unix_seconds == unix_seconds) return cached;
  const auto time = static_cast<time_t>(unix_seconds);
  tm local = {};
  localtime_r(&time, &local);
  strftime(cached.date, sizeof(cached.date), "%Y-%m-%dT%H:%M:%S", &local);
  if (local.tm_gmtoff == 0) {
    cached.zone[0] = 'Z';
    cached.zone[1] = '\0';
  } else {
    strftime(cached.zone, sizeof(cached.zone), "%z", &local);
  }
  cached.unix_seconds = unix_seconds;
  return cached;
}

void AppendTime(std::string* out, WallTime time) {
  const auto seconds = std::chrono::floor<std::chrono::seconds>(time);
  const auto micros = std::chrono::duration_cast<std::chrono::microseconds>(time - seconds);
  const LocalSecond& local = ToLocalSecond(seconds.time_since_epoch().count());
  StrAppend(out, "\"", local.date, ".", absl::Dec(micros.count(), absl::kZeroPad6), local.zone,
            "\"");
}

struct AppendValue {
  std::string* out;

  void operator()(bool v) const { out->append(v ? "true" : "false"); }
  void operator()(int64_t v) const { StrAppend(out, v); }
  void operator()(uint64_t v) const { StrAppend(out, v); }
  void operator()(double v) const { AppendDouble(out, v); }
  void operator()(std::string_view v) const { AppendString(out, v); }
  void operator()(Duration v) const { AppendString(out, FormatGoDuration(v)); }
  void operator()(WallTime v) const { AppendTime(out, v); }
  void operator()(const std::vector<std::string>& v) const {
    out->push_back('[');
    for (size_t i = 0; i < v.size(); ++i) {
      if (i > 0) out->push_back(',');
      AppendString(out, v[i]);
    }
    out->push_back(']');
  }
};

void AppendField(std::string* out, std::string_view key, const Value& value) {
  out->push_back(',');
  AppendString(out, key);
  out->push_back(':');
  std::visit(AppendValue{out}, value);
}

// One frame a line, innermost first, without the logger's own.
std::string StackTrace() {
  constexpr size_t kFramesMax = 16;
  void* frames[kFramesMax];
  std::string text;
  for (void* const frame : CaptureStack(frames)) {
    StrAppend(&text, text.empty() ? "" : "\n", DescribeFrame(frame));
  }
  return text;
}

// The payload is a whole line already: nothing to add but its end.
class LineFormatter : public spdlog::formatter {
 public:
  void format(const spdlog::details::log_msg& msg, spdlog::memory_buf_t& out) override {
    out.append(msg.payload.begin(), msg.payload.end());
    out.push_back('\n');
  }
  std::unique_ptr<spdlog::formatter> clone() const override {
    return std::make_unique<LineFormatter>();
  }
};

StatusOr<spdlog::sink_ptr> MakeSink(const std::string& output) {
  if (output == "stderr" || output == "default") {
    return std::make_shared<spdlog::sinks::stderr_sink_mt>();
  }
  if (output == "stdout") return std::make_shared<spdlog::sinks::stdout_sink_mt>();
  try {
    return std::make_shared<spdlog::sinks::basic_file_sink_mt>(output);
  } catch (const spdlog::spdlog_ex& e) {
    return absl::InternalError(StrCat("open ", output, ": ", e.what()));
  }
}

// A sink that fails (a full disk) must not print plain text between the JSON lines, nor throw.
void ReportSinkError(const std::string& text) {
  static std::atomic<int64_t> last_second{0};
  const WallTime now = SystemClock().WallNow();
  const int64_t second = std::chrono::floor<std::chrono::seconds>(now).time_since_epoch().count();
  if (last_second.exchange(second) == second) return;
  std::string line = Format(Level::kError, now, Caller(__FILE__, __LINE__),
                            "failed to write a log line", {{"error", text}});
  line.push_back('\n');
  [[maybe_unused]] const ssize_t written = write(STDERR_FILENO, line.data(), line.size());
}

std::shared_ptr<spdlog::logger> MakeLogger(const std::vector<spdlog::sink_ptr>& sinks) {
  auto logger = std::make_shared<spdlog::logger>("kvorum", sinks.begin(), sinks.end());
  logger->set_formatter(std::make_unique<LineFormatter>());
  logger->set_level(spdlog::level::trace);  // levels are ours, see g_level
  logger->flush_on(spdlog::level::trace);
  logger->set_error_handler(ReportSinkError);
  return logger;
}

// Both live as long as the process: destructors of statics may log.
std::atomic<std::shared_ptr<spdlog::logger>>& CurrentLogger() {
  static auto* const logger = new std::atomic<std::shared_ptr<spdlog::logger>>(
      MakeLogger({std::make_shared<spdlog::sinks::stderr_sink_mt>()}));
  return *logger;
}
Sampler& CurrentSampler() {
  static auto* const sampler = new Sampler;
  return *sampler;
}

}  // namespace

StatusOr<Level> ParseLevel(std::string_view name) {
  for (const auto& [level, text] : kLevelNames) {
    if (text == name) return level;
  }
  return absl::InvalidArgumentError(StrCat("unrecognized level: \"", name, "\""));
}

Status Configure(const Options& options) {
  std::vector<spdlog::sink_ptr> sinks;
  for (const std::string& output : options.outputs) {
    ASSIGN_OR_RETURN(spdlog::sink_ptr sink, MakeSink(output));
    sinks.push_back(std::move(sink));
  }
  CurrentLogger().store(MakeLogger(sinks));
  g_level.store(static_cast<int>(options.level), std::memory_order_relaxed);
  return absl::OkStatus();
}

void Write(Level level, std::string_view msg, Fields fields, const Location& where) {
  WriteNamed("", level, msg, fields, where);
}

void WriteNamed(std::string_view logger, Level level, std::string_view msg, Fields fields,
                const Location& where) {
  const WallTime now = SystemClock().WallNow();
  if (!CurrentSampler().Admit(static_cast<int>(level), msg, now)) return;
  std::string line = Format(level, now, Caller(where.file, where.line), msg, fields, logger);
  if (level >= Level::kError) {
    line.pop_back();
    AppendField(&line, "stacktrace", std::string_view(StackTrace()));
    line.push_back('}');
  }
  CurrentLogger().load()->log(spdlog::level::info, spdlog::string_view_t(line.data(), line.size()));
}

std::string Format(Level level, WallTime ts, std::string_view caller, std::string_view msg,
                   Fields fields, std::string_view logger) {
  std::string line = StrCat("{\"level\":\"", LevelName(level), "\",\"ts\":");
  AppendTime(&line, ts);
  if (!logger.empty()) AppendField(&line, "logger", logger);
  AppendField(&line, "caller", caller);
  AppendField(&line, "msg", msg);
  for (const Field& field : fields) AppendField(&line, field.key, field.value);
  line.push_back('}');
  return line;
}

std::string Caller(std::string_view file, uint_least32_t line) {
  const size_t name = file.rfind('/');
  if (name != std::string_view::npos && name > 0) {
    const size_t folder = file.rfind('/', name - 1);
    if (folder != std::string_view::npos) file.remove_prefix(folder + 1);
  }
  return StrCat(file, ":", line);
}

}  // namespace kvorum::log
