// What careless and hostile clients send to a real member's port: each gets etcd's code and text,
// and the member goes on serving.

#include <arpa/inet.h>
#include <gmock/gmock.h>
#include <grpcpp/generic/generic_stub.h>
#include <grpcpp/grpcpp.h>
#include <gtest/gtest.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <string>

#include "proto/rpc.grpc.pb.h"
#include "tests/e2e/process.h"

namespace kvorum::e2e {
namespace {

using etcdserverpb::KV;
using etcdserverpb::Lease;
using etcdserverpb::Watch;

constexpr char kHttp2Preface[] = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";

// A plain TCP connection to the client port.
class RawConnection {
 public:
  explicit RawConnection(int port) : fd_(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    sockaddr_in address = {};
    address.sin_family = AF_INET;
    address.sin_port = htons(static_cast<uint16_t>(port));
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    EXPECT_EQ(connect(fd_, reinterpret_cast<sockaddr*>(&address), sizeof(address)), 0);
  }
  ~RawConnection() { close(fd_); }

  void Send(std::string_view bytes) {
    EXPECT_EQ(send(fd_, bytes.data(), bytes.size(), MSG_NOSIGNAL),
              static_cast<ssize_t>(bytes.size()));
  }
  // Everything until the peer closes or `text` was seen or ten seconds have passed.
  std::string ReadUntil(std::string_view text) {
    std::string got;
    char buffer[4096];
    pollfd readable = {fd_, POLLIN, 0};
    while (got.find(text) == std::string::npos && poll(&readable, 1, 10000) > 0) {
      const ssize_t n = recv(fd_, buffer, sizeof(buffer), 0);
      if (n <= 0) break;
      got.append(buffer, static_cast<size_t>(n));
    }
    return got;
  }

 private:
  int fd_;
};

class BadInputTest : public ::testing::Test {
 protected:
  template <typename Request, typename Response, typename Method>
  grpc::Status Call(Method method, const Request& request, Response* response) {
    grpc::ClientContext context;
    context.set_deadline(std::chrono::system_clock::now() + std::chrono::seconds(20));
    return (kv_.get()->*method)(&context, request, response);
  }
  grpc::Status Put(const std::string& key, const std::string& value) {
    etcdserverpb::PutRequest request;
    request.set_key(key);
    request.set_value(value);
    etcdserverpb::PutResponse response;
    return Call(&KV::Stub::Put, request, &response);
  }
  grpc::Status Txn(const etcdserverpb::TxnRequest& request) {
    etcdserverpb::TxnResponse response;
    return Call(&KV::Stub::Txn, request, &response);
  }
  grpc::Status Range(const etcdserverpb::RangeRequest& request) {
    etcdserverpb::RangeResponse response;
    return Call(&KV::Stub::Range, request, &response);
  }
  grpc::Status Compact(int64_t revision) {
    etcdserverpb::CompactionRequest request;
    request.set_revision(revision);
    etcdserverpb::CompactionResponse response;
    return Call(&KV::Stub::Compact, request, &response);
  }
  void ExpectError(const grpc::Status& status, grpc::StatusCode code, const std::string& text) {
    EXPECT_EQ(status.error_code(), code) << status.error_message();
    EXPECT_EQ(status.error_message(), text);
  }
  void ExpectAlive() { EXPECT_TRUE(Put("alive", "yes").ok()); }

