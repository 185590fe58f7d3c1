#include "api/http/gateway/gateway.h"

#include <gtest/gtest.h>

#include <string>
#include <thread>
#include <vector>

#include "api/http/gateway/routes.h"
#include "tests/api/front_end_fixture.h"
#include "tests/api/http/raw_client.h"

namespace kvorum::api {
namespace {

using server::Error;

std::string Post(const std::string& path, const std::string& body,
                 const std::string& more_headers = "") {
  return "POST " + path + " HTTP/1.1\r\nHost: x\r\n" + more_headers +
         "Content-Length: " + std::to_string(body.size()) + "\r\n\r\n" + body;
}

class GatewayTest : public FrontEndTest {
 protected:
  // The answer's head and body, on a connection of its own.
  std::string Ask(const std::string& path, const std::string& body,
                  const std::string& more_headers = "") {
    RawClient client = RawClient::Connect(address());
    client.Send(Post(path, body, "Connection: close\r\n" + more_headers));
    return client.ReadAll();
  }
  static std::string Body(const std::string& answer) {
    const size_t end = answer.find("\r\n\r\n");
    return end == std::string::npos ? answer : answer.substr(end + 4);
  }
  static std::string Status(const std::string& answer) { return answer.substr(0, 12); }
};

TEST_F(GatewayTest, AnswersAreTheServicesInJson) {
  const std::string answer = Ask("/v3/kv/put", R"({"key":"YQ==","value":"Yg=="})");
  EXPECT_EQ(Status(answer), "HTTP/1.1 200");
  EXPECT_NE(answer.find("\r\nContent-Type: application/json\r\n"), std::string::npos);
  EXPECT_NE(answer.find("\r\nGrpc-Metadata-Content-Type: application/grpc\r\n"), std::string::npos);
  EXPECT_NE(answer.find("\r\nAccess-Control-Allow-Origin: *\r\n"), std::string::npos);
  EXPECT_EQ(Body(answer),
            R"({"header":{"cluster_id":"9","member_id":"7","revision":"2","raft_term":"3"}})");
  EXPECT_EQ(server_.proposals().at(0).put().value(), "b");
}

TEST_F(GatewayTest, OldPathsAndTheFirstValueOfABody) {
  Ask("/v3beta/kv/put", "  {\"key\":\"YQ==\"} trailing");
  EXPECT_EQ(server_.proposals().at(0).put().key(), "a");
  EXPECT_EQ(Status(Ask("/v3alpha/kv/put", "{}")), "HTTP/1.1 404");
}

TEST_F(GatewayTest, Errors) {
  EXPECT_EQ(Body(Ask("/v3/kv/put", "")),
            R"({"code":3,"message":"etcdserver: key is not provided"})");
  EXPECT_EQ(Body(Ask("/v3/kv/put", "{\"key\"")), R"({"code":3,"message":"unexpected EOF"})");
  EXPECT_EQ(Body(Ask("/v3/kv/nothing", "{}")), R"({"code":5,"message":"Not Found"})");
  EXPECT_EQ(Status(Ask("/v3/kv/put/", "{}")), "HTTP/1.1 404");
  server_.propose_error = Error::kNoSpace;
  const std::string full = Ask("/v3/kv/put", R"({"key":"YQ=="})");
  EXPECT_EQ(Status(full), "HTTP/1.1 429");
  EXPECT_EQ(Body(full), R"({"code":8,"message":"etcdserver: mvcc: database space exceeded"})");
  EXPECT_EQ(full.find("Grpc-Metadata"), std::string::npos);
}

TEST_F(GatewayTest, MethodsOtherThanPost) {
  RawClient client = RawClient::Connect(address());
  client.Send("GET /v3/kv/put HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
  const std::string answer = client.ReadAll();
  EXPECT_EQ(Status(answer), "HTTP/1.1 501");
  EXPECT_EQ(Body(answer), R"({"code":12,"message":"Method Not Allowed"})");
}

TEST_F(GatewayTest, MethodsNobodyServesYet) {
  const std::string answer = Ask("/v3/lock/lock", "{}");
  EXPECT_EQ(Status(answer), "HTTP/1.1 501");
  EXPECT_EQ(Body(answer).substr(0, 10), R"({"code":12)");
}

TEST_F(GatewayTest, MetadataFromHeaders) {
  server_.leader = false;
  EXPECT_EQ(Status(Ask("/v3/kv/put", R"({"key":"YQ=="})")), "HTTP/1.1 200");
  const std::string body = R"({"key":"YQ=="})";
  EXPECT_EQ(Body(Ask("/v3/kv/put", body, "Grpc-Metadata-Hasleader: true\r\n")),
            R"({"code":14,"message":"etcdserver: no leader"})");
  server_.leader = true;
  const std::string odd =
      "Grpc-Metadata-: x\r\nGrpc-Metadata-Grpc-Timeout: 1n\r\nGrpc-Metadata-Te: x\r\n"
      "Grpc-Metadata-A!b: x\r\nGrpc-Metadata-C: \xff\r\nGrpc-Metadata-D-Bin: YQ\r\n"
      "Authorization: \xff\r\nGrpc-Metadata-Content-Type: x\r\n";
  EXPECT_EQ(Status(Ask("/v3/kv/put", body, odd)), "HTTP/1.1 200");
  EXPECT_EQ(Body(Ask("/v3/kv/put", body, "Grpc-Metadata-X-Bin: YQ!\r\n")),
            R"({"code":3,"message":"invalid binary header Grpc-Metadata-X-Bin: )"
            R"(illegal base64 data at input byte 2"})");
  EXPECT_NE(Ask("/v3/kv/put", body, "Grpc-Metadata-X-Bin: YWFhY\r\n").find("input byte 4\""),
            std::string::npos);
}

TEST_F(GatewayTest, Timeouts) {
  const std::string body = R"({"key":"YQ=="})";
  for (const std::string bad : {"1", "S", "xS", "1x", "1.5S"}) {
    EXPECT_EQ(Body(Ask("/v3/kv/put", body, "Grpc-Timeout: " + bad + "\r\n")),
              R"({"code":3,"message":"invalid grpc-timeout: )" + bad + "\"}");
  }
  for (const std::string fine : {"0n", "1H", "99999999999999999H"}) {
    EXPECT_EQ(Status(Ask("/v3/kv/put", body, "Grpc-Timeout: " + fine + "\r\n")), "HTTP/1.1 200");
  }
  const size_t proposals = server_.proposals().size();
  for (const std::string over : {"1n", "-5S"}) {
    EXPECT_EQ(Body(Ask("/v3/kv/put", body, "Grpc-Timeout: " + over + "\r\n")),
              R"({"code":4,"message":"context deadline exceeded"})");
  }
  EXPECT_EQ(server_.proposals().size(), proposals);
}

