#pragma once
// A front end on a loopback port before a FakeServer, and clients of it.

#include <grpcpp/client_context.h>
#include <grpcpp/create_channel.h>
#include <gtest/gtest.h>

#include <memory>
#include <string>

#include "api/api.h"
#include "tests/api/fake_server.h"

namespace kvorum::api {

class FrontEndTest : public testing::Test {
 protected:
  void SetUp() override { StartFrontEnd(); }
  void TearDown() override {
    if (front_end_ == nullptr) return;
    front_end_->Shutdown(std::chrono::seconds(1));
    server_.Stop();
    front_end_->Join();
  }
  void StartFrontEnd() {
    options_.client_urls = {"http://127.0.0.1:0"};
    auto front_end = FrontEnd::Listen(options_);
    ASSERT_TRUE(front_end.ok()) << front_end.status();
    front_end_ = *std::move(front_end);
    ASSERT_TRUE(front_end_->Start(&server_).ok());
  }

  std::string address() const { return front_end_->addresses().front(); }
  // A connection of its own.
  std::shared_ptr<grpc::Channel> NewChannel() const {
    grpc::ChannelArguments arguments;
    arguments.SetInt(GRPC_ARG_USE_LOCAL_SUBCHANNEL_POOL, 1);
    arguments.SetMaxReceiveMessageSize(-1);
    return grpc::CreateCustomChannel(address(), grpc::InsecureChannelCredentials(), arguments);
  }

  FrontEndOptions options_;  // for StartFrontEnd, which sets the URL
  FakeServer server_;
  std::unique_ptr<FrontEnd> front_end_;
};

#define EXPECT_STATUS(status, code, text)                             \
  do {                                                                \
    const grpc::Status& actual = (status);                            \
    EXPECT_EQ(actual.error_code(), (code)) << actual.error_message(); \
    EXPECT_EQ(actual.error_message(), (text));                        \
  } while (false)

}  // namespace kvorum::api