  ScratchDir dir_;
  Member member_{{.data_dir = dir_.path() + "/data"}};
  std::shared_ptr<grpc::Channel> channel_ =
      grpc::CreateChannel(member_.endpoint(), grpc::InsecureChannelCredentials());
  std::unique_ptr<KV::Stub> kv_ = KV::NewStub(channel_);
};

TEST_F(BadInputTest, AnEmptyKeyIsInvalidEverywhere) {
  const std::string text = "etcdserver: key is not provided";
  ExpectError(Put("", "v"), grpc::INVALID_ARGUMENT, text);
  ExpectError(Range({}), grpc::INVALID_ARGUMENT, text);
  etcdserverpb::TxnRequest txn;
  txn.add_success()->mutable_request_put()->set_value("v");
  ExpectError(Txn(txn), grpc::INVALID_ARGUMENT, text);
}

TEST_F(BadInputTest, ARangeThatEndsBeforeItBeginsIsEmpty) {
  ASSERT_TRUE(Put("b", "1").ok());
  etcdserverpb::RangeRequest request;
  request.set_key("c");
  request.set_range_end("a");
  etcdserverpb::RangeResponse response;
  ASSERT_TRUE(Call(&KV::Stub::Range, request, &response).ok());
  EXPECT_EQ(response.count(), 0);
}

TEST_F(BadInputTest, AnUnknownSortOrderIsRefused) {
  etcdserverpb::RangeRequest request;
  request.set_key("a");
  request.set_sort_order(static_cast<etcdserverpb::RangeRequest::SortOrder>(9));
  ExpectError(Range(request), grpc::INVALID_ARGUMENT, "etcdserver: invalid sort option");
}

TEST_F(BadInputTest, A129thOperationIsTooMany) {
  etcdserverpb::TxnRequest txn;
  for (int i = 0; i < 128; ++i) {
    txn.add_success()->mutable_request_put()->set_key("k" + std::to_string(i));
  }
  EXPECT_TRUE(Txn(txn).ok());
  txn.add_success()->mutable_request_put()->set_key("one more");
  ExpectError(Txn(txn), grpc::INVALID_ARGUMENT, "etcdserver: too many operations in txn request");
}

TEST_F(BadInputTest, AKeyPutTwiceInATxnIsRefused) {
  etcdserverpb::TxnRequest txn;
  txn.add_success()->mutable_request_put()->set_key("k");
  txn.add_success()->mutable_request_put()->set_key("k");
  ExpectError(Txn(txn), grpc::INVALID_ARGUMENT, "etcdserver: duplicate key given in txn request");
}

TEST_F(BadInputTest, RequestsOverTheLimitsAreRefused) {
  const std::string too_large(1572864 + 1, 'x');
  ExpectError(Put("k", too_large), grpc::INVALID_ARGUMENT, "etcdserver: request is too large");
  const std::string far_too_large(3 << 20, 'x');
  const grpc::Status status = Put("k", far_too_large);
  EXPECT_EQ(status.error_code(), grpc::RESOURCE_EXHAUSTED);
  EXPECT_THAT(
      status.error_message(),
      ::testing::MatchesRegex("grpc: received message larger than max \\([0-9]+ vs. 2097152\\)"));
  ExpectAlive();
}

TEST_F(BadInputTest, FutureAndCompactedRevisionsHaveTheirTexts) {
  for (int i = 0; i < 5; ++i) ASSERT_TRUE(Put("k", std::to_string(i)).ok());
  const std::string future = "etcdserver: mvcc: required revision is a future revision";
  const std::string compacted = "etcdserver: mvcc: required revision has been compacted";
  etcdserverpb::RangeRequest request;
  request.set_key("k");
  request.set_revision(1000);
  ExpectError(Range(request), grpc::OUT_OF_RANGE, future);
  ExpectError(Compact(1000), grpc::OUT_OF_RANGE, future);
  ASSERT_TRUE(Compact(4).ok());
  ExpectError(Compact(4), grpc::OUT_OF_RANGE, compacted);
  request.set_revision(3);
  ExpectError(Range(request), grpc::OUT_OF_RANGE, compacted);
}

TEST_F(BadInputTest, PutOptionsThatContradictEachOtherAreRefused) {
  etcdserverpb::PutRequest request;
  etcdserverpb::PutResponse response;
  request.set_key("absent");
  request.set_ignore_value(true);
  ExpectError(Call(&KV::Stub::Put, request, &response), grpc::INVALID_ARGUMENT,
              "etcdserver: key not found");
  request.set_value("v");
  ExpectError(Call(&KV::Stub::Put, request, &response), grpc::INVALID_ARGUMENT,
              "etcdserver: value is provided");
  request.set_ignore_value(false);
  request.set_lease(4711);
  ExpectError(Call(&KV::Stub::Put, request, &response), grpc::NOT_FOUND,
              "etcdserver: requested lease not found");
}

TEST_F(BadInputTest, AnUnknownMethodIsUnimplemented) {
  grpc::GenericStub stub(channel_);
  grpc::CompletionQueue queue;
  grpc::ClientContext context;
  grpc::ByteBuffer request, response;
  grpc::Status status;
  auto call = stub.PrepareUnaryCall(&context, "/etcdserverpb.KV/Frobnicate", request, &queue);
  call->StartCall();
  call->Finish(&response, &status, nullptr);
  void* tag;
  bool ok;
  ASSERT_TRUE(queue.Next(&tag, &ok));
  ExpectError(status, grpc::UNIMPLEMENTED, "unknown method Frobnicate for service etcdserverpb.KV");
}

TEST_F(BadInputTest, GarbageOnThePortEndsOnlyThatConnection) {
  for (int i = 0; i < 20; ++i) {
    RawConnection connection(member_.options().client_port);
    connection.Send(std::string("\x00\x01\xfe\xff garbage \x80", 16));
  }
  ExpectAlive();
}

TEST_F(BadInputTest, HalfAPrefaceHoldsNobodyUp) {
  RawConnection half(member_.options().client_port);
  half.Send(std::string_view(kHttp2Preface, 9));
  RawConnection silent(member_.options().client_port);
  ExpectAlive();
  // The rest of it, and then no HTTP/2.
  half.Send(std::string_view(kHttp2Preface + 9));
  half.Send("this is not a SETTINGS frame, whatever it looks like");
  ExpectAlive();
}

TEST_F(BadInputTest, AClientGoneInMidStreamLeavesTheMemberServing) {
  for (int i = 0; i < 10; ++i) {
    auto channel =
        grpc::CreateCustomChannel(member_.endpoint(), grpc::InsecureChannelCredentials(), [i] {
          grpc::ChannelArguments arguments;
          arguments.SetInt("connection", i);  // not shared with the others
          return arguments;
        }());
    auto watch_stub = Watch::NewStub(channel);
    auto lease_stub = Lease::NewStub(channel);
    grpc::ClientContext watch_context, lease_context;
    auto watch = watch_stub->Watch(&watch_context);
    auto keep_alive = lease_stub->LeaseKeepAlive(&lease_context);
    etcdserverpb::WatchRequest create;
    create.mutable_create_request()->set_key("alive");
    watch->Write(create);
    etcdserverpb::LeaseKeepAliveRequest renew;
    renew.set_id(12345);
    keep_alive->Write(renew);
    etcdserverpb::WatchResponse response;
    ASSERT_TRUE(watch->Read(&response));
    EXPECT_TRUE(response.created());
    ExpectAlive();
    watch_context.TryCancel();
    lease_context.TryCancel();
    EXPECT_EQ(watch->Finish().error_code(), grpc::CANCELLED);
    EXPECT_EQ(keep_alive->Finish().error_code(), grpc::CANCELLED);
  }
  ExpectAlive();
}

TEST_F(BadInputTest, HttpOnTheClientPortIsAnswered) {
  RawConnection version(member_.options().client_port);
  version.Send("GET /version HTTP/1.1\r\nHost: localhost\r\n\r\n");
  EXPECT_THAT(
      version.ReadUntil("}"),
      ::testing::HasSubstr(R"({"etcdserver":"3.7.1","etcdcluster":"3.7.0","storage":"3.7.0"})"));
  RawConnection health(member_.options().client_port);
  health.Send("GET /health HTTP/1.1\r\nHost: localhost\r\n\r\n");
  EXPECT_THAT(health.ReadUntil("}"), ::testing::HasSubstr(R"({"health":"true","reason":""})"));
  RawConnection other(member_.options().client_port);
  other.Send("GET /v2/keys HTTP/1.1\r\nHost: localhost\r\n\r\n");
  EXPECT_THAT(other.ReadUntil("not found"), ::testing::HasSubstr("404 page not found"));
}

}  // namespace
}  // namespace kvorum::e2e