TEST_F(GatewayTest, RequestsOverTheBoundAreRefusedUnread) {
  const std::string value(8 << 20, 'A');
  const std::string answer = Ask("/v3/kv/put", "{\"key\":\"YQ==\",\"value\":\"" + value + "\"}");
  EXPECT_EQ(Status(answer), "HTTP/1.1 429");
  EXPECT_EQ(Body(answer).substr(0, 9), R"({"code":8)");
  const std::string smaller = value.substr(0, 3 << 20);
  EXPECT_EQ(Body(Ask("/v3/kv/put", "{\"key\":\"YQ==\",\"value\":\"" + smaller + "\"}")),
            R"({"code":8,"message":"grpc: received message larger than max )"
            "(2359304 vs. 2097152)\"}");
}

TEST_F(GatewayTest, AWatchOverABodyThatKeepsComing) {
  RawClient client = RawClient::Connect(address());
  client.Send("POST /v3/watch HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n");
  const auto send = [&](const std::string& json) {
    char size[16];
    std::snprintf(size, sizeof(size), "%zx\r\n", json.size());
    client.Send(size + json + "\r\n");
  };
  send(R"({"create_request":{"key":"YQ=="}})");
  EXPECT_EQ(Body(client.ReadUntil("true}}\n")).substr(4),
            R"({"result":{"header":{"cluster_id":"9","member_id":"7","revision":"5",)"
            R"("raft_term":"3"},"created":true}})"
            "\n");
  send(R"({"create_request":{"key":"YQ)");
  send(R"(=="}}{"cancel_request":{"watch_id":0}})");
  EXPECT_NE(client.ReadUntil("true}}\n").find(R"("watch_id":"1","created":true)"),
            std::string::npos);
  EXPECT_NE(client.ReadUntil("true}}\n").find(R"("canceled":true)"), std::string::npos);
}

