#pragma once
// The exchange of a request that a connection has read the head of; see exchange.h.

#include <functional>
#include <memory>
#include <string>

#include "api/http/exchange.h"
#include "api/http/http_connection.h"

namespace kvorum::api {

class ConnectionExchange final : public HttpExchange,
                                 public std::enable_shared_from_this<ConnectionExchange> {
 public:
  using Parser = HttpConnection::Parser;

  ConnectionExchange(std::shared_ptr<HttpConnection> connection, std::unique_ptr<Parser> parser,
                     HttpRequest request);
  ~ConnectionExchange() override;

  const HttpRequest& request() const override { return request_; }
  void ReadBody(std::function<void(HttpBodyPiece)> done) override;
  void OnGone(std::function<void()> gone) override;
  void AddHeaders(const HttpHeaders& headers) override;
  void Respond(HttpReply reply) override;
  void StartAnswer(int status, HttpHeaders headers) override;
  void Write(std::string bytes, std::function<void(bool)> done) override;
  void End() override;

 private:
  using ErrorCode = boost::system::error_code;
  // What leaves in one go.
  struct Output {
    std::string head;
    std::string body;
    std::string tail;
  };

  // Runs `work` on the HTTP thread, at once if this is it.
  void OnHttpThread(std::function<void()> work);

  void StartRead(std::function<void(HttpBodyPiece)> done);
  void SendContinue();
  void ReadSome();
  void OnSome(ErrorCode error);
  void WatchForClose();

  bool MayDrain() const;
  void DrainThenRespond();
  std::string Head(int status, const HttpHeaders& headers, const std::string& framing) const;
  Output Chunk(std::string bytes);
  void Send(Output output, std::function<void(bool)> done);
  void SendOutput();
  void Finish();

  const std::shared_ptr<HttpConnection> connection_;
  const std::unique_ptr<Parser> parser_;
  const HttpRequest request_;
  const bool is_head_;
  const bool is_http_10_;
  bool keep_alive_;

  bool expects_continue_;    // and has not been sent it
  bool continuing_ = false;  // "100 Continue" is on its way: what is sent meanwhile waits for it
  std::function<void()> after_continue_;
  bool body_broken_ = false;
  std::function<void(HttpBodyPiece)> on_piece_;  // set while a read is under way
  std::string piece_;
  size_t drained_bytes_ = 0;
  bool watching_ = false;  // for the client's end of the connection
  std::function<void()> on_gone_;

  HttpHeaders common_headers_;
  HttpReply reply_;
  std::string stream_head_;  // of StartAnswer, until it leaves with the first bytes
  bool answering_ = false;   // an answer was given or begun
  Output output_;
  std::function<void(bool)> on_sent_;
  bool finished_ = false;
};

}  // namespace kvorum::api
