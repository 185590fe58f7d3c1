#include "api/http/connection_exchange.h"

#include <absl/strings/ascii.h>
#include <absl/strings/str_cat.h>
#include <absl/time/clock.h>
#include <absl/time/time.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <utility>

#include <boost/asio/buffer.hpp>
#include <boost/asio/dispatch.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/write.hpp>
#include <boost/beast/core/string.hpp>
#include <boost/beast/http/error.hpp>
#include <boost/beast/http/read.hpp>
#include <boost/beast/http/status.hpp>
#include <boost/beast/http/verb.hpp>

#include "base/check.h"

namespace kvorum::api {

namespace asio = boost::asio;
namespace http = boost::beast::http;

namespace {

// Go names a status it does not know like this.
std::string ReasonOf(int status) {
  const http::status known = http::int_to_status(static_cast<unsigned>(status));
  return known == http::status::unknown ? absl::StrCat("status code ", status)
                                        : std::string(http::obsolete_reason(known));
}

// A value that came from elsewhere may not begin a line of its own.
std::string OneLine(std::string value) {
  for (char& c : value) {
    if (absl::ascii_iscntrl(static_cast<unsigned char>(c))) c = ' ';
  }
  return value;
}

std::string Now() {
  return absl::FormatTime("%a, %d %b %E4Y %H:%M:%S GMT", absl::Now(), absl::UTCTimeZone());
}

}  // namespace

ConnectionExchange::ConnectionExchange(std::shared_ptr<HttpConnection> connection,
                                       std::unique_ptr<Parser> parser, HttpRequest request)
    : connection_(std::move(connection)),
      parser_(std::move(parser)),
      request_(std::move(request)),
      is_head_(request_.method == "HEAD"),
      is_http_10_(parser_->get().version() < 11),
      keep_alive_(parser_->keep_alive()),
      expects_continue_(
          boost::beast::iequals(parser_->get()[http::field::expect], "100-continue")) {
  ++connection_->activity_->exchanges;
}

ConnectionExchange::~ConnectionExchange() { CHECK(finished_) << "an exchange was not ended"; }

void ConnectionExchange::OnHttpThread(std::function<void()> work) {
  asio::dispatch(connection_->stream_.get_executor(),
                 [self = shared_from_this(), work = std::move(work)] { work(); });
}

void ConnectionExchange::ReadBody(std::function<void(HttpBodyPiece)> done) {
  OnHttpThread([this, done = std::move(done)]() mutable { StartRead(std::move(done)); });
}

void ConnectionExchange::StartRead(std::function<void(HttpBodyPiece)> done) {
  CHECK(!on_piece_) << "one read at a time";
  using State = HttpBodyPiece::State;
  if (finished_ || body_broken_ || parser_->is_done()) {
    HttpBodyPiece piece;
    piece.state = !finished_ && parser_->is_done() ? State::kEnd : State::kBroken;
    done(std::move(piece));
    return;
  }
  on_piece_ = std::move(done);
  if (expects_continue_ && !answering_) {
    SendContinue();
  } else {
    ReadSome();
  }
}

void ConnectionExchange::SendContinue() {
  static constexpr std::string_view kContinue = "HTTP/1.1 100 Continue\r\n\r\n";
  expects_continue_ = false;
  continuing_ = true;
  asio::async_write(connection_->stream_, asio::buffer(kContinue),
                    [self = shared_from_this()](ErrorCode error, size_t) {
                      self->continuing_ = false;
                      if (self->after_continue_) std::exchange(self->after_continue_, nullptr)();
                      error ? self->OnSome(error) : self->ReadSome();
                    });
}

void ConnectionExchange::ReadSome() {
  piece_.resize(kHttpBodyPieceBytes);
  parser_->get().body().data = piece_.data();
  parser_->get().body().size = piece_.size();
  http::async_read_some(connection_->stream_, connection_->buffer_, *parser_,
                        [self = shared_from_this()](ErrorCode error, size_t) {
                          self->OnSome(error == http::error::need_buffer ? ErrorCode() : error);
                        });
}

void ConnectionExchange::OnSome(ErrorCode error) {
  using State = HttpBodyPiece::State;
  piece_.resize(piece_.size() - std::min(parser_->get().body().size, piece_.size()));
  if (!error && piece_.empty() && !parser_->is_done()) {
    ReadSome();  // framing only
    return;
  }
  body_broken_ = static_cast<bool>(error);
  HttpBodyPiece piece;
  piece.state = error ? State::kBroken : parser_->is_done() ? State::kEnd : State::kMore;
  piece.bytes = std::move(piece_);
  if (error == http::error::bad_chunk) piece.error = "invalid byte in chunk length";
  piece_.clear();
  if (finished_) connection_->Linger();
  std::exchange(on_piece_, nullptr)(std::move(piece));
  if (parser_->is_done() && !finished_) WatchForClose();
}

void ConnectionExchange::OnGone(std::function<void()> gone) {
  OnHttpThread([this, gone = std::move(gone)]() mutable {
    on_gone_ = std::move(gone);
    if (parser_->is_done() && !finished_) WatchForClose();
  });
}

// Readable without bytes is closed. Bytes are the next request: behind them a close is not seen.
void ConnectionExchange::WatchForClose() {
  if (std::exchange(watching_, true)) return;
  auto& socket = connection_->stream_.socket();
  socket.async_wait(asio::socket_base::wait_read, [self = shared_from_this()](ErrorCode error) {
    if (self->finished_) return;
    char byte = 0;
    const int fd = self->connection_->stream_.socket().native_handle();
    if (!error && recv(fd, &byte, 1, MSG_PEEK | MSG_DONTWAIT) > 0) return;
    if (self->on_gone_) std::exchange(self->on_gone_, nullptr)();
  });
}

void ConnectionExchange::AddHeaders(const HttpHeaders& headers) {
  common_headers_.insert(common_headers_.end(), headers.begin(), headers.end());
}

void ConnectionExchange::Respond(HttpReply reply) {
  OnHttpThread([this, reply = std::move(reply)]() mutable {
    answering_ = true;
    reply_ = std::move(reply);
    DrainThenRespond();
  });
}

// A client that waits for "100 Continue" and never got it has sent no body.
bool ConnectionExchange::MayDrain() const {
  return !parser_->is_done() && !body_broken_ && !expects_continue_ && !on_piece_ &&
         drained_bytes_ < kHttpDrainBytes;
}

void ConnectionExchange::DrainThenRespond() {
  if (MayDrain()) {
    StartRead([this](const HttpBodyPiece& piece) {
      drained_bytes_ += piece.bytes.size();
      DrainThenRespond();
    });
    return;
  }
  keep_alive_ = keep_alive_ && parser_->is_done();
  Output output;
  output.head = Head(reply_.status, reply_.headers,
                     absl::StrCat("Content-Length: ", reply_.body.size(), "\r\n"));
  if (!is_head_) output.body = std::move(reply_.body);
  Send(std::move(output), [this](bool) { Finish(); });
}

void ConnectionExchange::StartAnswer(int status, HttpHeaders headers) {
  OnHttpThread([this, status, headers = std::move(headers)] {
    answering_ = true;
    keep_alive_ = keep_alive_ && parser_->is_done() && !is_http_10_;
    stream_head_ = Head(status, headers, is_http_10_ ? "" : "Transfer-Encoding: chunked\r\n");
  });
}

void ConnectionExchange::Write(std::string bytes, std::function<void(bool)> done) {
  OnHttpThread([this, bytes = std::move(bytes), done = std::move(done)]() mutable {
    Send(Chunk(std::move(bytes)), std::move(done));
  });
}

void ConnectionExchange::End() {
  OnHttpThread([this] { Send(Chunk(""), [this](bool) { Finish(); }); });
}

// An empty one ends the answer.
ConnectionExchange::Output ConnectionExchange::Chunk(std::string bytes) {
  Output output;
  output.head = std::exchange(stream_head_, "");
  if (is_head_) return output;
  if (!is_http_10_) {
    absl::StrAppend(&output.head, absl::Hex(bytes.size()), "\r\n");
    output.tail = "\r\n";
  }
  output.body = std::move(bytes);
  return output;
}

std::string ConnectionExchange::Head(int status, const HttpHeaders& headers,
                                     const std::string& framing) const {
  std::string head =
      absl::StrCat("HTTP/1.", is_http_10_ ? "0 " : "1 ", status, " ", ReasonOf(status), "\r\n");
  for (const HttpHeaders& list : {common_headers_, headers}) {
    for (const auto& [name, value] : list) {
      absl::StrAppend(&head, name, ": ", OneLine(value), "\r\n");
    }
  }
  absl::StrAppend(&head, "Date: ", Now(), "\r\n", framing);
  if (!keep_alive_) head += "Connection: close\r\n";
  if (keep_alive_ && is_http_10_) head += "Connection: keep-alive\r\n";
  return head + "\r\n";
}

void ConnectionExchange::Send(Output output, std::function<void(bool)> done) {
  output_ = std::move(output);
  on_sent_ = std::move(done);
  if (continuing_) {
    after_continue_ = [this] { SendOutput(); };
  } else {
    SendOutput();
  }
}

void ConnectionExchange::SendOutput() {
  const std::array<asio::const_buffer, 3> buffers = {
      asio::buffer(output_.head), asio::buffer(output_.body), asio::buffer(output_.tail)};
  asio::async_write(connection_->stream_, buffers,
                    [self = shared_from_this()](ErrorCode error, size_t) {
                      if (error) self->keep_alive_ = false;
                      std::exchange(self->on_sent_, nullptr)(!error);
                    });
}

// A read still under way fails, and then the connection goes on to its end.
void ConnectionExchange::Finish() {
  finished_ = true;
  on_gone_ = nullptr;
  output_ = Output();
  connection_->activity_->End();
  if (on_piece_) {
    connection_->stream_.cancel();
  } else {
    connection_->Next(keep_alive_ && parser_->is_done());
  }
}

}  // namespace kvorum::api
