// What becomes of a call whose deadline passes, before clients that leave it to the server to
// notice.

#include <grpcpp/generic/generic_stub.h>
#include <gtest/gtest.h>

#include <memory>
#include <string>

#include "api/grpc/wire.h"
#include "proto/rpc.grpc.pb.h"
#include "tests/api/front_end_fixture.h"

namespace kvorum::api {
namespace {

using grpc::StatusCode;
using NextStatus = grpc::CompletionQueue::NextStatus;

constexpr char kExceeded[] = "context deadline exceeded";

class DeadlineTest : public FrontEndTest {
 protected:
  void SetUp() override {
    FrontEndTest::SetUp();
    grpc::ChannelArguments arguments;
    arguments.SetInt(GRPC_ARG_USE_LOCAL_SUBCHANNEL_POOL, 1);
    arguments.SetInt(GRPC_ARG_ENABLE_DEADLINE_CHECKS, 0);
    arguments.SetMaxReceiveMessageSize(-1);
    channel_ = grpc::CreateCustomChannel(address(), grpc::InsecureChannelCredentials(), arguments);
    context_.set_deadline(After(std::chrono::milliseconds(100)));
  }
  static std::chrono::system_clock::time_point After(Duration duration) {
    return std::chrono::system_clock::now() +
           std::chrono::duration_cast<std::chrono::microseconds>(duration);
  }

  std::shared_ptr<grpc::Channel> channel_;
  grpc::ClientContext context_;
};

// A call of which nothing is read before the test says so.
class SlowReader {
 public:
  SlowReader(const std::shared_ptr<grpc::Channel>& channel, grpc::ClientContext* context,
             const std::string& method)
      : stub_(channel), call_(stub_.PrepareCall(context, method, &queue_)) {}
  ~SlowReader() {
    queue_.Shutdown();
    void* tag = nullptr;
    bool ok = false;
    while (queue_.Next(&tag, &ok)) {
    }
  }

  void Send(const google::protobuf::MessageLite& request) {
    call_->StartCall(this);
    EXPECT_TRUE(Next());
    call_->WriteLast(Encode(request), grpc::WriteOptions(), this);
    EXPECT_TRUE(Next());
  }
  // Blocks that long; no operation is under way, so nothing comes.
  void Rest(Duration duration) {
    void* tag = nullptr;
    bool ok = false;
    EXPECT_EQ(queue_.AsyncNext(&tag, &ok, std::chrono::system_clock::now() + duration),
              NextStatus::TIMEOUT);
  }
  bool Read(grpc::ByteBuffer* message) {
    call_->Read(message, this);
    return Next();
  }
  grpc::Status Finish() {
    grpc::Status status;
    call_->Finish(&status, this);
    Next();
    return status;
  }

 private:
  bool Next() {
    void* tag = nullptr;
    bool ok = false;
    EXPECT_TRUE(queue_.Next(&tag, &ok));
    return ok;
  }

  grpc::CompletionQueue queue_;
  grpc::GenericStub stub_;
  std::unique_ptr<grpc::GenericClientAsyncReaderWriter> call_;
};

// The status of a call ended in the middle of its message is an error to etcd's clients, another
// than that of a deadline.
TEST_F(DeadlineTest, AMessageOnItsWayIsNotCutOff) {
  constexpr int kRows = 24;  // of a MiB: more than the client's window takes
  const auto kv = etcdserverpb::KV::NewStub(NewChannel());
  for (int i = 0; i < kRows; ++i) {
    etcdserverpb::PutRequest put;
    put.set_key("k" + std::to_string(i));
    put.set_value(std::string(1 << 20, 'v'));
    grpc::ClientContext context;
    etcdserverpb::PutResponse ignored;
    ASSERT_TRUE(kv->Put(&context, put, &ignored).ok());
  }
  etcdserverpb::RangeRequest everything;
  everything.set_key(std::string(1, '\0'));
  everything.set_range_end(std::string(1, '\0'));
  context_.set_deadline(After(std::chrono::milliseconds(200)));
  SlowReader call(channel_, &context_, "/etcdserverpb.KV/Range");
  call.Send(everything);
  call.Rest(std::chrono::milliseconds(500));

  grpc::ByteBuffer message;
  ASSERT_TRUE(call.Read(&message));
  EXPECT_GT(message.Length(), static_cast<size_t>(kRows) << 20);
  EXPECT_TRUE(call.Finish().ok());
}

TEST_F(DeadlineTest, EndsAWatch) {
  const auto watch = etcdserverpb::Watch::NewStub(channel_);
  const auto stream = watch->Watch(&context_);
  etcdserverpb::WatchRequest create;
  create.mutable_create_request()->set_key("k");
  stream->Write(create);
  etcdserverpb::WatchResponse response;
  while (stream->Read(&response)) {
  }
  EXPECT_STATUS(stream->Finish(), StatusCode::DEADLINE_EXCEEDED, kExceeded);
}

TEST_F(DeadlineTest, EndsAKeepAlive) {
  const auto lease = etcdserverpb::Lease::NewStub(channel_);
  const auto stream = lease->LeaseKeepAlive(&context_);
  etcdserverpb::LeaseKeepAliveResponse response;
  while (stream->Read(&response)) {
  }
  EXPECT_STATUS(stream->Finish(), StatusCode::DEADLINE_EXCEEDED, kExceeded);
}

TEST_F(DeadlineTest, EndsTheWaitForADefragmentation) {
  server_.hold = true;
  const auto maintenance = etcdserverpb::Maintenance::NewStub(channel_);
  etcdserverpb::DefragmentResponse response;
  EXPECT_STATUS(maintenance->Defragment(&context_, etcdserverpb::DefragmentRequest(), &response),
                StatusCode::DEADLINE_EXCEEDED, kExceeded);
  server_.AwaitHeldAtMost(0);
}

TEST_F(DeadlineTest, LeavesACallThatEndedBeforeItAlone) {
  context_.set_deadline(After(std::chrono::hours(1)));
  const auto maintenance = etcdserverpb::Maintenance::NewStub(channel_);
  etcdserverpb::DefragmentResponse response;
  EXPECT_TRUE(
      maintenance->Defragment(&context_, etcdserverpb::DefragmentRequest(), &response).ok());
  grpc::ClientContext context;
  context.set_deadline(After(std::chrono::hours(1)));
  const auto stream = etcdserverpb::Lease::NewStub(channel_)->LeaseKeepAlive(&context);
  stream->WritesDone();
  EXPECT_TRUE(stream->Finish().ok());
}

}  // namespace
}  // namespace kvorum::api
