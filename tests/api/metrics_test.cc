// What the front end counts, and the ports that show it.

#include "base/metrics.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <sstream>
#include <string>

#include "api/grpc/call_metrics.h"
#include "proto/rpc.grpc.pb.h"
#include "tests/api/front_end_fixture.h"
#include "tests/api/http_get.h"

namespace kvorum::api {
namespace {

using testing::HasSubstr;
using testing::Not;
using testing::StartsWith;

// The value of each series; the process's other tests count into the same.
std::map<std::string, double> Values() {
  std::istringstream lines(metrics::Default().Text());
  std::map<std::string, double> values;
  for (std::string line; std::getline(lines, line);) {
    const size_t blank = line.rfind(' ');
    if (!line.starts_with('#')) values[line.substr(0, blank)] = std::stod(line.substr(blank + 1));
  }
  return values;
}

class MetricsTest : public FrontEndTest {
 protected:
  grpc::Status Put(const std::string& key, const std::string& version = "") {
    etcdserverpb::PutRequest request;
    request.set_key(key);
    grpc::ClientContext context;
    if (!version.empty()) context.AddMetadata("client-api-version", version);
    return kv_->Put(&context, request, &response_);
  }
  // By how much a series has changed since the test began.
  double Change(const std::string& series) { return Values()[series] - before_[series]; }

  std::map<std::string, double> before_ = Values();
  etcdserverpb::PutResponse response_;
  std::unique_ptr<etcdserverpb::KV::Stub> kv_;

