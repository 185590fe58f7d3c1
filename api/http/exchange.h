#pragma once
// One HTTP request and its answer, as handlers see them.
//
// A handler that has the whole answer at once calls Respond. One that answers bit by bit calls
// StartAnswer, then Write as often as it likes, each after the one before is done, then End; bits
// leave as chunks (HTTP/1.0: as they are, until the connection closes). The body may be read before
// and while answering, or not at all: what is left of it is drained, or the connection closed.
//
// Threads: all methods may be called on any thread, for one caller at a time; callbacks run on the
// HTTP thread. Every exchange is to be ended, by Respond or End, also after its client has gone.

#include <functional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace kvorum::api {

using HttpHeaders = std::vector<std::pair<std::string, std::string>>;

struct HttpRequest {
  std::string method;   // "GET"
  std::string path;     // without the query, percent-decoded
  std::string query;    // after '?', as sent, may be empty
  HttpHeaders headers;  // in the order sent

  // The first header of that name, in any case; null if there is none.
  const std::string* Header(std::string_view name) const;
};

struct HttpReply {
  int status = 200;
  HttpHeaders headers;
  std::string body;
};

struct HttpBodyPiece {
  enum class State {
    kMore,
    kEnd,     // these were the last bytes
    kBroken,  // the client is gone, or its framing is nonsense
  };
  State state = State::kBroken;
  std::string bytes;  // may be empty
  // Of a broken body, in Go's words.
  std::string_view error = "unexpected EOF";
};

class HttpExchange {
 public:
  virtual ~HttpExchange() = default;

  virtual const HttpRequest& request() const = 0;

  // The next bytes of the body, at most kHttpBodyPieceBytes. Sends "100 Continue" first to a client
  // that waits for it.
  virtual void ReadBody(std::function<void(HttpBodyPiece)> done) = 0;
  // `gone` runs, at most once, when the client closes its side after its body was read: as in Go,
  // nobody waits for the answer then.
  virtual void OnGone(std::function<void()> gone) = 0;

  // Headers that every answer to this request gets.
  virtual void AddHeaders(const HttpHeaders& headers) = 0;
  virtual void Respond(HttpReply reply) = 0;
  virtual void StartAnswer(int status, HttpHeaders headers) = 0;
  // `done` when the socket has taken the bytes (true), or the client is gone (false).
  virtual void Write(std::string bytes, std::function<void(bool)> done) = 0;
  virtual void End() = 0;
};

}  // namespace kvorum::api
