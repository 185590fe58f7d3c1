#include <gtest/gtest.h>

#include <memory>
#include <string>

#include "api/grpc/watch_queue.h"
#include "proto/rpc.grpc.pb.h"
#include "tests/api/front_end_fixture.h"

namespace kvorum::api {
namespace {

using etcdserverpb::WatchRequest;
using etcdserverpb::WatchResponse;
using grpc::StatusCode;

mvcc::WatchResponse EventResponse(int64_t watch_id, int64_t revision, size_t value_bytes = 1) {
  mvccpb::KeyValue kv;
  kv.set_key("k");
  kv.set_value(std::string(value_bytes, 'v'));
  kv.set_mod_revision(revision);
  mvcc::WatchResponse response;
  response.watch_id = watch_id;
  response.revision = Revision(revision);
  response.events.emplace_back().kv = SharedBytes(kv.SerializeAsString());
  return response;
}

class WatchServiceTest : public FrontEndTest {
 protected:
  void SetUp() override {
    FrontEndTest::SetUp();
    watch_ = etcdserverpb::Watch::NewStub(NewChannel());
    stream_ = watch_->Watch(&context_);
  }
  void TearDown() override {
    context_.TryCancel();
    FrontEndTest::TearDown();
  }
  WatchResponse Read() {
    WatchResponse response;
    EXPECT_TRUE(stream_->Read(&response));
    return response;
  }
  WatchResponse Create(const std::string& key, int64_t start_revision = 0) {
    WatchRequest request;
    request.mutable_create_request()->set_key(key);
    request.mutable_create_request()->set_start_revision(start_revision);
    EXPECT_TRUE(stream_->Write(request));
    return Read();
  }

