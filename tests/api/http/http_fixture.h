#pragma once
// An HttpServer on a thread of its own, and raw connections to it through socket pairs.

#include <gtest/gtest.h>
#include <sys/socket.h>

#include <future>
#include <string>
#include <thread>

#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>

#include "api/http/http_server.h"
#include "tests/api/http/raw_client.h"

namespace kvorum::api {

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
