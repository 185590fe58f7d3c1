#pragma once
// co_await for an HTTP exchange, from a coroutine that runs on a queue's polling thread and goes on
// there.

#include <coroutine>
#include <string>
#include <utility>

#include "api/grpc/queue.h"
#include "api/http/exchange.h"

namespace kvorum::api {

// The next piece of the body.
class BodyRead {
 public:
  BodyRead(HttpExchange* exchange, CallQueue* queue) : exchange_(*exchange), queue_(*queue) {}
  bool await_ready() const noexcept { return false; }
  void await_suspend(std::coroutine_handle<> self) {
    exchange_.ReadBody([this, self](HttpBodyPiece piece) {
      piece_ = std::move(piece);
      queue_.Post({&self, 1});
    });
  }
  HttpBodyPiece await_resume() { return std::move(piece_); }

 private:
  HttpExchange& exchange_;
  CallQueue& queue_;
  HttpBodyPiece piece_;
};

// False: the client is gone.
class AnswerWrite {
 public:
  AnswerWrite(HttpExchange* exchange, CallQueue* queue, std::string bytes)
      : exchange_(*exchange), queue_(*queue), bytes_(std::move(bytes)) {}
  bool await_ready() const noexcept { return false; }
  void await_suspend(std::coroutine_handle<> self) {
    exchange_.Write(std::move(bytes_), [this, self](bool taken) {
      taken_ = taken;
      queue_.Post({&self, 1});
    });
  }
  bool await_resume() const noexcept { return taken_; }

 private:
  HttpExchange& exchange_;
  CallQueue& queue_;
  std::string bytes_;
  bool taken_ = false;
};

}  // namespace kvorum::api
