#pragma once
// Pieces of HTTP/1.1 that both ends of the peer port share.

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace kvorum::server::peer {

using HttpHeaders = std::vector<std::pair<std::string, std::string>>;

// The first header of that name, in any case; null if there is none.
const std::string* FindHeader(const HttpHeaders& headers, std::string_view name);

inline constexpr size_t kMaxHeadBytes = 64 << 10;
// Bodies are read, and large output written, in pieces of this size.
inline constexpr size_t kHttpPieceBytes = 64 << 10;

struct HttpRequest {
  std::string method;  // "GET"
  std::string path;    // without a query
  HttpHeaders headers;
  std::string remote_host;  // of the other end, without port; empty on a unix socket

  std::string Header(std::string_view name) const;  // empty if there is none
};

struct HttpReply {
  int status = 200;
  HttpHeaders headers;
  std::string body;
};

// An error as Go's http.Error writes it: one line of plain text.
HttpReply TextReply(int status, std::string_view text);

// How much body follows a head.
struct BodyFraming {
  bool chunked = false;
  size_t bytes = 0;  // if not chunked
};

// "GET <target> HTTP/1.1" and headers up to the empty line.
std::string RequestHead(std::string_view method, std::string_view target, std::string_view host,
                        const HttpHeaders& headers, const BodyFraming& framing);
// Without content for 204.
std::string ReplyHead(int status, const HttpHeaders& headers, const BodyFraming& framing,
                      bool keep_alive);

// A chunk of a chunked body, made in place: begin, append the bytes (at least one), end.
std::string BeginChunk(size_t expected_bytes);
void EndChunk(std::string* chunk);
// The same of bytes that are there.
std::string Chunk(std::string_view bytes);
// What ends a chunked body.
inline constexpr std::string_view kLastChunk = "0\r\n\r\n";

}  // namespace kvorum::server::peer
