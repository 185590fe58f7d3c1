#include "server/peer/server_connection.h"

#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <string>
#include <string_view>
#include <utility>

#include <boost/asio/generic/stream_protocol.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/beast/core/basic_stream.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/http/buffer_body.hpp>
#include <boost/beast/http/error.hpp>
#include <boost/beast/http/parser.hpp>
#include <boost/beast/http/read.hpp>

#include "server/peer/socket_options.h"

namespace kvorum::server::peer {

namespace asio = boost::asio;
namespace beast = boost::beast;
namespace http = boost::beast::http;
using boost::system::error_code;
using Protocol = asio::generic::stream_protocol;

namespace {

Status ToStatus(error_code error) {
  if (!error) return absl::OkStatus();
  if (error == beast::error::timeout) return absl::DeadlineExceededError("i/o timeout");
  if (error == http::error::partial_message || error == http::error::end_of_stream) {
    return absl::UnavailableError("unexpected EOF");
  }
  return absl::UnavailableError(error.message());
}

bool IsParseError(error_code error) {
  return error.category() == make_error_code(http::error::bad_method).category();
}

std::string RemoteHost(Protocol::socket& socket) {
  error_code error;
  const Protocol::endpoint remote = socket.remote_endpoint(error);
  if (error || (remote.protocol().family() != AF_INET && remote.protocol().family() != AF_INET6)) {
    return "";
  }
  asio::ip::tcp::endpoint tcp;
  std::copy_n(reinterpret_cast<const char*>(remote.data()), std::min(remote.size(), tcp.capacity()),
              reinterpret_cast<char*>(tcp.data()));
  return tcp.address().to_string();
}

class Connection final : public ServerConnection, public std::enable_shared_from_this<Connection> {
 public:
  Connection(std::shared_ptr<IoLoop> loop, Protocol::socket socket, Duration io_timeout,
             Hooks hooks)
      : loop_(std::move(loop)),
        io_timeout_(io_timeout),
        hooks_(std::move(hooks)),
        stream_(std::move(socket)) {
    request_.remote_host = RemoteHost(stream_.socket());
  }

  void Start() override { ReadHead(); }

  // What is under way fails, and the server forgets the connection.
  void Close() override {
    if (std::exchange(closed_, true)) return;
    stream_.close();
    hooks_.closed(shared_from_this());
    // A reader or writer under way is told by its own callback.
    if (on_closed_) std::exchange(on_closed_, nullptr)();
  }

  const HttpRequest& request() const override { return request_; }

  void ReadSome(std::function<void(StatusOr<std::string>)> done) override {
    on_piece_ = std::move(done);
    if (closed_ || parser_->is_done()) {
      loop_->Post([self = shared_from_this()] { self->OnEnd(); });
    } else if (std::exchange(expects_continue_, false)) {
      SendContinue();
    } else {
      StartRead();
    }
  }

  void Reply(HttpReply reply) override {
    if (closed_) return;
    const bool keep_alive = parser_->is_done() && parser_->keep_alive();
    Send(ReplyHead(reply.status, reply.headers, {.bytes = reply.body.size()}, keep_alive) +
             (request_.method == "HEAD" ? "" : reply.body),
         [this, keep_alive](const Status& status) {
           if (!status.ok()) return;
           if (keep_alive) {
             ReadHead();
           } else {
             Linger();
           }
         });
  }

  void ReplyAndClose(HttpReply reply) override {
    if (closed_) return;
    Send(ReplyHead(reply.status, reply.headers, {.bytes = reply.body.size()}, false) + reply.body,
         [this](const Status&) { Linger(); });
  }

  void StartStream(HttpHeaders headers, std::function<void()> closed) override {
    on_closed_ = std::move(closed);
    if (closed_) {
      loop_->Post([self = shared_from_this()] {
        if (self->on_closed_) std::exchange(self->on_closed_, nullptr)();
      });
      return;
    }
    streaming_ = true;
    // The other side has nothing more to say: whatever can be read now is its end.
    stream_.socket().async_wait(asio::socket_base::wait_read,
                                [self = shared_from_this()](error_code) { self->Close(); });
    Send(ReplyHead(200, headers, {.chunked = true}, true), nullptr);
  }

  void Write(std::string chunks, std::function<void(Status)> done) override {
    Send(std::move(chunks), std::move(done));
  }

  void EndStream() override {
    if (closed_) return;
    if (sending_) {
      Close();
    } else {
      Send(std::string(kLastChunk), [this](const Status&) { Close(); });
    }
  }

 private:
  using Parser = http::request_parser<http::buffer_body>;

  void ReadHead() {
    parser_ = std::make_unique<Parser>();
    parser_->header_limit(kMaxHeadBytes);
    parser_->body_limit(boost::none);  // handlers have limits of their own
    stream_.expires_after(io_timeout_);
    http::async_read_header(
        stream_, buffer_, *parser_,
        [self = shared_from_this()](error_code error, size_t) { self->OnHead(error); });
  }

  void OnHead(error_code error) {
    if (error == http::error::header_limit) {
      Refuse(431, "Request Header Fields Too Large");
    } else if (error && error != http::error::end_of_stream && IsParseError(error)) {
      Refuse(400, "Bad Request");
    } else if (error || closed_) {
      Close();
    } else {
      TakeHead();
      hooks_.handle(shared_from_this());
    }
  }

