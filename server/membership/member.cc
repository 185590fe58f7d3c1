#include "server/membership/member.h"

#include <absl/strings/str_format.h>

#include <algorithm>

#include <nlohmann/json.hpp>

#include "base/bytes.h"
#include "base/sha1.h"
#include "base/strings.h"
#include "base/utf8.h"

namespace kvorum::server {
namespace {

using Json = nlohmann::json;

void AppendEscapedAscii(std::string* out, char c) {
  switch (c) {
    case '"':
      out->append("\\\"");
      return;
    case '\\':
      out->append("\\\\");
      return;
    case '\b':
      out->append("\\b");
      return;
    case '\f':
      out->append("\\f");
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
      break;
  }
  if (static_cast<unsigned char>(c) < 0x20 || c == '<' || c == '>' || c == '&') {
    absl::StrAppendFormat(out, "\\u%04x", static_cast<unsigned char>(c));
  } else {
    out->push_back(c);
  }
}

// Go's rendering of a list of strings: a nil slice is null, and an empty one stands for it here.
std::string UrlList(const std::vector<std::string>& urls) {
  if (urls.empty()) return "null";
  std::string out = "[";
  for (const std::string& url : urls) {
    if (out.size() > 1) out.push_back(',');
    out += GoJsonString(url);
  }
  out.push_back(']');
  return out;
}

bool ReadStrings(const Json& object, const char* key, std::vector<std::string>* out) {
  const auto it = object.find(key);
  if (it == object.end() || it->is_null()) return true;
  if (!it->is_array()) return false;
  for (const Json& element : *it) {
    if (!element.is_string()) return false;
    out->push_back(element.get_ref<const std::string&>());
  }
  return true;
}

bool ReadBool(const Json& object, const char* key, bool* out) {
  const auto it = object.find(key);
  if (it == object.end()) return true;
  if (!it->is_boolean()) return false;
  *out = it->get<bool>();
  return true;
}

bool ReadMember(const Json& object, MemberInfo* member) {
  if (const auto id = object.find("id"); id != object.end()) {
    if (!id->is_number_unsigned()) return false;
    member->id = MemberId(id->get<uint64_t>());
  }
  if (const auto name = object.find("name"); name != object.end()) {
    if (!name->is_string()) return false;
    member->name = name->get_ref<const std::string&>();
  }
  return ReadStrings(object, "peerURLs", &member->peer_urls) &&
         ReadStrings(object, "clientURLs", &member->client_urls) &&
         ReadBool(object, "isLearner", &member->is_learner);
}

}  // namespace

std::string GoJsonString(std::string_view text) {
  std::string out = "\"";
  while (!text.empty()) {
    const Rune rune = TakeRune(text);
    const std::string_view piece = text.substr(0, rune.bytes);
    if (!rune.valid) {
      out.append("\\ufffd");
    } else if (rune.bytes == 1) {
      AppendEscapedAscii(&out, piece[0]);
    } else if (piece == "\u2028" || piece == "\u2029") {  // line ends to JavaScript
      out.append(piece == "\u2028" ? "\\u2028" : "\\u2029");
    } else {
      out.append(piece);
    }
    text.remove_prefix(piece.size());
  }
  out.push_back('"');
  return out;
}

std::string EncodeMemberJson(const MemberInfo& member) {
  std::string out =
      StrCat("{\"id\":", member.id.value(), ",\"peerURLs\":", UrlList(member.peer_urls));
  if (member.is_learner) out += ",\"isLearner\":true";
  if (!member.name.empty()) StrAppend(&out, ",\"name\":", GoJsonString(member.name));
  if (!member.client_urls.empty()) {
    StrAppend(&out, ",\"clientURLs\":", UrlList(member.client_urls));
  }
  out.push_back('}');
  return out;
}

std::string EncodePromoteContext(MemberId id) {
  return StrCat("{\"id\":", id.value(), ",\"peerURLs\":null,\"isPromote\":true}");
}

StatusOr<ConfChangeContext> ParseConfChangeContext(std::string_view json) {
  const Json object = Json::parse(json.begin(), json.end(), nullptr, /*allow_exceptions=*/false);
  ConfChangeContext context;
  if (!object.is_object() || !ReadMember(object, &context.member) ||
      !ReadBool(object, "isPromote", &context.is_promote)) {
    return absl::InvalidArgumentError("not a member in JSON");
  }
  return context;
}

StatusOr<MemberInfo> ParseMemberJson(std::string_view json) {
  ASSIGN_OR_RETURN(ConfChangeContext context, ParseConfChangeContext(json));
  return std::move(context.member);
}

MemberId ComputeMemberId(std::vector<std::string> peer_urls, std::string_view cluster_token,
                         std::optional<WallTime> added_at) {
  std::sort(peer_urls.begin(), peer_urls.end());
  std::string text;
  for (const std::string& url : peer_urls) text += url;
  text += cluster_token;
  if (added_at) {
    StrAppend(
        &text,
        std::chrono::duration_cast<std::chrono::seconds>(added_at->time_since_epoch()).count());
  }
  return MemberId(Sha1Prefix64(text));
}

ClusterId ComputeClusterId(std::vector<MemberId> members) {
  std::sort(members.begin(), members.end());
  std::string text;
  for (const MemberId id : members) AppendBigEndian64(&text, id.value());
  return ClusterId(Sha1Prefix64(text));
}

}  // namespace kvorum::server
