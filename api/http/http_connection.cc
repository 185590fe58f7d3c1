#include "api/http/http_connection.h"

#include <absl/strings/str_cat.h>

#include <utility>

#include <boost/asio/buffer.hpp>
#include <boost/asio/write.hpp>
#include <boost/beast/core/string.hpp>
#include <boost/beast/http/error.hpp>
#include <boost/beast/http/read.hpp>

#include "api/http/connection_exchange.h"
#include "api/percent.h"

namespace kvorum::api {

namespace asio = boost::asio;
namespace http = boost::beast::http;
using boost::system::error_code;

namespace {

// The path and query of a request line, which may name the whole URL, as proxies do.
std::string_view OriginForm(std::string_view target) {
  const size_t scheme = target.find("://");
  if (target.starts_with('/') || scheme == std::string_view::npos) return target;
  target.remove_prefix(scheme + 3);
  target.remove_prefix(std::min(target.find('/'), target.size()));
  return target.empty() ? "/" : target;
}

// False: the target is no URL.
bool ToRequest(const HttpConnection::Parser::value_type& message, HttpRequest* request) {
  request->method = std::string(message.method_string());
  const std::string_view target = OriginForm({message.target().data(), message.target().size()});
  const size_t question = std::min(target.find('?'), target.size());
  if (!PercentDecode(target.substr(0, question), &request->path)) return false;
  request->query = target.substr(std::min(question + 1, target.size()));
  for (const auto& field : message) {
    request->headers.emplace_back(field.name_string(), field.value());
  }
  return true;
}

bool IsContinue(const std::string& expected) {
  return boost::beast::iequals(expected, "100-continue");
}

bool IsParseError(error_code error) {
  return error.category() == make_error_code(http::error::bad_method).category();
}

}  // namespace

HttpConnection::HttpConnection(Stream stream, const HttpRouter* router,
                               std::shared_ptr<HttpActivity> activity)
    : stream_(std::move(stream)), router_(*router), activity_(std::move(activity)) {}

void HttpConnection::Start(const std::string& read) {
  const auto into = buffer_.prepare(read.size());
  buffer_.commit(asio::buffer_copy(into, asio::buffer(read)));
  ReadHead();
}

void HttpConnection::EndWhenIdle() {
  closing_ = true;
  if (idle_) Close();
}

void HttpConnection::Close() { stream_.close(); }

void HttpConnection::ReadHead() {
  parser_ = std::make_unique<Parser>();
  parser_->header_limit(kHttpHeadBytes);
  parser_->body_limit(boost::none);  // handlers have limits of their own
  stream_.expires_after(kHttpIdleTimeout);
  http::async_read_header(
      stream_, buffer_, *parser_,
      [self = shared_from_this()](error_code error, size_t) { self->OnHead(error); });
}

void HttpConnection::OnHead(error_code error) {
  stream_.expires_never();
  if (error == http::error::end_of_stream) {
    Linger();
  } else if (error == http::error::header_limit) {
    Refuse("431 Request Header Fields Too Large");
  } else if (error && IsParseError(error)) {
    Refuse("400 Bad Request");
  }
  if (error) return;
  HttpRequest request;
  if (!ToRequest(parser_->get(), &request)) {
    Refuse("400 Bad Request");
    return;
  }
  const std::string* const expected = request.Header("expect");
  if (expected != nullptr && !expected->empty() && !IsContinue(*expected)) {
    EndWith("HTTP/1.1 417 Expectation Failed\r\nConnection: close\r\nContent-Length: 0\r\n\r\n");
    return;
  }
  idle_ = false;
  router_.Handle(std::make_shared<ConnectionExchange>(shared_from_this(), std::move(parser_),
                                                      std::move(request)));
}

void HttpConnection::Refuse(const std::string& status) {
  EndWith(absl::StrCat("HTTP/1.1 ", status,
                       "\r\nContent-Type: text/plain; charset=utf-8\r\nConnection: close\r\n\r\n",
                       status));
}

void HttpConnection::EndWith(std::string last_words) {
  scratch_ = std::move(last_words);
  asio::async_write(stream_, asio::buffer(scratch_),
                    [self = shared_from_this()](error_code, size_t) { self->Linger(); });
}

void HttpConnection::Next(bool keep_alive) {
  idle_ = true;
  if (keep_alive && !closing_) {
    ReadHead();
  } else {
    Linger();
  }
}

void HttpConnection::Linger() {
  error_code ignored;
  stream_.socket().shutdown(asio::socket_base::shutdown_send, ignored);
  stream_.expires_after(kHttpLingerTimeout);
  scratch_.resize(kHttpBodyPieceBytes);
  ReadAway();
}

void HttpConnection::ReadAway() {
  stream_.async_read_some(asio::buffer(scratch_),
                          [self = shared_from_this()](error_code error, size_t) {
                            if (!error) self->ReadAway();
                          });
}

}  // namespace kvorum::api