  std::unique_ptr<etcdserverpb::Watch::Stub> watch_;
  grpc::ClientContext context_;
  std::unique_ptr<grpc::ClientReaderWriter<WatchRequest, WatchResponse>> stream_;
};

TEST_F(WatchServiceTest, CreateIsAnsweredWithAFullHeader) {
  const WatchResponse first = Create("a");
  EXPECT_TRUE(first.created());
  EXPECT_EQ(first.watch_id(), 0);
  EXPECT_EQ(first.header().revision(), 5);
  EXPECT_EQ(first.header().cluster_id(), 9u);
  EXPECT_EQ(first.header().raft_term(), 3u);
  EXPECT_EQ(Create("b").watch_id(), 1);
}

TEST_F(WatchServiceTest, EveryFieldOfACreateReachesTheStage) {
  WatchRequest request;
  auto* create = request.mutable_create_request();
  create->set_key("a");
  create->set_range_end("b");
  create->set_start_revision(3);
  create->set_watch_id(77);
  create->set_prev_kv(true);
  create->set_progress_notify(true);
  create->set_fragment(true);
  create->add_filters(etcdserverpb::WatchCreateRequest::NODELETE);
  create->add_filters(static_cast<etcdserverpb::WatchCreateRequest::FilterType>(9));
  ASSERT_TRUE(stream_->Write(request));
  EXPECT_EQ(Read().watch_id(), 77);
  const mvcc::WatchCreate seen = server_.watches.creates().at(0);
  EXPECT_EQ(seen.key, "a");
  EXPECT_EQ(seen.range_end, "b");
  EXPECT_EQ(seen.start_revision, Revision(3));
  EXPECT_TRUE(seen.prev_kv && seen.progress_notify && seen.fragment && seen.no_delete);
  EXPECT_FALSE(seen.no_put);
}

TEST_F(WatchServiceTest, AFailedCreateLeavesTheStreamOpen) {
  const WatchResponse failed = Create("a", -1);
  EXPECT_TRUE(failed.created());
  EXPECT_TRUE(failed.canceled());
  EXPECT_EQ(failed.watch_id(), -1);
  EXPECT_EQ(failed.cancel_reason(), "etcdserver: mvcc: required revision has been compacted");
  EXPECT_TRUE(Create("a").created());
}

TEST_F(WatchServiceTest, EventsArriveInOrder) {
  Create("k");
  for (int64_t revision = 6; revision < 106; ++revision) {
    ASSERT_TRUE(server_.watches.Send(EventResponse(0, revision)));
  }
  for (int64_t revision = 6; revision < 106; ++revision) {
    const WatchResponse response = Read();
    EXPECT_EQ(response.header().revision(), revision);
    ASSERT_EQ(response.events_size(), 1);
    EXPECT_EQ(response.events(0).kv().mod_revision(), revision);
  }
}

// The first message carries the initial metadata: it must leave even if more is queued behind it.
TEST_F(WatchServiceTest, ResponsesQueuedBeforeTheFirstIsWrittenAllArrive) {
  server_.watches.AwaitStreams(1);
  for (int64_t revision = 6; revision < 106; ++revision) {
    ASSERT_TRUE(server_.watches.Send(EventResponse(0, revision)));
  }
  for (int64_t revision = 6; revision < 106; ++revision) {
    EXPECT_EQ(Read().header().revision(), revision);
  }
}

TEST_F(WatchServiceTest, CancelAndProgress) {
  Create("k");
  WatchRequest request;
  request.mutable_progress_request();
  ASSERT_TRUE(stream_->Write(request));
  EXPECT_EQ(Read().watch_id(), -1);
  request.mutable_cancel_request()->set_watch_id(9999);  // unknown to the stage: no answer
  ASSERT_TRUE(stream_->Write(request));
  request.mutable_cancel_request()->set_watch_id(0);
  ASSERT_TRUE(stream_->Write(request));
  const WatchResponse canceled = Read();
  EXPECT_TRUE(canceled.canceled());
  EXPECT_EQ(canceled.watch_id(), 0);
}

TEST_F(WatchServiceTest, AnEmptyRequestIsIgnored) {
  ASSERT_TRUE(stream_->Write(WatchRequest()));
  EXPECT_TRUE(Create("k").created());
}

TEST_F(WatchServiceTest, CompactionCancelHasNoRevisionInItsHeader) {
  Create("k");
  mvcc::WatchResponse response;
  response.canceled = true;
  response.compact_revision = Revision(4);
  ASSERT_TRUE(server_.watches.Send(std::move(response)));
  const WatchResponse canceled = Read();
  EXPECT_EQ(canceled.compact_revision(), 4);
  EXPECT_EQ(canceled.header().revision(), 0);
  EXPECT_EQ(canceled.header().cluster_id(), 9u);
}

TEST_F(WatchServiceTest, WatchesOutliveTheClientsHalfClose) {
  Create("k");
  ASSERT_TRUE(stream_->WritesDone());
  ASSERT_TRUE(server_.watches.Send(EventResponse(0, 6)));
  EXPECT_EQ(Read().header().revision(), 6);
  context_.TryCancel();
  EXPECT_EQ(stream_->Finish().error_code(), StatusCode::CANCELLED);
  server_.watches.AwaitStreams(0);
}

TEST_F(WatchServiceTest, AClientThatIsGoneIsForgotten) {
  Create("k");
  context_.TryCancel();
  server_.watches.AwaitStreams(0);
}

TEST_F(WatchServiceTest, AStalledReaderFillsItsQueueAndNoMore) {
  Create("k");
  constexpr size_t kValueBytes = 256 << 10;
  int accepted = 0;
  while (server_.watches.Send(EventResponse(0, 6 + accepted, kValueBytes))) {
    ASSERT_LT(++accepted, 1000);
  }
  EXPECT_GE(accepted, kWatchQueueBytes / static_cast<int64_t>(kValueBytes) - 1);
  for (int i = 0; i < accepted; ++i) EXPECT_EQ(Read().header().revision(), 6 + i);
  server_.watches.AwaitRoom();
  EXPECT_TRUE(server_.watches.Send(EventResponse(0, 6 + accepted)));
}

TEST_F(WatchServiceTest, AStalledReaderIsCutOffWhenTheServerStops) {
  Create("k");
  int accepted = 0;
  while (server_.watches.Send(EventResponse(0, 6 + accepted, 256 << 10))) ++accepted;
  front_end_->Shutdown(std::chrono::milliseconds(100));
  server_.watches.AwaitStreams(0);
}

TEST_F(WatchServiceTest, OpenStreamsEndWhenTheServerStops) {
  Create("k");
  front_end_->Shutdown(std::chrono::seconds(5));
  WatchResponse response;
  EXPECT_FALSE(stream_->Read(&response));
  EXPECT_STATUS(stream_->Finish(), StatusCode::UNAVAILABLE, "etcdserver: server stopped");
}

TEST_F(WatchServiceTest, AClientThatOnlyAsksIsReadNoFurther) {
  // Answers are small: what bounds them is the flow control of the connection, so it is enough that
  // all are answered in the end and none is lost.
  WatchRequest request;
  request.mutable_progress_request();
  constexpr int kRequests = 2000;
  for (int i = 0; i < kRequests; ++i) ASSERT_TRUE(stream_->Write(request));
  for (int i = 0; i < kRequests; ++i) EXPECT_EQ(Read().watch_id(), -1);
}

TEST_F(WatchServiceTest, AStageThatAnswersNoMoreHoldsNobodyUp) {
  Create("k");
  server_.watches.mute = true;
  WatchRequest request;
  request.mutable_progress_request();
  for (int i = 0; i < 100; ++i) ASSERT_TRUE(stream_->Write(request));
  context_.TryCancel();
  server_.watches.AwaitStreams(0);
}

TEST_F(WatchServiceTest, StreamsThatWantALeaderEndWithoutOne) {
  grpc::ClientContext context;
  context.AddMetadata("hasleader", "true");
  auto stream = watch_->Watch(&context);
  WatchRequest request;
  request.mutable_create_request()->set_key("k");
  ASSERT_TRUE(stream->Write(request));
  WatchResponse response;
  ASSERT_TRUE(stream->Read(&response));
  server_.leader = false;
  EXPECT_FALSE(stream->Read(&response));
  EXPECT_STATUS(stream->Finish(), StatusCode::UNAVAILABLE, "etcdserver: no leader");
  EXPECT_TRUE(Create("k").created()) << "the other stream did not ask for it";
}

}  // namespace
}  // namespace kvorum::api