TEST_F(GatewayTest, AWatchStaysOpenBehindItsBodyAndEndsWithItsConnection) {
  {
    RawClient client = RawClient::Connect(address());
    client.Send(Post("/v3/watch", R"({"create_request":{"key":"aw=="}})"));
    client.ReadUntil("true}}\n");
    mvcc::WatchResponse response;
    response.revision = Revision(6);
    mvccpb::KeyValue kv;
    kv.set_key("k");
    kv.set_mod_revision(6);
    response.events.emplace_back().kv = SharedBytes(kv.SerializeAsString());
    ASSERT_TRUE(server_.watches.Send(response));
    EXPECT_NE(
        client.ReadUntil("}]}}\n").find(R"("events":[{"kv":{"key":"aw==","mod_revision":"6"}}])"),
        std::string::npos);
  }
  server_.watches.AwaitStreams(0);
}

TEST_F(GatewayTest, NonsenseInAWatchIsNotAnsweredAndHarmsNobody) {
  RawClient empty = RawClient::Connect(address());
  empty.Send(Post("/v3/watch", ""));
  RawClient malformed = RawClient::Connect(address());
  malformed.Send(Post("/v3/watch", R"({"create_request":[]} {"create_request":{}})"));
  server_.watches.AwaitStreams(2);
  EXPECT_TRUE(server_.watches.creates().empty());
  EXPECT_EQ(Status(Ask("/v3/kv/put", R"({"key":"YQ=="})")), "HTTP/1.1 200");
}

TEST_F(GatewayTest, KeepAliveAnswersEachRequestAndEnds) {
  const std::string answer = Ask("/v3/lease/keepalive", R"({"ID":1}{"ID":"2"})");
  EXPECT_EQ(Status(answer), "HTTP/1.1 200");
  EXPECT_NE(answer.find(R"("ID":"1")"), std::string::npos);
  EXPECT_NE(answer.find(R"("ID":"2")"), std::string::npos);
  EXPECT_EQ(answer.substr(answer.size() - 7), "\r\n0\r\n\r\n");
  const std::string none = Ask("/v3/lease/keepalive", "");
  EXPECT_EQ(Status(none), "HTTP/1.1 200");
  EXPECT_EQ(none.find("Content-Type"), std::string::npos);
  server_.renew_error = Error::kNoLeader;
  const std::string failed = Ask("/v3/lease/keepalive", R"({"ID":1})");
  EXPECT_EQ(Status(failed), "HTTP/1.1 503");
  EXPECT_NE(failed.find("{\"error\":{\"code\":14,\"message\":\"etcdserver: no leader\"}}\n"),
            std::string::npos);
}

TEST_F(GatewayTest, ShutdownEndsWatchesAndLetsCallsFinish) {
  RawClient watch = RawClient::Connect(address());
  watch.Send(Post("/v3/watch", R"({"create_request":{"key":"aw=="}})"));
  watch.ReadUntil("true}}\n");
  server_.hold = true;
  RawClient put = RawClient::Connect(address());
  put.Send(Post("/v3/kv/put", R"({"key":"YQ=="})"));
  server_.AwaitHeld(1);
  std::thread stopper([this] { front_end_->Shutdown(std::chrono::seconds(20)); });
  EXPECT_NE(watch.ReadAll().find(
                "{\"error\":{\"code\":14,\"message\":\"etcdserver: server stopped\"}}\n"),
            std::string::npos);
  server_.Release();
  EXPECT_EQ(Status(put.ReadAll()), "HTTP/1.1 200");
  stopper.join();
}

