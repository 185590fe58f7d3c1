#pragma once
// One HTTP/1.1 connection: a request is read up to its body, handed to the router as an exchange,
// and after the answer comes the next one.
//
// Bounds: a head of kHttpHeadBytes; of a body no more than kHttpBodyPieceBytes is held, the rest
// waits in the socket until the handler asks for it; an unread rest of kHttpDrainBytes is read away
// so that the connection can be used again. A connection that is silent between requests for
// kHttpIdleTimeout is closed; while a handler works there is no limit, as in Go. Runs on the thread
// of its io_context.

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <utility>

#include <boost/asio/generic/stream_protocol.hpp>
#include <boost/beast/core/basic_stream.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/http/buffer_body.hpp>
#include <boost/beast/http/parser.hpp>

#include "api/http/router.h"
#include "base/clock.h"

namespace kvorum::api {

inline constexpr Duration kHttpIdleTimeout = std::chrono::minutes(5);
inline constexpr size_t kHttpHeadBytes = 1 << 20;  // Go's
inline constexpr size_t kHttpBodyPieceBytes = 64 << 10;
inline constexpr size_t kHttpDrainBytes = 256 << 10;  // Go's
// How long a connection that is being closed is read from, so that the client gets the answer
// before the reset that unread bytes cause.
inline constexpr Duration kHttpLingerTimeout = std::chrono::milliseconds(500);

// The requests of a server's connections that are not answered yet.
struct HttpActivity {
  void End() {
    if (--exchanges == 0 && on_idle) std::exchange(on_idle, nullptr)();
  }
  int64_t exchanges = 0;
  std::function<void()> on_idle;
};

class HttpConnection : public std::enable_shared_from_this<HttpConnection> {
 public:
  using Stream = boost::beast::basic_stream<boost::asio::generic::stream_protocol>;
  using Parser = boost::beast::http::request_parser<boost::beast::http::buffer_body>;

  HttpConnection(Stream stream, const HttpRouter* router, std::shared_ptr<HttpActivity> activity);

  // `read` was read from the socket already.
  void Start(const std::string& read);
  // No request after the one that is being answered.
  void EndWhenIdle();
  // Cuts it; what is under way fails.
  void Close();

 private:
  friend class ConnectionExchange;

  void ReadHead();
  void OnHead(boost::system::error_code error);
  void Refuse(const std::string& status);
  void EndWith(std::string last_words);
  // After an answer.
  void Next(bool keep_alive);
  void Linger();
  void ReadAway();

  Stream stream_;
  const HttpRouter& router_;
  const std::shared_ptr<HttpActivity> activity_;
  boost::beast::flat_buffer buffer_{kHttpHeadBytes + kHttpBodyPieceBytes};
  std::unique_ptr<Parser> parser_;
  bool idle_ = true;  // between two requests
  bool closing_ = false;
  std::string scratch_;
};

}  // namespace kvorum::api
