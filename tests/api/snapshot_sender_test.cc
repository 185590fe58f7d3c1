#include "api/grpc/snapshot_sender.h"

#include <gmock/gmock.h>

#include <memory>
#include <string>
#include <vector>

#include "api/grpc/maintenance_service.h"
#include "base/sha256.h"
#include "proto/rpc.grpc.pb.h"
#include "tests/api/front_end_fixture.h"

namespace kvorum::api {
namespace {

using etcdserverpb::SnapshotResponse;
using grpc::StatusCode;
using server::Error;

constexpr char kBusyText[] = "etcdserver: too many requests";
constexpr uint64_t kHugeBytes = uint64_t{1} << 40;  // more than a test can have sent

TEST(SnapshotPatienceTest, HundredMebibytesASecondAndHalfAMinuteAtLeast) {
  EXPECT_EQ(SnapshotPatience(0), std::chrono::seconds(30));
  EXPECT_EQ(SnapshotPatience(uint64_t{3000} << 20), std::chrono::seconds(30));
  EXPECT_EQ(SnapshotPatience(uint64_t{8000} << 20), std::chrono::seconds(80));
}

class SnapshotSenderTest : public FrontEndTest {
 protected:
  using Reader = grpc::ClientReader<SnapshotResponse>;

  void SetUp() override {
    FrontEndTest::SetUp();
    maintenance_ = etcdserverpb::Maintenance::NewStub(NewChannel());
  }
  std::unique_ptr<Reader> Open(grpc::ClientContext* context) {
    return maintenance_->Snapshot(context, etcdserverpb::SnapshotRequest());
  }
  grpc::Status Fetch(std::vector<SnapshotResponse>* messages) {
    grpc::ClientContext context;
    const auto stream = Open(&context);
    SnapshotResponse message;
    while (stream->Read(&message)) messages->push_back(message);
    return stream->Finish();
  }
  std::vector<std::pair<uint64_t, size_t>> RemainingAndSize() {
    std::vector<SnapshotResponse> messages;
    const grpc::Status status = Fetch(&messages);
    EXPECT_TRUE(status.ok()) << status.error_message();
    std::vector<std::pair<uint64_t, size_t>> shapes;
    Sha256 sum;
    for (const SnapshotResponse& message : messages) {
      EXPECT_EQ(message.version(), "3.7.0");
      shapes.emplace_back(message.remaining_bytes(), message.blob().size());
      if (shapes.size() < messages.size()) sum.Update(message.blob());
    }
    EXPECT_EQ(messages.back().blob(), sum.Finish());
    return shapes;
  }

