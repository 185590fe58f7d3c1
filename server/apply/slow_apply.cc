#include "server/apply/slow_apply.h"

#include <absl/strings/str_cat.h>

#include <string>
#include <string_view>
#include <type_traits>
#include <variant>

#include "base/log.h"
#include "proto/raft.pb.h"
#include "server/metrics.h"
#include "server/own_call.h"
#include "server/request_text.h"

namespace kvorum::server {
namespace {

template <typename Message>
Message Parse(const LogEntry& entry) {
  Message message;
  const std::string_view data = entry.data.view();
  message.ParseFromArray(data.data(), static_cast<int>(data.size()));
  return message;
}

std::string TextOf(const LogEntry& entry) {
  if (entry.type == EntryType::kNormal) {
    return EntryText(Parse<etcdserverpb::InternalRaftRequest>(entry));
  }
  return RequestText(Parse<raftpb::ConfChange>(entry));
}

std::string TextOf(const ApplyResponse& response) {
  return std::visit(
      [](const auto& message) -> std::string {
        if constexpr (std::is_same_v<std::decay_t<decltype(message)>, std::monostate>) {
          return "";
        } else {
          return absl::StrCat("size:", message.ByteSizeLong());
        }
      },
      response);
}

struct Line {
  std::string_view prefix;
  std::string_view request;
  std::string_view response;
  std::string_view error;
  Duration took{};
  Duration expected{};
};

void Warn(const Line& line) {
  constexpr char kMessage[] = "apply request took too long";
  slow_apply_total.Add();
  if (line.error.empty()) {
    LOG_WARN(kMessage, {"took", line.took}, {"expected-duration", line.expected},
             {"prefix", line.prefix}, {"request", line.request}, {"response", line.response});
  } else {
    LOG_WARN(kMessage, {"took", line.took}, {"expected-duration", line.expected},
             {"prefix", line.prefix}, {"request", line.request}, {"response", line.response},
             {"error", line.error});
  }
}

}  // namespace

void WarnOfSlowApply(const LogEntry& entry, const WaitList::Result* result, Duration took,
                     Duration expected) {
  const bool failed = result != nullptr && result->error != Error::kOk;
  const bool answered = result != nullptr && !failed;
  Warn({.prefix = "",
        .request = TextOf(entry),
        .response = answered ? TextOf(result->response) : "",
        .error = failed ? TextOf(result->error) : "",
        .took = took,
        .expected = expected});
}

void WarnOfSlowRead(const google::protobuf::Message& request, const SlowRead& read) {
  Warn({.prefix = absl::StrCat(std::string(read.kind), " "),
        .request = RequestText(request),
        .response = read.response,
        .error = read.error,
        .took = read.took,
        .expected = read.expected});
}

}  // namespace kvorum::server
