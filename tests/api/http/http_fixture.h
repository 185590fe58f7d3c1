#pragma once
// An HttpServer on a thread of its own, and raw connections to it through socket pairs.

#include <gtest/gtest.h>
#include <pthread.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <future>
#include <string>
#include <thread>

#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>

#include "api/http/http_server.h"

namespace kvorum::api {

class RawClient {
 public:
  explicit RawClient(int fd) : fd_(fd) {}
  RawClient(RawClient&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
  ~RawClient() {
    if (fd_ >= 0) close(fd_);
  }
  void Send(const std::string& bytes) {
    size_t sent = 0;
    while (sent < bytes.size()) {
      const ssize_t n = send(fd_, bytes.data() + sent, bytes.size() - sent, MSG_NOSIGNAL);
      if (n <= 0) return;  // the server has had enough of it
      sent += static_cast<size_t>(n);
    }
  }
  void HalfClose() { shutdown(fd_, SHUT_WR); }
  // Up to and with `mark`, or what came until the end.
  std::string ReadUntil(const std::string& mark) {
    while (unread_.find(mark) == std::string::npos && ReadMore()) {
    }
    const size_t at = unread_.find(mark);
    const size_t end = at == std::string::npos ? unread_.size() : at + mark.size();
    std::string read = unread_.substr(0, end);
    unread_.erase(0, end);
    return read;
  }
  std::string ReadAll() {
    while (ReadMore()) {
    }
    return std::exchange(unread_, "");
  }

 private:
  bool ReadMore() {
    char bytes[65536];
    const ssize_t n = recv(fd_, bytes, sizeof(bytes), 0);
    if (n > 0) unread_.append(bytes, static_cast<size_t>(n));
    return n > 0;
  }

  int fd_;
  std::string unread_;
};

class HttpTest : public testing::Test {
 protected:
  ~HttpTest() override {
    OnHttpThread([this] { server_.CloseAll(); });
    std::promise<void> idle;
    OnHttpThread([&] { server_.WhenIdle([&] { idle.set_value(); }); });
    idle.get_future().wait();
    io_.stop();
    thread_.join();
  }
  RawClient Connect() {
    int fds[2];
    EXPECT_EQ(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds), 0);
    const timeval patience = {.tv_sec = 20, .tv_usec = 0};
    setsockopt(fds[0], SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
    boost::asio::post(io_, [this, fd = fds[1]] { server_.Serve(fd, ""); });
    return RawClient(fds[0]);
  }
  template <typename F>
  void OnHttpThread(F work) {
    std::promise<void> done;
    boost::asio::post(io_, [&] {
      work();
      done.set_value();
    });
    done.get_future().wait();
  }
  // The whole conversation on a connection that the server closes.
  std::string Talk(const std::string& request) {
    RawClient client = Connect();
    client.Send(request);
    return client.ReadAll();
  }

  boost::asio::io_context io_;
  boost::asio::executor_work_guard<boost::asio::io_context::executor_type> work_ =
      boost::asio::make_work_guard(io_);
  HttpRouter router_;
  HttpServer server_{&io_, &router_};
  std::thread thread_{[this] { io_.run(); }};
};

}  // namespace kvorum::api
