#include "server/peer/http_message.h"

#include <absl/strings/ascii.h>
#include <absl/strings/match.h>
#include <absl/strings/str_cat.h>

#include "base/strings.h"

namespace kvorum::server::peer {
namespace {

constexpr int kNoContent = 204;
constexpr size_t kChunkHeadBytes = 10;  // eight digits and the end of the line

std::string_view ReasonOf(int status) {
  switch (status) {
    case 200:
      return "OK";
    case kNoContent:
      return "No Content";
    case 400:
      return "Bad Request";
    case 404:
      return "Not Found";
    case 405:
      return "Method Not Allowed";
    case 408:
      return "Request Timeout";
    case 410:
      return "Gone";
    case 412:
      return "Precondition Failed";
    case 413:
      return "Request Entity Too Large";
    case 431:
      return "Request Header Fields Too Large";
    case 500:
      return "Internal Server Error";
    default:
      return "Unknown";
  }
}

// A value that came from elsewhere may not begin a line of its own.
void AppendHeader(std::string* head, std::string_view name, std::string_view value) {
  StrAppend(head, name, ": ");
  for (const char c : value) {
    head->push_back(absl::ascii_iscntrl(static_cast<unsigned char>(c)) ? ' ' : c);
  }
  head->append("\r\n");
}

void AppendHeaders(std::string* head, const HttpHeaders& headers) {
  for (const auto& [name, value] : headers) AppendHeader(head, name, value);
}

void AppendFraming(std::string* head, const BodyFraming& framing) {
  if (framing.chunked) {
    head->append("Transfer-Encoding: chunked\r\n");
  } else {
    StrAppend(head, "Content-Length: ", framing.bytes, "\r\n");
  }
}

}  // namespace

const std::string* FindHeader(const HttpHeaders& headers, std::string_view name) {
  for (const auto& [key, value] : headers) {
    if (absl::EqualsIgnoreCase(key, ToAbsl(name))) return &value;
  }
  return nullptr;
}

std::string HttpRequest::Header(std::string_view name) const {
  const std::string* const value = FindHeader(headers, name);
  return value == nullptr ? "" : *value;
}

HttpReply TextReply(int status, std::string_view text) {
  return {.status = status,
          .headers = {{"Content-Type", "text/plain; charset=utf-8"},
                      {"X-Content-Type-Options", "nosniff"}},
          .body = StrCat(text, "\n")};
}

std::string RequestHead(std::string_view method, std::string_view target, std::string_view host,
                        const HttpHeaders& headers, const BodyFraming& framing) {
  std::string head = StrCat(method, " ", target, " HTTP/1.1\r\n");
  AppendHeader(&head, "Host", host);
  AppendHeaders(&head, headers);
  if (framing.chunked || framing.bytes > 0 || method == "POST") AppendFraming(&head, framing);
  return head + "\r\n";
}

std::string ReplyHead(int status, const HttpHeaders& headers, const BodyFraming& framing,
                      bool keep_alive) {
  std::string head = StrCat("HTTP/1.1 ", status, " ", ReasonOf(status), "\r\n");
  AppendHeaders(&head, headers);
  if (status != kNoContent) AppendFraming(&head, framing);
  if (!keep_alive) head += "Connection: close\r\n";
  return head + "\r\n";
}

std::string BeginChunk(size_t expected_bytes) {
  std::string chunk;
  chunk.reserve(kChunkHeadBytes + expected_bytes + 2);
  chunk.append(kChunkHeadBytes, '0');
  return chunk;
}

// Leading zeros are allowed, so the size fits its place.
void EndChunk(std::string* chunk) {
  const std::string size =
      StrCat(absl::Hex(chunk->size() - kChunkHeadBytes, absl::kZeroPad8), "\r\n");
  chunk->replace(0, kChunkHeadBytes, size);
  chunk->append("\r\n");
}

std::string Chunk(std::string_view bytes) {
  std::string chunk = BeginChunk(bytes.size());
  chunk.append(bytes);
  EndChunk(&chunk);
  return chunk;
}

}  // namespace kvorum::server::peer