  void Refuse(int status, std::string_view text) { ReplyAndClose(TextReply(status, text)); }

  void TakeHead() {
    const auto& head = parser_->get();
    request_.method = std::string(head.method_string());
    const std::string_view target(head.target().data(), head.target().size());
    request_.path = target.substr(0, target.find('?'));
    request_.headers.clear();
    for (const auto& field : head) {
      request_.headers.emplace_back(field.name_string(), field.value());
    }
    expects_continue_ = beast::iequals(head[http::field::expect], "100-continue");
  }

  void SendContinue() {
    Send("HTTP/1.1 100 Continue\r\n\r\n", [this](const Status& status) {
      if (status.ok()) {
        StartRead();
      } else {
        std::exchange(on_piece_, nullptr)(status);
      }
    });
  }

  void StartRead() {
    input_.resize(kHttpPieceBytes);
    parser_->get().body().data = input_.data();
    parser_->get().body().size = input_.size();
    stream_.expires_after(io_timeout_);
    http::async_read_some(stream_, buffer_, *parser_,
                          [self = shared_from_this()](error_code error, size_t) {
                            self->OnSome(error == http::error::need_buffer ? error_code() : error);
                          });
  }

  void OnSome(error_code error) {
    const size_t n = input_.size() - std::min(parser_->get().body().size, input_.size());
    if (!error && n == 0 && !parser_->is_done()) {
      StartRead();  // framing only
      return;
    }
    StatusOr<std::string> result = input_.substr(0, n);
    if (error) result = ToStatus(error);
    std::exchange(on_piece_, nullptr)(std::move(result));
  }

  void OnEnd() {
    StatusOr<std::string> result = std::string();
    if (closed_) result = absl::UnavailableError("connection closed");
    std::exchange(on_piece_, nullptr)(std::move(result));
  }

  // What is sent while something is, follows it; `done` is then for both.
  void Send(std::string bytes, std::function<void(Status)> done) {
    if (closed_) {
      if (done) {
        loop_->Post([self = shared_from_this(), done = std::move(done)] {
          done(absl::UnavailableError("connection closed"));
        });
      }
      return;
    }
    on_sent_ = std::move(done);
    std::string& output = sending_ ? next_output_ : output_;
    if (output.empty()) {
      output = std::move(bytes);
    } else {
      output += bytes;
    }
    if (!std::exchange(sending_, true)) SendSome();
  }

  void SendSome() {
    stream_.expires_after(io_timeout_);
    const size_t n = std::min(output_.size() - sent_, kHttpPieceBytes);
    stream_.async_write_some(asio::buffer(output_.data() + sent_, n),
                             [self = shared_from_this()](error_code error, size_t written) {
                               self->OnSent(error, written);
                             });
  }

  void OnSent(error_code error, size_t written) {
    sent_ += written;
    if (!error && sent_ == output_.size()) {
      output_ = std::exchange(next_output_, {});
      sent_ = 0;
    }
    if (!error && !output_.empty()) {
      SendSome();
      return;
    }
    sending_ = false;
    if (auto done = std::exchange(on_sent_, nullptr)) done(ToStatus(error));
    if (error) Close();
  }

  // The answer is out; the request may not have been read.
  void Linger() {
    if (closed_) return;
    error_code ignored;
    stream_.socket().shutdown(asio::socket_base::shutdown_send, ignored);
    stream_.expires_after(kLingerTimeout);
    ReadAway();
  }
  void ReadAway() {
    input_.resize(kHttpPieceBytes);
    stream_.async_read_some(asio::buffer(input_),
                            [self = shared_from_this()](error_code error, size_t) {
                              error ? self->Close() : self->ReadAway();
                            });
  }

  const std::shared_ptr<IoLoop> loop_;  // outlives the socket
  const Duration io_timeout_;
  const Hooks hooks_;
  beast::basic_stream<Protocol> stream_;
  beast::flat_buffer buffer_{kMaxHeadBytes + kHttpPieceBytes};
  std::unique_ptr<Parser> parser_;
  HttpRequest request_;
  bool expects_continue_ = false;  // and has not been sent it
  bool streaming_ = false;
  bool closed_ = false;

  std::string input_;
  std::function<void(StatusOr<std::string>)> on_piece_;
  std::string output_;
  size_t sent_ = 0;  // of it
  std::string next_output_;
  bool sending_ = false;
  std::function<void(Status)> on_sent_;
  std::function<void()> on_closed_;
};

}  // namespace

std::shared_ptr<ServerConnection> ServerConnection::New(std::shared_ptr<IoLoop> loop, int fd,
                                                        Duration io_timeout, Hooks hooks) {
  SetPeerSocketOptions(fd);
  sockaddr_storage address = {};
  socklen_t length = sizeof(address);
  getsockname(fd, reinterpret_cast<sockaddr*>(&address), &length);
  Protocol::socket socket(loop->context());
  error_code error;
  socket.assign(Protocol(address.ss_family, 0), fd, error);
  if (error) {
    ::close(fd);
    return nullptr;
  }
  auto connection =
      std::make_shared<Connection>(loop, std::move(socket), io_timeout, std::move(hooks));
  loop->Track(connection);
  return connection;
}

}  // namespace kvorum::server::peer
