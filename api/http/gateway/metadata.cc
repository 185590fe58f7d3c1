#include "api/http/gateway/metadata.h"

#include <absl/strings/ascii.h>
#include <absl/strings/match.h>
#include <absl/strings/numbers.h>

#include <algorithm>
#include <chrono>
#include <optional>
#include <string>

#include "api/http/gateway/json_values.h"
#include "base/clock.h"

namespace kvorum::api {
namespace {

using grpc::Status;
using grpc::StatusCode;

constexpr char kPrefix[] = "grpc-metadata-";
constexpr char kBinary[] = "-bin";

Status Invalid(std::string text) { return Status(StatusCode::INVALID_ARGUMENT, std::move(text)); }

// The core aborts the process for a key or value that cannot be sent, and takes these keys for its
// own.
bool IsSendableKey(const std::string& key) {
  static constexpr std::string_view kReserved[] = {"content-type", "user-agent", "te", "host",
                                                   "connection"};
  const bool legal = std::all_of(key.begin(), key.end(), [](unsigned char c) {
    return absl::ascii_islower(c) || absl::ascii_isdigit(c) || c == '-' || c == '_' || c == '.';
  });
  return legal && !key.empty() && !absl::StartsWith(key, "grpc-") &&
         std::find(std::begin(kReserved), std::end(kReserved), key) == std::end(kReserved);
}

bool IsSendableText(const std::string& value) {
  return std::all_of(value.begin(), value.end(),
                     [](unsigned char c) { return absl::ascii_isprint(c); });
}

// A header's name as Go writes it: "Grpc-Metadata-X-Bin".
std::string Canonical(std::string name) {
  bool upper = true;
  for (char& c : name) {
    c = upper ? absl::ascii_toupper(static_cast<unsigned char>(c))
              : absl::ascii_tolower(static_cast<unsigned char>(c));
    upper = c == '-';
  }
  return name;
}

Status AddPair(const std::string& name, const std::string& value, grpc::ClientContext* context) {
  const std::string key = absl::AsciiStrToLower(name).substr(sizeof(kPrefix) - 1);
  if (!IsSendableKey(key)) return Status::OK;
  if (absl::EndsWith(key, kBinary)) {
    size_t bad = 0;
    const auto decoded = DecodeBase64(value, /*url=*/false, value.size() % 4 == 0, &bad);
    if (!decoded) {
      return Invalid("invalid binary header " + Canonical(name) +
                     ": illegal base64 data at input byte " + std::to_string(bad));
    }
    context->AddMetadata(key, *decoded);
  } else if (IsSendableText(value)) {
    context->AddMetadata(key, value);
  }
  return Status::OK;
}

std::optional<Duration> UnitOf(char unit) {
  switch (unit) {
    case 'H':
      return std::chrono::hours(1);
    case 'M':
      return std::chrono::minutes(1);
    case 'S':
      return std::chrono::seconds(1);
    case 'm':
      return std::chrono::milliseconds(1);
    case 'u':
      return std::chrono::microseconds(1);
    case 'n':
      return std::chrono::nanoseconds(1);
    default:
      return std::nullopt;
  }
}

// 0 sets no deadline. What is beyond a year is as good as a year.
Status SetTimeout(const std::string& text, grpc::ClientContext* context) {
  constexpr Duration kLongest = std::chrono::hours(24 * 365);
  const std::optional<Duration> unit = text.size() < 2 ? std::nullopt : UnitOf(text.back());
  int64_t count = 0;
  if (!unit || !absl::SimpleAtoi(text.substr(0, text.size() - 1), &count)) {
    return Invalid("invalid grpc-timeout: " + text);
  }
  if (count == 0) return Status::OK;
  const int64_t longest = kLongest / *unit;
  const Duration timeout = *unit * std::clamp<int64_t>(count, 0, longest);
  context->set_deadline(std::chrono::system_clock::now() +
                        std::chrono::duration_cast<std::chrono::microseconds>(timeout));
  return Status::OK;
}

}  // namespace

Status AddMetadata(const HttpRequest& request, grpc::ClientContext* context) {
  const std::string* const timeout = request.Header("grpc-timeout");
  if (timeout != nullptr && !timeout->empty()) {
    if (Status set = SetTimeout(*timeout, context); !set.ok()) return set;
  }
  for (const auto& [name, value] : request.headers) {
    if (absl::EqualsIgnoreCase(name, "authorization") && IsSendableText(value)) {
      context->AddMetadata("authorization", value);
    } else if (absl::StartsWithIgnoreCase(name, kPrefix)) {
      if (Status added = AddPair(name, value, context); !added.ok()) return added;
    }
  }
  return Status::OK;
}

}  // namespace kvorum::api
