#include "api/http/gateway/json_printer.h"

#include <google/protobuf/util/json_util.h>

#include "base/strings.h"
#include "base/utf8.h"

namespace kvorum::api {
namespace {

// In quotes; what is no UTF-8 becomes the replacement character.
std::string JsonString(std::string_view text) {
  static constexpr std::string_view kNamed = "\"\\\b\f\n\r\t";
  static constexpr std::string_view kNames = "\"\\bfnrt";
  std::string out = "\"";
  while (!text.empty()) {
    const Rune rune = TakeRune(text);
    const size_t named = kNamed.find(text[0]);
    if (!rune.valid) {
      AppendRune(0xfffd, &out);
    } else if (named != std::string_view::npos) {
      StrAppend(&out, "\\", kNames.substr(named, 1));
    } else if (rune.code < 0x20) {
      StrAppend(&out, "\\u", absl::Hex(rune.code, absl::kZeroPad4));
    } else {
      out += text.substr(0, rune.bytes);
    }
    text.remove_prefix(rune.bytes);
  }
  return out + "\"";
}

}  // namespace

StatusOr<std::string> PrintJson(const google::protobuf::Message& message) {
  google::protobuf::util::JsonPrintOptions options;
  options.preserve_proto_field_names = true;
  std::string json;
  const auto status = google::protobuf::util::MessageToJsonString(message, &json, options);
  if (!status.ok()) return absl::InternalError(status.ToString());
  return json;
}

std::string ErrorJson(int code, std::string_view message) {
  std::string json = "{";
  if (code != 0) StrAppend(&json, "\"code\":", code);
  if (!message.empty()) {
    StrAppend(&json, code != 0 ? "," : "", "\"message\":", JsonString(message));
  }
  return json + "}";
}

}  // namespace kvorum::api
