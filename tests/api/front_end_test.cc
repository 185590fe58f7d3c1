#include <arpa/inet.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <atomic>
#include <string>
#include <thread>
#include <vector>

#include <nlohmann/json.hpp>

#include "api/api.h"
#include "api/listener/port_mux.h"
#include "proto/rpc.grpc.pb.h"
#include "tests/api/front_end_fixture.h"

namespace kvorum::api {
namespace {

using grpc::StatusCode;
using server::Error;

TEST(PortMuxTest, ThreeBytesDecide) {
  EXPECT_EQ(Sniff(""), Protocol::kUnknown);
  EXPECT_EQ(Sniff("P"), Protocol::kUnknown);
  EXPECT_EQ(Sniff("PR"), Protocol::kUnknown);
  EXPECT_EQ(Sniff("PRI"), Protocol::kGrpc);
  EXPECT_EQ(Sniff("PRI * HTTP/2.0\r\n"), Protocol::kGrpc);
  EXPECT_EQ(Sniff("POST"), Protocol::kHttp);
  EXPECT_EQ(Sniff("PU"), Protocol::kHttp);
  EXPECT_EQ(Sniff("G"), Protocol::kHttp);
  EXPECT_EQ(Sniff("\x16\x03\x01"), Protocol::kTls);
  EXPECT_EQ(Sniff(std::string(1, '\0')), Protocol::kHttp);
}

class ClientSocket {
 public:
  explicit ClientSocket(const std::string& address) : fd_(socket(AF_INET, SOCK_STREAM, 0)) {
    const size_t colon = address.rfind(':');
    sockaddr_in to = {};
    to.sin_family = AF_INET;
    to.sin_port = htons(static_cast<uint16_t>(std::stoi(address.substr(colon + 1))));
    inet_pton(AF_INET, address.substr(0, colon).c_str(), &to.sin_addr);
    EXPECT_EQ(connect(fd_, reinterpret_cast<sockaddr*>(&to), sizeof(to)), 0);
  }
  ~ClientSocket() { close(fd_); }
  void Send(const std::string& bytes) {
    EXPECT_EQ(send(fd_, bytes.data(), bytes.size(), MSG_NOSIGNAL),
              static_cast<ssize_t>(bytes.size()));
  }
  void HalfClose() { shutdown(fd_, SHUT_WR); }
  // Everything until the other side closes.
  std::string ReadAll() {
    std::string all;
    char bytes[4096];
    for (ssize_t n = 0; (n = recv(fd_, bytes, sizeof(bytes), 0)) > 0;) {
      all.append(bytes, static_cast<size_t>(n));
    }
    return all;
  }
  // Up to `text`, or everything if it does not come.
  std::string ReadUntil(const std::string& text) {
    std::string all;
    char byte;
    while (all.find(text) == std::string::npos && recv(fd_, &byte, 1, 0) == 1) all.push_back(byte);
    return all;
  }