TEST_F(GatewayTest, AClientThatDoesNotReadDoesNotHoldUpTheEnd) {
  server_.hold = true;
  RawClient client = RawClient::Connect(address());
  client.Send("POST /v3/kv/put HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\n{");
  RawClient slow = RawClient::Connect(address());
  slow.Send("POST /v3/watch HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\n{");
  server_.watches.AwaitStreams(1);
  front_end_->Shutdown(std::chrono::milliseconds(10));
  server_.Stop();
  front_end_->Join();
}

class LimitedGatewayTest : public GatewayTest {
 protected:
  LimitedGatewayTest() { options_.max_concurrent_streams = 1; }
};

TEST_F(LimitedGatewayTest, WhoComesLaterWaits) {
  RawClient later = RawClient::Connect(address());
  {
    RawClient watch = RawClient::Connect(address());
    watch.Send(Post("/v3/watch", R"({"create_request":{"key":"aw=="}})"));
    watch.ReadUntil("true}}\n");
    later.Send(Post("/v3/kv/put", R"({"key":"YQ=="})"));
    EXPECT_TRUE(server_.proposals().empty());
  }
  EXPECT_EQ(Status(later.ReadUntil("\r\n\r\n")), "HTTP/1.1 200");
}

TEST_F(LimitedGatewayTest, ACallOfAClientThatIsGoneIsGivenUp) {
  server_.hold = true;
  {
    RawClient client = RawClient::Connect(address());
    client.Send(Post("/v3/kv/put", R"({"key":"YQ=="})"));
    server_.AwaitHeld(1);
  }
  EXPECT_EQ(Status(Ask("/v3/kv/range", R"({"key":"YQ=="})")), "HTTP/1.1 200");
  server_.Release();
}

class SmallGatewayTest : public GatewayTest {
 protected:
  SmallGatewayTest() { options_.gateway_memory_bytes = 100000; }
};

TEST_F(SmallGatewayTest, BodiesTogetherAreBounded) {
  const std::string large(60000, 'A');
  const std::string body = "{\"key\":\"YQ==\",\"value\":\"" + large + "\"}";
  EXPECT_EQ(Status(Ask("/v3/kv/put", body)), "HTTP/1.1 200");
  {
    // Which of the two the server reads first is its own affair; if it was the put, the watch is
    // the one refused, and does not hold its bytes.
    std::vector<RawClient> watches;
    std::string answer;
    while (Status(answer) != "HTTP/1.1 429") {
      watches.clear();
      watches.push_back(RawClient::Connect(address()));
      watches[0].Send("POST /v3/watch HTTP/1.1\r\nHost: x\r\nContent-Length: 99999\r\n\r\n{\"" +
                      large);
      answer = Ask("/v3/kv/put", body);
    }
    EXPECT_EQ(Body(answer), R"({"code":8,"message":"etcdserver: too many requests"})");
    EXPECT_EQ(Status(Ask("/v3/kv/put", R"({"key":"YQ=="})")), "HTTP/1.1 200");
  }
  std::string answer;
  while (Status(answer) != "HTTP/1.1 200") answer = Ask("/v3/kv/put", body);
}

class NoGatewayTest : public GatewayTest {
 protected:
  NoGatewayTest() { options_.json_gateway = false; }
};

TEST_F(NoGatewayTest, ItsPathsAreUnknown) {
  for (const std::string path : {"/v3/kv/put", "/v3beta/kv/put", "/v3/"}) {
    const std::string answer = Ask(path, "{}");
    EXPECT_EQ(Status(answer), "HTTP/1.1 404");
    EXPECT_EQ(Body(answer), "404 page not found\n");
  }
}

TEST(GatewayRoutesTest, TheTableIsThatOfTheProtoFiles) {
  const GatewayRoutes routes = MakeGatewayRoutes();
  EXPECT_EQ(routes.size(), 51u);
  EXPECT_EQ(routes.at("/v3/kv/lease/revoke").method, "/etcdserverpb.Lease/LeaseRevoke");
  EXPECT_EQ(routes.at("/v3/lease/revoke").method, "/etcdserverpb.Lease/LeaseRevoke");
  EXPECT_EQ(routes.at("/v3/election/observe").method, "/v3electionpb.Election/Observe");
  EXPECT_FALSE(routes.contains("/v3/kv/rangestream"));
}

}  // namespace
}  // namespace kvorum::api
