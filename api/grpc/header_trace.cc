#include "api/grpc/header_trace.h"

#include <absl/strings/str_cat.h>
#include <absl/time/time.h>

#include <cstdio>

#include "base/go_quote.h"

namespace kvorum::api {
namespace {

std::string_view View(grpc::string_ref text) { return {text.data(), text.size()}; }

void AppendLine(const std::string& time, std::string_view name, std::string_view value,
                std::string* lines) {
  absl::StrAppend(lines, time, " http2: decoded hpack field header field ", GoQuote(name), " = ",
                  GoQuote(value), "\n");
}

}  // namespace

bool WantsHeaderTrace(const char* godebug) {
  return godebug != nullptr &&
         std::string_view(godebug).find("http2debug=2") != std::string_view::npos;
}

std::string HeaderTrace(WallTime now, std::string_view authority,
                        const std::multimap<grpc::string_ref, grpc::string_ref>& metadata) {
  const std::string time =
      absl::FormatTime("%Y/%m/%d %H:%M:%S", absl::FromUnixNanos(now.time_since_epoch().count()),
                       absl::LocalTimeZone());
  std::string lines;
  AppendLine(time, ":authority", authority, &lines);
  for (const auto& [name, value] : metadata) AppendLine(time, View(name), View(value), &lines);
  return lines;
}

void TraceHeaders(const grpc::ServerContext& context) {
  const std::string lines = HeaderTrace(
      SystemClock().WallNow(), View(context.ExperimentalGetAuthority()), context.client_metadata());
  std::fwrite(lines.data(), 1, lines.size(), stderr);
}

}  // namespace kvorum::api
