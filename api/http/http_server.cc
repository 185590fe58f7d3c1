#include "api/http/http_server.h"

#include <sys/socket.h>

#include <optional>
#include <utility>

#include <boost/asio/buffer.hpp>
#include <boost/asio/generic/stream_protocol.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <boost/beast/core/basic_stream.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/http/parser.hpp>
#include <boost/beast/http/read.hpp>
#include <boost/beast/http/string_body.hpp>
#include <boost/beast/http/write.hpp>

namespace kvorum::api {

namespace asio = boost::asio;
namespace beast = boost::beast;
namespace http = boost::beast::http;
using boost::system::error_code;

namespace {

using Stream = beast::basic_stream<asio::generic::stream_protocol>;

HttpRequest ToRequest(const http::request<http::string_body>& message) {
  HttpRequest request;
  request.method = std::string(message.method_string());
  const std::string target(message.target());
  const size_t question = target.find('?');
  request.path = target.substr(0, question);
  if (question != std::string::npos) request.query = target.substr(question + 1);
  return request;
}

// Read, answer, again. Kept alive by the handlers of its operations.
class Session : public std::enable_shared_from_this<Session> {
 public:
  Session(Stream stream, const HttpRouter* router, std::shared_ptr<int64_t> pending)
      : stream_(std::move(stream)), router_(*router), pending_(std::move(pending)) {}

  void Start(const std::string& read) {
    const auto into = buffer_.prepare(read.size());
    buffer_.commit(asio::buffer_copy(into, asio::buffer(read)));
    Read();
  }

 private:
  void Read() {
    parser_.emplace();
    parser_->header_limit(kHttpHeadBytes);
    parser_->body_limit(kHttpBodyBytes);
    stream_.expires_after(kHttpIdleTimeout);
    http::async_read(
        stream_, buffer_, *parser_,
        [self = shared_from_this()](error_code error, size_t) { self->OnRead(error); });
  }
  void OnRead(error_code error) {
    if (error == http::error::end_of_stream) {
      error_code ignored;
      stream_.socket().shutdown(asio::socket_base::shutdown_send, ignored);
      return;
    }
    if (error && error.category() != make_error_code(http::error::bad_method).category()) return;
    if (error) {
      HttpReply reply;
      reply.status = error == http::error::body_limit ? 413 : 400;
      reply.headers = {{"Content-Type", "text/plain; charset=utf-8"}};
      reply.body = reply.status == 413 ? "413 Request Entity Too Large" : "400 Bad Request";
      Write(std::move(reply), /*keep_alive=*/false);
      return;
    }
    const bool keep_alive = parser_->get().keep_alive();
    is_head_ = parser_->get().method() == http::verb::head;
    version_ = parser_->get().version();
    ++*pending_;
    router_.Handle(ToRequest(parser_->get()),
                   [self = shared_from_this(), keep_alive](HttpReply reply) {
                     --*self->pending_;
                     self->Write(std::move(reply), keep_alive);
                   });
  }
  void Write(HttpReply reply, bool keep_alive) {
    response_ = {};
    response_.version(version_);
    response_.result(static_cast<unsigned>(reply.status));
    for (const auto& [name, value] : reply.headers) response_.set(name, value);
    response_.keep_alive(keep_alive);
    response_.content_length(reply.body.size());
    if (!is_head_) response_.body() = std::move(reply.body);
    stream_.expires_after(kHttpIdleTimeout);
    http::async_write(stream_, response_,
                      [self = shared_from_this(), keep_alive](error_code error, size_t) {
                        if (!error && keep_alive) self->Read();
                      });
  }

  Stream stream_;
  const HttpRouter& router_;
  const std::shared_ptr<int64_t> pending_;
  beast::flat_buffer buffer_{kHttpHeadBytes + kHttpBodyBytes};
  std::optional<http::request_parser<http::string_body>> parser_;
  http::response<http::string_body> response_;
  bool is_head_ = false;
  unsigned version_ = 11;
};

int FamilyOf(int fd) {
  sockaddr_storage address = {};
  socklen_t length = sizeof(address);
  getsockname(fd, reinterpret_cast<sockaddr*>(&address), &length);
  return address.ss_family;
}

}  // namespace

void IoExecutor::Resume(std::span<const std::coroutine_handle<>> batch) {
  for (const std::coroutine_handle<> handle : batch) {
    asio::post(*io_, [handle] { handle.resume(); });
  }
}

void HttpServer::Serve(int fd, std::string read) {
  asio::generic::stream_protocol::socket socket(*io_);
  error_code error;
  socket.assign(asio::generic::stream_protocol(FamilyOf(fd), 0), fd, error);
  if (error) return;
  std::make_shared<Session>(Stream(std::move(socket)), router_, pending_)->Start(read);
}

}  // namespace kvorum::api