 private:
  int fd_;
};

class FrontEndSocketTest : public FrontEndTest {
 protected:
  std::string Http(const std::string& head) {
    ClientSocket socket(address());
    socket.Send(head + " HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
    return socket.ReadAll();
  }
  void ExpectServing() {
    auto kv = etcdserverpb::KV::NewStub(NewChannel());
    etcdserverpb::PutRequest request;
    request.set_key("a");
    etcdserverpb::PutResponse response;
    grpc::ClientContext context;
    const grpc::Status status = kv->Put(&context, request, &response);
    EXPECT_TRUE(status.ok()) << status.error_message();
  }
};

std::string Body(const std::string& answer) {
  const size_t end = answer.find("\r\n\r\n");
  return end == std::string::npos ? answer : answer.substr(end + 4);
}

TEST_F(FrontEndSocketTest, Version) {
  const std::string answer = Http("GET /version");
  EXPECT_EQ(answer.substr(0, 15), "HTTP/1.1 200 OK");
  EXPECT_NE(answer.find("Content-Type: application/json\r\n"), std::string::npos);
  EXPECT_NE(answer.find("Access-Control-Allow-Origin: *\r\n"), std::string::npos);
  EXPECT_EQ(Body(answer), R"({"etcdserver":"3.7.1","etcdcluster":"3.7.0","storage":"3.7.0"})");
  server_.version_known = false;
  EXPECT_NE(Body(Http("GET /version")).find(R"("etcdcluster":"not_decided")"), std::string::npos);
}

TEST_F(FrontEndSocketTest, Vars) {
  const std::string answer = Http("GET /debug/vars");
  EXPECT_NE(answer.find("Content-Type: application/json; charset=utf-8\r\n"), std::string::npos);
  const auto vars = nlohmann::json::parse(Body(answer));
  EXPECT_EQ(vars.size(), 4u);
  EXPECT_NE(vars["cmdline"].at(0).get<std::string>().find("api_grpc_test"), std::string::npos);
  EXPECT_GT(vars["file_descriptor_limit"].get<int64_t>(), 0);
  EXPECT_GT(vars["memstats"]["Sys"].get<int64_t>(), 1 << 20);
  const auto raft = nlohmann::json::parse(
      R"({"id":"7","term":3,"commit":21,"lead":"7","raftState":"StateLeader","applied":20})");
  EXPECT_EQ(vars["raft.status"], raft);
  server_.leader = false;
  const auto without = nlohmann::json::parse(Body(Http("GET /debug/vars")))["raft.status"];
  EXPECT_EQ(without["lead"], "0");
  EXPECT_EQ(without["raftState"], "StateFollower");
  EXPECT_EQ(Http("POST /debug/vars").substr(0, 12), "HTTP/1.1 405");
}

TEST_F(FrontEndSocketTest, HealthByState) {
  EXPECT_EQ(Body(Http("GET /health")), R"({"health":"true","reason":""})");
  server_.leader = false;
  const std::string answer = Http("GET /health");
  EXPECT_EQ(answer.substr(0, 12), "HTTP/1.1 503");
  EXPECT_EQ(Body(answer), "{\"health\":\"false\",\"reason\":\"RAFT NO LEADER\"}\n");
  EXPECT_EQ(Body(Http("GET /health?serializable=true")), R"({"health":"true","reason":""})");
  server_.alarms.emplace_back().set_alarm(etcdserverpb::NOSPACE);
  EXPECT_EQ(Body(Http("GET /health")), "{\"health\":\"false\",\"reason\":\"ALARM NOSPACE\"}\n");
  server_.leader = true;
  EXPECT_EQ(Body(Http("GET /health?exclude=NOSPACE")), R"({"health":"true","reason":""})");
}

TEST_F(FrontEndSocketTest, HealthWaitsForItsRead) {
  server_.read_index_now = false;
  server_.hold = true;
  std::thread releaser([this] {
    server_.AwaitHeld(1);
    server_.Release(Error::kTimeout);
  });
  EXPECT_EQ(Body(Http("GET /health")),
            "{\"health\":\"false\",\"reason\":\"RANGE ERROR:etcdserver: request timed out\"}\n");
  releaser.join();
}

TEST_F(FrontEndSocketTest, Probes) {
  EXPECT_EQ(Body(Http("GET /livez")), "ok\n");
  EXPECT_EQ(Body(Http("GET /livez?verbose")), "[+]serializable_read ok\nok\n");
  EXPECT_EQ(Body(Http("GET /readyz")), "ok\n");
  EXPECT_EQ(Body(Http("GET /readyz/non_learner")), "ok\n");
  EXPECT_EQ(Http("GET /livez/non_learner").substr(0, 12), "HTTP/1.1 404");
  server_.learner = true;
  const std::string failed = Http("GET /readyz");
  EXPECT_EQ(failed.substr(0, 12), "HTTP/1.1 503");
  EXPECT_EQ(Body(failed),
            "[+]data_corruption ok\n[+]serializable_read ok\n[+]linearizable_read ok\n"
            "[-]non_learner failed: not supported for learner\n\n");
  EXPECT_EQ(Body(Http("GET /readyz?exclude=non_learner")), "ok\n");
  EXPECT_EQ(Body(Http("GET /livez")), "ok\n");
}

TEST_F(FrontEndSocketTest, UnknownPathsAndMethods) {
  EXPECT_EQ(Http("GET /nothing").substr(0, 12), "HTTP/1.1 404");
  EXPECT_EQ(Body(Http("GET /nothing")), "404 page not found\n");
  const std::string posted = Http("POST /version");
  EXPECT_EQ(posted.substr(0, 12), "HTTP/1.1 405");
  EXPECT_NE(posted.find("Allow: GET\r\n"), std::string::npos);
  EXPECT_EQ(Body(posted), "Method Not Allowed\n");
  EXPECT_EQ(Body(Http("HEAD /version")), "");
  const std::string options = Http("OPTIONS /anything");
  EXPECT_EQ(options.substr(0, 12), "HTTP/1.1 200");
  EXPECT_EQ(Body(options), "");
}

TEST_F(FrontEndSocketTest, SeveralRequestsOnOneConnection) {
  ClientSocket socket(address());
  socket.Send("GET /version HTTP/1.1\r\nHost: x\r\n\r\nGET /health HTTP/1.1\r\nHost: x\r\n\r\n");
  socket.HalfClose();
  const std::string answers = socket.ReadAll();
  EXPECT_NE(answers.find("etcdserver"), std::string::npos);
  EXPECT_NE(answers.find("health"), std::string::npos);
}

TEST_F(FrontEndSocketTest, GarbageClosesOnlyItsConnection) {
  ClientSocket half_preface(address());
  half_preface.Send("PRI * HT");
  ClientSocket silent(address());
  for (const std::string& bytes :
       {std::string("\x16\x03\x01\x02\x00\x01", 6), std::string("\0\0\0\0", 4),
        std::string("garbage without any sense\r\n\r\n"),
        std::string("PRI * XXXXXXXXXXXXXXXXXXXXXXX"),
        std::string("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n") + std::string(500, '\xff'),
        std::string("P")}) {
    ClientSocket socket(address());
    socket.Send(bytes);
    socket.HalfClose();
    socket.ReadAll();
  }
  ExpectServing();
}

std::string Http2Frame(char type, char flags, char stream, const std::string& payload) {
  const char head[] = {0, 0, static_cast<char>(payload.size()), type, flags, 0, 0, 0, stream};
  return std::string(head, sizeof(head)) + payload;
}

// A literal header of HPACK that is not to be indexed.
std::string Http2Header(const std::string& name, const std::string& value) {
  return std::string(1, '\0') + static_cast<char>(name.size()) + name +
         static_cast<char>(value.size()) + value;
}

// No client library sends these bytes.
TEST_F(FrontEndSocketTest, ClientVersionThatIsNoTextIsRefused) {
  ClientSocket socket(address());
  socket.Send("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + Http2Frame(4, 0, 0, ""));
  std::string headers;
  for (const auto& [name, value] :
       std::vector<std::pair<std::string, std::string>>{{":method", "POST"},
                                                        {":scheme", "http"},
                                                        {":path", "/etcdserverpb.KV/Range"},
                                                        {":authority", "x"},
                                                        {"content-type", "application/grpc"},
                                                        {"te", "trailers"},
                                                        {"client-api-version", "3.7\xff"}}) {
    headers += Http2Header(name, value);
  }
  const std::string no_message(5, '\0');
  socket.Send(Http2Frame(1, 4, 1, headers) + Http2Frame(0, 1, 1, no_message));
  const std::string refusal = "etcdserver: invalid client api version";
  EXPECT_THAT(socket.ReadUntil(refusal), ::testing::HasSubstr(refusal));
}

TEST_F(FrontEndSocketTest, ManyConnectionsThatGoAway) {
  for (int i = 0; i < 200; ++i) ClientSocket(address()).Send("PRI");
  ExpectServing();
}

TEST_F(FrontEndSocketTest, CallsWaitingForTheServerEndWhenItStops) {
  server_.hold = true;
  auto kv = etcdserverpb::KV::NewStub(NewChannel());
  grpc::Status status;
  std::thread client([&] {
    etcdserverpb::PutRequest request;
    request.set_key("a");
    etcdserverpb::PutResponse response;
    grpc::ClientContext context;
    status = kv->Put(&context, request, &response);
  });
  server_.AwaitHeld(1);
  front_end_->Shutdown(std::chrono::milliseconds(10));
  server_.Stop();
  front_end_->Join();
  client.join();
  EXPECT_EQ(status.error_code(), StatusCode::UNAVAILABLE);
  front_end_.reset();
}

TEST_F(FrontEndSocketTest, RunningCallsFinishWithinTheGrace) {
  server_.hold = true;
  auto kv = etcdserverpb::KV::NewStub(NewChannel());
  grpc::Status status;
  std::thread client([&] {
    etcdserverpb::PutRequest request;
    request.set_key("a");
    etcdserverpb::PutResponse response;
    grpc::ClientContext context;
    status = kv->Put(&context, request, &response);
  });
  server_.AwaitHeld(1);
  std::thread stopper([this] { front_end_->Shutdown(std::chrono::seconds(10)); });
  server_.Release();
  client.join();
  stopper.join();
  EXPECT_TRUE(status.ok()) << status.error_message();
}

// Shutdown under load: every call ends one way or another, nothing aborts.
TEST(FrontEndShutdownTest, UnderLoad) {
  for (int round = 0; round < 5; ++round) {
    FakeServer server;
    FrontEndOptions options;
    options.client_urls = {"http://127.0.0.1:0"};
    auto front_end = std::move(FrontEnd::Listen(options)).value();
    ASSERT_TRUE(front_end->Start(&server).ok());
    std::atomic<int> done{0};
    std::vector<std::thread> clients;
    for (int i = 0; i < 8; ++i) {
      clients.emplace_back([&] {
        grpc::ChannelArguments arguments;
        arguments.SetInt(GRPC_ARG_USE_LOCAL_SUBCHANNEL_POOL, 1);
        auto kv = etcdserverpb::KV::NewStub(grpc::CreateCustomChannel(
            front_end->addresses().front(), grpc::InsecureChannelCredentials(), arguments));
        etcdserverpb::PutRequest request;
        request.set_key("a");
        for (;;) {
          etcdserverpb::PutResponse response;
          grpc::ClientContext context;
          if (!kv->Put(&context, request, &response).ok()) return;
          ++done;
        }
      });
    }
    while (done < 200) std::this_thread::yield();
    front_end->Shutdown(std::chrono::milliseconds(round));
    server.Stop();
    front_end->Join();
    for (std::thread& client : clients) client.join();
  }
}

TEST(FrontEndListenTest, ErrorsNameTheAddressAsGoWordsIt) {
  FrontEndOptions options;
  options.client_urls = {"http://127.0.0.1:0"};
  auto first = FrontEnd::Listen(options);
  ASSERT_TRUE(first.ok());
  options.client_urls = {"http://" + (*first)->addresses().front()};
  const auto second = FrontEnd::Listen(options);
  ASSERT_FALSE(second.ok());
  EXPECT_EQ(second.status().message(),
            "listen tcp " + (*first)->addresses().front() + ": bind: address already in use");
  options.client_urls = {"https://127.0.0.1:0"};
  EXPECT_FALSE(FrontEnd::Listen(options).ok());
}

TEST(FrontEndListenTest, AnAddressCannotServeBothApart) {
  FrontEndOptions options;
  options.client_urls = {"http://127.0.0.1:0"};
  options.client_http_urls = options.client_urls;
  EXPECT_EQ(FrontEnd::Listen(options).status().message(),
            "cannot bind both --listen-client-urls and --listen-client-http-urls on the same url "
            "http://127.0.0.1:0");
}

TEST(FrontEndListenTest, APortIsSharedOnlyIfBothSaySo) {
  FrontEndOptions options;
  options.client_urls = {"http://127.0.0.1:0"};
  options.reuse_port = true;
  const auto first = FrontEnd::Listen(options);
  ASSERT_TRUE(first.ok()) << first.status();
  options.client_urls = {"http://" + (*first)->addresses().front()};
  const auto second = FrontEnd::Listen(options);
  EXPECT_TRUE(second.ok()) << second.status();
  options.reuse_port = false;
  EXPECT_FALSE(FrontEnd::Listen(options).ok());
}

TEST(FrontEndListenTest, HttpOnListenersOfItsOwn) {
  FakeServer server;
  FrontEndOptions options;
  options.client_urls = {"http://127.0.0.1:0"};
  options.client_http_urls = {"http://localhost:0"};
  auto front_end = std::move(FrontEnd::Listen(options)).value();
  ASSERT_TRUE(front_end->Start(&server).ok());
  const std::vector<std::string> addresses = front_end->addresses();
  const auto ask = [](const std::string& address, const std::string& bytes) {
    ClientSocket socket(address);
    socket.Send(bytes);
    return socket.ReadAll();
  };
  const std::string get = "GET /version HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n";
  EXPECT_EQ(ask(addresses[0], get), "");
  EXPECT_EQ(ask(addresses[1], get).substr(0, 15), "HTTP/1.1 200 OK");
  EXPECT_EQ(ask(addresses[1], "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"), "");
  auto maintenance = etcdserverpb::Maintenance::NewStub(
      grpc::CreateChannel(addresses[0], grpc::InsecureChannelCredentials()));
  grpc::ClientContext context;
  etcdserverpb::StatusResponse response;
  EXPECT_TRUE(maintenance->Status(&context, etcdserverpb::StatusRequest(), &response).ok());
}

TEST(FrontEndListenTest, UnixSocketsServeToo) {
  const std::string path =
      testing::TempDir() + "front_end_test." + std::to_string(getpid()) + ".sock";
  FakeServer server;
  FrontEndOptions options;
  options.client_urls = {"unix://" + path, "http://localhost:0"};
  auto front_end = std::move(FrontEnd::Listen(options)).value();
  ASSERT_TRUE(front_end->Start(&server).ok());
  for (const std::string& target : {"unix:" + path, front_end->addresses()[1]}) {
    auto maintenance = etcdserverpb::Maintenance::NewStub(
        grpc::CreateChannel(target, grpc::InsecureChannelCredentials()));
    grpc::ClientContext context;
    etcdserverpb::StatusResponse response;
    EXPECT_TRUE(maintenance->Status(&context, etcdserverpb::StatusRequest(), &response).ok());
  }
}

}  // namespace
}  // namespace kvorum::api
