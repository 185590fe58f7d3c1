#include "server/peer/client_connection.h"

#include <absl/strings/ascii.h>

#include <algorithm>
#include <cstdlib>
#include <utility>

#include <boost/asio/connect.hpp>
#include <boost/asio/generic/stream_protocol.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/local/stream_protocol.hpp>
#include <boost/beast/core/basic_stream.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/http/buffer_body.hpp>
#include <boost/beast/http/error.hpp>
#include <boost/beast/http/parser.hpp>
#include <boost/beast/http/read.hpp>

#include "base/strings.h"
#include "server/peer/socket_options.h"

namespace kvorum::server::peer {

namespace asio = boost::asio;
namespace beast = boost::beast;
namespace http = boost::beast::http;
using boost::system::error_code;

namespace {

Status ToStatus(error_code error) {
  if (!error) return absl::OkStatus();
  if (error == beast::error::timeout) return absl::DeadlineExceededError("i/o timeout");
  if (error == asio::error::operation_aborted) {
    return absl::CancelledError("use of closed network connection");
  }
  if (error == asio::error::eof || error == http::error::end_of_stream ||
      error == http::error::partial_message) {
    return absl::UnavailableError("unexpected EOF");
  }
  std::string text = error.message();
  if (!text.empty()) text[0] = absl::ascii_tolower(static_cast<unsigned char>(text[0]));
  return absl::UnavailableError(text);
}

class Connection final : public ClientConnection, public std::enable_shared_from_this<Connection> {
 public:
  Connection(IoLoop* loop, std::string local_address)
      : loop_(loop->shared_from_this()),
        local_address_(std::move(local_address)),
        resolver_(loop->context()),
        deadline_(loop),
        stream_(loop->context()) {}

  void Connect(const PeerUrl& url, Duration timeout, Done done) override {
    done_ = std::move(done);
    where_ = url.is_unix ? "dial unix " + url.path : "dial tcp " + url.HostHeader();
    if (loop_->finishing()) closed_ = true;
    if (closed_) {
      loop_->Post([self = shared_from_this()] { self->Connected(asio::error::operation_aborted); });
      return;
    }
    deadline_.After(timeout, [self = shared_from_this()] {
      self->timed_out_ = true;
      self->Close();
    });
    if (url.is_unix) {
      endpoints_ = {asio::local::stream_protocol::endpoint(url.path)};
      TryNext(asio::error::host_not_found);
      return;
    }
    error_code no_literal;
    const auto literal = asio::ip::make_address(url.host, no_literal);
    if (!no_literal) {  // never waits behind a name that takes long
      const auto port = static_cast<uint16_t>(std::strtoul(url.port.c_str(), nullptr, 10));
      endpoints_ = {asio::ip::tcp::endpoint(literal, port)};
      TryNext(asio::error::host_not_found);
      return;
    }
    resolver_.async_resolve(
        url.host, url.port,
        [self = shared_from_this()](error_code error,
                                    const asio::ip::tcp::resolver::results_type& results) {
          for (const auto& one : results) self->endpoints_.emplace_back(one.endpoint());
          self->TryNext(error);
        });
  }

  void Send(std::shared_ptr<const std::string> bytes, Duration timeout, Done done) override {
    output_ = std::move(bytes);
    written_ = 0;
    timeout_ = timeout;
    done_ = std::move(done);
    WriteSome();
  }

  void ReadHead(Duration timeout, Done done) override {
    timeout_ = timeout;
    done_ = std::move(done);
    parser_ = std::make_unique<Parser>();
    parser_->header_limit(kMaxHeadBytes);
    parser_->body_limit(boost::none);  // callers have limits of their own
    stream_.expires_after(timeout_);
    http::async_read_header(
        stream_, buffer_, *parser_,
        [self = shared_from_this()](error_code error, size_t) { self->OnHead(error); });
  }

  int status() const override { return static_cast<int>(parser_->get().result_int()); }
  const HttpHeaders& headers() const override { return headers_; }

  void ReadSome(Duration timeout, std::function<void(StatusOr<std::string>)> done) override {
    timeout_ = timeout;
    on_piece_ = std::move(done);
    if (parser_->is_done()) {
      loop_->Post([self = shared_from_this()] { self->AtEnd(); });
      return;
    }
    StartRead();
  }

  bool reusable() const override {
    return !closed_ && parser_ != nullptr && parser_->is_done() && parser_->keep_alive();
  }

