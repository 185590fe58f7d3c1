#include "server/apply/slow_apply.h"

#include <absl/strings/str_cat.h>

#include <string>
#include <type_traits>
#include <variant>

#include "base/log.h"
#include "proto/raft.pb.h"
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

}  // namespace

void WarnOfSlowApply(const LogEntry& entry, const WaitList::Result* result, Duration took,
                     Duration expected) {
  const std::string request = TextOf(entry);
  const std::string response = result != nullptr ? TextOf(result->response) : "";
  LOG_WARN("apply request took too long", {"took", took}, {"expected-duration", expected},
           {"prefix", ""}, {"request", request}, {"response", response});
}

}  // namespace kvorum::server