 private:
  void SetUp() override {
    FrontEndTest::SetUp();
    kv_ = etcdserverpb::KV::NewStub(NewChannel());
  }
};

std::string PutSeries(const std::string& name, const std::string& code = "") {
  return name + "{" + (code.empty() ? "" : "grpc_code=\"" + code + "\",") +
         "grpc_method=\"Put\",grpc_service=\"etcdserverpb.KV\",grpc_type=\"unary\"}";
}

TEST_F(MetricsTest, CallsAreCountedByMethodAndCode) {
  ASSERT_TRUE(Put("a").ok());
  const size_t sent_bytes = response_.ByteSizeLong();
  ASSERT_FALSE(Put("").ok());
  EXPECT_EQ(Change(PutSeries("grpc_server_started_total")), 2);
  EXPECT_EQ(Change(PutSeries("grpc_server_msg_received_total")), 2);
  EXPECT_EQ(Change(PutSeries("grpc_server_msg_sent_total")), 2) << "an error is one, too";
  EXPECT_EQ(Change(PutSeries("grpc_server_handled_total", "OK")), 1);
  EXPECT_EQ(Change(PutSeries("grpc_server_handled_total", "InvalidArgument")), 1);
  EXPECT_EQ(Change("etcd_network_client_grpc_received_bytes_total"), 3);  // key "a": tag, size, a
  EXPECT_EQ(Change("etcd_network_client_grpc_sent_bytes_total"), sent_bytes);
}

TEST_F(MetricsTest, MethodsThatNobodyCalledAreThere) {
  const auto values = Values();
  EXPECT_TRUE(values.contains(
      "grpc_server_handled_total{grpc_code=\"Unauthenticated\",grpc_method=\"AuthEnable\","
      "grpc_service=\"etcdserverpb.Auth\",grpc_type=\"unary\"}"));
  EXPECT_TRUE(
      values.contains("grpc_server_started_total{grpc_method=\"Snapshot\","
                      "grpc_service=\"etcdserverpb.Maintenance\",grpc_type=\"server_stream\"}"));
  EXPECT_TRUE(
      values.contains("grpc_server_started_total{grpc_method=\"Watch\","
                      "grpc_service=\"etcdserverpb.Watch\",grpc_type=\"bidi_stream\"}"));
}

TEST_F(MetricsTest, MessagesThatEndTheirStreamAreFailuresOfIt) {
  testing::internal::CaptureStderr();
  const auto watch = etcdserverpb::Watch::NewStub(NewChannel());
  grpc::ClientContext context;
  const auto stream = watch->Watch(&context);
  etcdserverpb::WatchRequest request;
  request.mutable_create_request()->set_key(std::string(3 << 20, 'x'));
  stream->Write(request);
  EXPECT_EQ(stream->Finish().error_code(), grpc::StatusCode::RESOURCE_EXHAUSTED);
  const std::string lines = testing::internal::GetCapturedStderr();
  EXPECT_THAT(lines, HasSubstr("\"msg\":\"failed to receive watch request from gRPC stream\","
                               "\"error\":\"rpc error: code = ResourceExhausted desc = grpc: "
                               "received message larger than max ("));
  EXPECT_EQ(Change("etcd_network_server_stream_failures_total{API=\"watch\",Type=\"receive\"}"), 1);
}

TEST_F(MetricsTest, StreamsThatClientsEndAreNoFailures) {
  const auto lease = etcdserverpb::Lease::NewStub(NewChannel());
  grpc::ClientContext context;
  const auto stream = lease->LeaseKeepAlive(&context);
  stream->Write(etcdserverpb::LeaseKeepAliveRequest());
  etcdserverpb::LeaseKeepAliveResponse response;
  ASSERT_TRUE(stream->Read(&response));
  context.TryCancel();
  stream->Finish();
  EXPECT_FALSE(Values().contains(
      "etcd_network_server_stream_failures_total{API=\"lease-keepalive\",Type=\"receive\"}"));
}

TEST_F(MetricsTest, WhatIsRefusedBeforeTheHandlerIsNoCallOfTheMethod) {
  server_.version_known = false;
  ASSERT_FALSE(Put("a").ok());
  EXPECT_EQ(Change(PutSeries("grpc_server_started_total")), 0);
  EXPECT_EQ(
      Change("etcd_server_client_requests_total{client_api_version=\"unknown\",type=\"unary\"}"),
      0);
}

TEST_F(MetricsTest, ClientsCannotMakeUpMoreVersionsThanTheLimit) {
  const std::string of = "etcd_server_client_requests_total{client_api_version=\"";
  for (size_t i = 0; i < 2 * kClientVersionsMax; ++i) {
    ASSERT_TRUE(Put("a", "made-up-" + std::to_string(i)).ok());
  }
  const auto values = Values();
  const auto shown = std::count_if(values.begin(), values.end(),
                                   [&](const auto& one) { return one.first.starts_with(of); });
  EXPECT_LE(static_cast<size_t>(shown), 2 * (kClientVersionsMax + 1));
  EXPECT_GE(Change(of + "other\",type=\"unary\"}"), kClientVersionsMax);
}

TEST_F(MetricsTest, TheClientPortShowsThem) {
  const std::string answer = HttpGet(address(), "/metrics");
  EXPECT_THAT(answer, StartsWith("HTTP/1.1 200 OK\r\n"));
  EXPECT_THAT(answer, HasSubstr("text/plain; version=0.0.4; charset=utf-8; escaping=underscores"));
  EXPECT_THAT(answer, HasSubstr("\nkvorum_build_info{"));
  EXPECT_THAT(answer, HasSubstr("\netcd_server_has_leader 1\n")) << "the member's own word";
  EXPECT_THAT(answer, HasSubstr("\nprocess_open_fds "));
}

TEST(MetricsPortTest, AnswersBeforeTheMemberIsReady) {
  FakeServer server;
  FrontEndOptions options;
  options.client_urls = {"http://127.0.0.1:0"};
  options.metrics_urls = {"http://127.0.0.1:0"};
  auto front_end = FrontEnd::Listen(options);
  ASSERT_TRUE(front_end.ok()) << front_end.status();
  (*front_end)->ServeMetrics(&server);
  const std::string address = (*front_end)->metrics_addresses().front();
  EXPECT_THAT(HttpGet(address, "/livez"), StartsWith("HTTP/1.1 200 OK\r\n"));
  EXPECT_THAT(HttpGet(address, "/metrics"), HasSubstr("\netcd_server_has_leader 1\n"));
  server.leader = false;
  EXPECT_THAT(HttpGet(address, "/health"), HasSubstr(R"("reason":"RAFT NO LEADER")"));
  const std::string version = HttpGet(address, "/version");
  EXPECT_THAT(version, StartsWith("HTTP/1.1 404"));
  EXPECT_THAT(version, Not(HasSubstr("Access-Control")));
  (*front_end)->Shutdown(Duration::zero());
  (*front_end)->Join();
}

TEST(MetricsPortTest, ChecksAreCounted) {
  FakeServer server;
  FrontEndOptions options;
  options.client_urls = {"http://127.0.0.1:0"};
  options.metrics_urls = {"http://127.0.0.1:0"};
  auto front_end = FrontEnd::Listen(options);
  ASSERT_TRUE(front_end.ok()) << front_end.status();
  (*front_end)->ServeMetrics(&server);
  const std::string address = (*front_end)->metrics_addresses().front();
  std::map<std::string, double> before = Values();
  server.learner = true;
  HttpGet(address, "/readyz");
  HttpGet(address, "/health");
  std::map<std::string, double> after = Values();
  const std::string failed =
      "etcd_server_healthchecks_total{name=\"non_learner\",status=\"error\",type=\"readyz\"}";
  EXPECT_EQ(after[failed] - before[failed], 1);
  EXPECT_EQ(after["etcd_server_healthcheck{name=\"non_learner\",type=\"readyz\"}"], 0);
  EXPECT_EQ(after["etcd_server_healthcheck{name=\"data_corruption\",type=\"readyz\"}"], 1);
  EXPECT_EQ(after["etcd_server_health_success"] - before["etcd_server_health_success"], 1);
  (*front_end)->Shutdown(Duration::zero());
  (*front_end)->Join();
}

}  // namespace
}  // namespace kvorum::api