  void Close() override {
    closed_ = true;
    resolver_.cancel();
    stream_.close();
  }

 private:
  using Parser = http::response_parser<http::buffer_body>;
  using Stream = beast::basic_stream<asio::generic::stream_protocol>;

  // Every operation ends here.
  void Finish(error_code error) { std::exchange(done_, nullptr)(Failed(error)); }
  // Any failure is the connection's end.
  Status Failed(error_code error) {
    if (error && closed_) error = asio::error::operation_aborted;
    if (error) Close();
    return ToStatus(error);
  }

  void TryNext(error_code error) {
    if (closed_) error = asio::error::operation_aborted;
    if (closed_ || next_endpoint_ == endpoints_.size()) {
      Connected(error);
      return;
    }
    const auto& endpoint = endpoints_[next_endpoint_++];
    error_code failed;
    stream_.socket().close(failed);
    stream_.socket().open(endpoint.protocol(), failed);
    if (!failed) failed = Bind(endpoint);
    if (failed) {
      loop_->Post([self = shared_from_this(), failed] { self->TryNext(failed); });
      return;
    }
    stream_.expires_never();
    stream_.async_connect(endpoint, [self = shared_from_this()](error_code error) {
      error ? self->TryNext(error) : self->Connected({});
    });
  }

  error_code Bind(const asio::generic::stream_protocol::endpoint& to) {
    error_code failed;
    if (local_address_.empty() || to.protocol().family() == AF_UNIX) return failed;
    const auto address = asio::ip::make_address(local_address_, failed);
    if (!failed) stream_.socket().bind(asio::ip::tcp::endpoint(address, 0), failed);
    return failed;
  }

  void Connected(error_code error) {
    deadline_.Cancel();
    Status status = Failed(error);
    if (!error) SetPeerSocketOptions(stream_.socket().native_handle());
    if (timed_out_) status = absl::DeadlineExceededError("i/o timeout");
    std::exchange(done_, nullptr)(WithContext(status, where_));
  }

  void WriteSome() {
    stream_.expires_after(timeout_);
    const size_t n = std::min(output_->size() - written_, kHttpPieceBytes);
    stream_.async_write_some(asio::buffer(output_->data() + written_, n),
                             [self = shared_from_this()](error_code error, size_t written) {
                               self->OnWritten(error, written);
                             });
  }

  void OnWritten(error_code error, size_t written) {
    written_ += written;
    if (!error && written_ < output_->size()) {
      WriteSome();
      return;
    }
    output_ = nullptr;
    Finish(error);
  }

  void OnHead(error_code error) {
    if (!error && status() / 100 == 1) {  // "100 Continue" and the like come before the answer
      ReadHead(timeout_, std::exchange(done_, nullptr));
      return;
    }
    headers_.clear();
    if (!error) {
      for (const auto& field : parser_->get()) {
        headers_.emplace_back(field.name_string(), field.value());
      }
    }
    Finish(error);
  }

  void StartRead() {
    input_.resize(kHttpPieceBytes);
    parser_->get().body().data = input_.data();
    parser_->get().body().size = input_.size();
    stream_.expires_after(timeout_);
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
    if (error) result = Failed(error);
    std::exchange(on_piece_, nullptr)(std::move(result));
  }
  // There was nothing left to read.
  void AtEnd() { std::exchange(on_piece_, nullptr)(std::string()); }

  const std::shared_ptr<IoLoop> loop_;  // outlives the sockets
  const std::string local_address_;
  std::string where_;
  asio::ip::tcp::resolver resolver_;
  std::vector<asio::generic::stream_protocol::endpoint> endpoints_;
  size_t next_endpoint_ = 0;
  Timer deadline_;  // of Connect
  bool timed_out_ = false;

  Stream stream_;
  beast::flat_buffer buffer_{kMaxHeadBytes + kHttpPieceBytes};
  std::unique_ptr<Parser> parser_;
  HttpHeaders headers_;
  bool closed_ = false;

  Duration timeout_ = Duration::zero();  // of the operation under way
  Done done_;
  std::function<void(StatusOr<std::string>)> on_piece_;
  std::shared_ptr<const std::string> output_;
  size_t written_ = 0;
  std::string input_;
};

}  // namespace

std::shared_ptr<ClientConnection> ClientConnection::New(IoLoop* loop,
                                                        const std::string& local_address) {
  auto connection = std::make_shared<Connection>(loop, local_address);
  loop->Track(connection);
  return connection;
}

}  // namespace kvorum::server::peer