  std::unique_ptr<etcdserverpb::Maintenance::Stub> maintenance_;
};

TEST_F(SnapshotSenderTest, PiecesCountDownAndTheChecksumIsLast) {
  using Shapes = std::vector<std::pair<uint64_t, size_t>>;
  server_.database_bytes = 2 * kSnapshotPieceBytes + 4096;
  EXPECT_EQ(RemainingAndSize(), (Shapes{{36864, 32768}, {4096, 32768}, {0, 4096}, {0, 32}}));
  server_.database_bytes = kSnapshotPieceBytes;
  EXPECT_EQ(RemainingAndSize(), (Shapes{{0, 32768}, {0, 32}}));
  server_.AwaitExports(0);
}

TEST_F(SnapshotSenderTest, ManyBatchesArriveWholeAfterManyStepsOfPlanning) {
  server_.database_bytes = 5 * kSnapshotBatchBytes + kSnapshotPieceBytes;
  server_.database_plan_steps = 9;
  EXPECT_EQ(RemainingAndSize().size(), 5 * 8 + 2u);
  EXPECT_EQ(server_.pool_runs(), 9 + 6 + 1) << "all that touches the disk is the pool's";
}

TEST_F(SnapshotSenderTest, LearnersServeIt) {
  server_.learner = true;
  server_.database_bytes = 4096;
  EXPECT_EQ(RemainingAndSize().size(), 2u);
}

TEST_F(SnapshotSenderTest, LogSaysWhatIsSent) {
  server_.database_bytes = 40960;
  testing::internal::CaptureStderr();
  RemainingAndSize();
  server_.AwaitExports(0);
  const std::string log = testing::internal::GetCapturedStderr();
  EXPECT_THAT(log, testing::HasSubstr(R"("msg":"sending database snapshot to client",)"
                                      R"("total-bytes":40960,"size":"41 kB",)"
                                      R"("storage-version":"3.7.0")"));
  EXPECT_THAT(log, testing::HasSubstr(R"("msg":"sending database sha256 checksum to client",)"
                                      R"("total-bytes":40960,"checksum-size":32)"));
  EXPECT_THAT(log, testing::HasSubstr(R"("msg":"successfully sent database snapshot to client",)"
                                      R"("total-bytes":40960,"size":"41 kB","took":")"));
}

TEST_F(SnapshotSenderTest, FaultsWhilePlanningAndWhileReadingEndTheStream) {
  std::vector<SnapshotResponse> messages;
  server_.read_error = Error::kInternal;
  EXPECT_EQ(Fetch(&messages).error_code(), ToStatus(Error::kInternal).error_code());
  server_.read_error = Error::kOk;
  server_.database_bytes = 4 * kSnapshotBatchBytes;
  server_.readable_bytes = 2 * kSnapshotBatchBytes + kSnapshotPieceBytes;
  EXPECT_EQ(Fetch(&messages).error_code(), ToStatus(Error::kInternal).error_code());
  EXPECT_EQ(messages.size(), 16u) << "no checksum";
  server_.AwaitExports(0);
}

TEST_F(SnapshotSenderTest, FullReadPoolRefuses) {
  server_.database_bytes = 4096;
  server_.pool_full = true;
  std::vector<SnapshotResponse> messages;
  EXPECT_STATUS(Fetch(&messages), StatusCode::UNKNOWN, kBusyText);
  EXPECT_TRUE(messages.empty());
}

TEST_F(SnapshotSenderTest, ClientsPaceTheReadingAndTakeItWithThemWhenTheyGo) {
  server_.database_bytes = kHugeBytes;
  grpc::ClientContext context;
  const auto stream = Open(&context);
  SnapshotResponse message;
  for (int i = 0; i < 100; ++i) ASSERT_TRUE(stream->Read(&message));
  server_.AwaitExports(1);
  context.TryCancel();
  while (stream->Read(&message)) continue;
  EXPECT_EQ(stream->Finish().error_code(), StatusCode::CANCELLED);
  server_.AwaitExports(0);
  EXPECT_LT(server_.database_read_bytes, uint64_t{64} << 20);
}

TEST_F(SnapshotSenderTest, GoneClientsEndThePlanning) {
  server_.database_plan_steps = 0;  // never done
  grpc::ClientContext context;
  const auto stream = Open(&context);
  server_.AwaitExports(1);
  context.TryCancel();
  EXPECT_EQ(stream->Finish().error_code(), StatusCode::CANCELLED);
  server_.AwaitExports(0);
}

TEST_F(SnapshotSenderTest, DeadlineEndsATransferThatNobodyReads) {
  server_.database_bytes = kHugeBytes;
  grpc::ClientContext context;
  context.set_deadline(std::chrono::system_clock::now() + std::chrono::milliseconds(300));
  const auto stream = Open(&context);
  EXPECT_EQ(stream->Finish().error_code(), StatusCode::DEADLINE_EXCEEDED);
  server_.AwaitExports(0);
}

TEST_F(SnapshotSenderTest, NoMoreThanAFewAtOnce) {
  server_.database_bytes = kHugeBytes;
  grpc::ClientContext contexts[kMaxSnapshots];
  std::vector<std::unique_ptr<Reader>> streams;
  for (grpc::ClientContext& context : contexts) streams.push_back(Open(&context));
  server_.AwaitExports(kMaxSnapshots);
  std::vector<SnapshotResponse> messages;
  EXPECT_STATUS(Fetch(&messages), StatusCode::UNKNOWN, kBusyText);
  for (grpc::ClientContext& context : contexts) context.TryCancel();
  for (const auto& stream : streams) stream->Finish();
  server_.AwaitExports(0);
}

TEST_F(SnapshotSenderTest, StopOfTheMemberEndsTheTransfer) {
  server_.database_bytes = kHugeBytes;
  grpc::ClientContext context;
  const auto stream = Open(&context);
  SnapshotResponse message;
  ASSERT_TRUE(stream->Read(&message));
  front_end_->Shutdown(std::chrono::seconds(1));
  while (stream->Read(&message)) continue;
  EXPECT_FALSE(stream->Finish().ok());
  server_.AwaitExports(0);
}

}  // namespace
}  // namespace kvorum::api
