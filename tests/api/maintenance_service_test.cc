#include <grpcpp/generic/generic_stub.h>
#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <thread>

#include "api/grpc/catch_all.h"
#include "proto/election.grpc.pb.h"
#include "proto/health.grpc.pb.h"
#include "proto/lock.grpc.pb.h"
#include "proto/rpc.grpc.pb.h"
#include "tests/api/front_end_fixture.h"

namespace kvorum::api {
namespace {

using grpc::StatusCode;
using server::Error;

class MaintenanceServiceTest : public FrontEndTest {
 protected:
  void SetUp() override {
    FrontEndTest::SetUp();
    channel_ = NewChannel();
    maintenance_ = etcdserverpb::Maintenance::NewStub(channel_);
    cluster_ = etcdserverpb::Cluster::NewStub(channel_);
  }
  grpc::Status Status(etcdserverpb::StatusResponse* response) {
    grpc::ClientContext context;
    return maintenance_->Status(&context, etcdserverpb::StatusRequest(), response);
  }
  grpc::Status MemberList(bool linearizable, etcdserverpb::MemberListResponse* response) {
    etcdserverpb::MemberListRequest request;
    request.set_linearizable(linearizable);
    grpc::ClientContext context;
    return cluster_->MemberList(&context, request, response);
  }
  void AddAlarm(uint64_t member, etcdserverpb::AlarmType type) {
    server_.alarms.emplace_back().set_memberid(member);
    server_.alarms.back().set_alarm(type);
  }

  std::shared_ptr<grpc::Channel> channel_;
  std::unique_ptr<etcdserverpb::Maintenance::Stub> maintenance_;
  std::unique_ptr<etcdserverpb::Cluster::Stub> cluster_;
  grpc::ClientContext context_;
};

TEST_F(MaintenanceServiceTest, StatusHasEveryField) {
  etcdserverpb::StatusResponse response;
  ASSERT_TRUE(Status(&response).ok());
  EXPECT_EQ(response.version(), "3.7.1");
  EXPECT_EQ(response.dbsize(), 1000);
  EXPECT_EQ(response.dbsizeinuse(), 500);
  EXPECT_EQ(response.dbsizequota(), 2147483648);
  EXPECT_EQ(response.leader(), 7u);
  EXPECT_EQ(response.raftindex(), 21u);
  EXPECT_EQ(response.raftappliedindex(), 20u);
  EXPECT_EQ(response.raftterm(), 3u);
  EXPECT_EQ(response.storageversion(), "3.7.0");
  EXPECT_TRUE(response.has_downgradeinfo());
  EXPECT_EQ(response.errors_size(), 0);
  EXPECT_EQ(response.header().revision(), 1);
}

TEST_F(MaintenanceServiceTest, StatusNamesWhatIsWrong) {
  server_.leader = false;
  etcdserverpb::StatusResponse response;
  ASSERT_TRUE(Status(&response).ok());
  EXPECT_EQ(response.leader(), 0u);
  ASSERT_EQ(response.errors_size(), 1);
  EXPECT_EQ(response.errors(0), "etcdserver: no leader");
}

TEST_F(MaintenanceServiceTest, HashKv) {
  etcdserverpb::HashKVRequest request;
  etcdserverpb::HashKVResponse response;
  ASSERT_TRUE(maintenance_->HashKV(&context_, request, &response).ok());
  EXPECT_EQ(response.hash(), 42u);
  EXPECT_EQ(response.compact_revision(), -1);
  EXPECT_EQ(response.hash_revision(), 1);
  EXPECT_EQ(response.header().revision(), 1);
  EXPECT_EQ(server_.pool_runs(), 1);
  request.set_revision(99);
  grpc::ClientContext second;
  EXPECT_STATUS(maintenance_->HashKV(&second, request, &response), StatusCode::OUT_OF_RANGE,
                "etcdserver: mvcc: required revision is a future revision");
}

TEST_F(MaintenanceServiceTest, HashIsOfThePool) {
  etcdserverpb::HashResponse response;
  ASSERT_TRUE(maintenance_->Hash(&context_, etcdserverpb::HashRequest(), &response).ok());
  EXPECT_EQ(response.header().revision(), 1);
  EXPECT_EQ(response.header().member_id(), 7u);
  EXPECT_EQ(server_.pool_runs(), 1);
}

TEST_F(MaintenanceServiceTest, DefragmentAnswersWhenItIsDoneAndWithoutAHeader) {
  server_.hold = true;
  std::thread releaser([this] {
    server_.AwaitHeld(1);
    server_.Release();
  });
  etcdserverpb::DefragmentResponse response;
  EXPECT_TRUE(maintenance_->Defragment(&context_, {}, &response).ok());
  EXPECT_FALSE(response.has_header());
  releaser.join();
  server_.hold = true;
  std::thread stopper([this] {
    server_.AwaitHeld(1);
    server_.Release(Error::kStopped);
  });
  grpc::ClientContext second;
  EXPECT_STATUS(maintenance_->Defragment(&second, {}, &response), StatusCode::UNAVAILABLE,
                "etcdserver: server stopped");
  stopper.join();
}

TEST_F(MaintenanceServiceTest, AClientThatGoesAwayAbandonsItsDefragmentation) {
  server_.hold = true;
  for (int i = 0; i < 50; ++i) {
    grpc::ClientContext context;
    std::thread canceller([&] {
      server_.AwaitHeld(1);
      context.TryCancel();
    });
    etcdserverpb::DefragmentResponse response;
    EXPECT_EQ(maintenance_->Defragment(&context, {}, &response).error_code(),
              StatusCode::CANCELLED);
    canceller.join();
    server_.AwaitHeldAtMost(0);
  }
}

// Both at once, in any order: the call ends once.
TEST_F(MaintenanceServiceTest, AClientThatGoesAwayWhileItIsAnswered) {
  for (int i = 0; i < 50; ++i) {
    server_.hold = true;
    grpc::ClientContext context;
    std::thread canceller([&] {
      server_.AwaitHeld(1);
      context.TryCancel();
      server_.Release();
    });
    etcdserverpb::DefragmentResponse response;
    (void)maintenance_->Defragment(&context, {}, &response);
    canceller.join();
  }
  etcdserverpb::StatusResponse status;
  EXPECT_TRUE(Status(&status).ok());
}

TEST_F(MaintenanceServiceTest, AlarmGoesThroughTheLog) {
  AddAlarm(5, etcdserverpb::CORRUPT);
  etcdserverpb::AlarmRequest request;
  etcdserverpb::AlarmResponse response;
  ASSERT_TRUE(maintenance_->Alarm(&context_, request, &response).ok());
  ASSERT_EQ(response.alarms_size(), 1);
  EXPECT_EQ(response.alarms(0).memberid(), 5u);
  EXPECT_EQ(server_.proposals().size(), 1u);
  request.set_action(static_cast<etcdserverpb::AlarmRequest::AlarmAction>(7));
  grpc::ClientContext second;
  EXPECT_EQ(maintenance_->Alarm(&second, request, &response).error_code(),
            StatusCode::INVALID_ARGUMENT);
}

TEST_F(MaintenanceServiceTest, AlarmWithoutANameIsNotRaisedButListedAndDisarmed) {
  etcdserverpb::AlarmRequest request;
  request.set_alarm(static_cast<etcdserverpb::AlarmType>(7));
  const auto code_of = [&](etcdserverpb::AlarmRequest::AlarmAction action) {
    request.set_action(action);
    grpc::ClientContext context;
    etcdserverpb::AlarmResponse response;
    return maintenance_->Alarm(&context, request, &response).error_code();
  };
  EXPECT_EQ(code_of(etcdserverpb::AlarmRequest::ACTIVATE), StatusCode::INVALID_ARGUMENT);
  EXPECT_TRUE(server_.proposals().empty());
  EXPECT_EQ(code_of(etcdserverpb::AlarmRequest::GET), StatusCode::OK);
  EXPECT_EQ(code_of(etcdserverpb::AlarmRequest::DEACTIVATE), StatusCode::OK);
}

TEST_F(MaintenanceServiceTest, MemberListIsSortedAndHasNoRevision) {
  server_.members.resize(2);
  server_.members[0].id = MemberId(9);
  server_.members[1].id = MemberId(7);
  server_.members[1].name = "m";
  server_.members[1].peer_urls = {"http://p:2380"};
  server_.members[1].client_urls = {"http://c:2379"};
  etcdserverpb::MemberListResponse response;
  ASSERT_TRUE(MemberList(true, &response).ok());
  ASSERT_EQ(response.members_size(), 2);
  EXPECT_EQ(response.members(0).id(), 7u);
  EXPECT_EQ(response.members(0).name(), "m");
  EXPECT_EQ(response.members(0).peerurls(0), "http://p:2380");
  EXPECT_EQ(response.members(0).clienturls(0), "http://c:2379");
  EXPECT_EQ(response.header().revision(), 0);
  EXPECT_EQ(response.header().raft_term(), 3u);
}

TEST_F(MaintenanceServiceTest, MemberListWaitsOnlyIfLinearizable) {
  server_.read_index_now = false;
  server_.read_error = Error::kTimeout;
  etcdserverpb::MemberListResponse response;
  EXPECT_TRUE(MemberList(false, &response).ok());
  EXPECT_STATUS(MemberList(true, &response), StatusCode::UNAVAILABLE,
                "etcdserver: request timed out");
}

TEST_F(MaintenanceServiceTest, HealthServesTheServerAsAWhole) {
  auto health = grpc::health::v1::Health::NewStub(channel_);
  grpc::health::v1::HealthCheckRequest request;
  grpc::health::v1::HealthCheckResponse response;
  ASSERT_TRUE(health->Check(&context_, request, &response).ok());
  EXPECT_EQ(response.status(), grpc::health::v1::HealthCheckResponse::SERVING);
  request.set_service("etcdserverpb.KV");
  grpc::ClientContext second;
  EXPECT_STATUS(health->Check(&second, request, &response), StatusCode::NOT_FOUND,
                "unknown service");
  grpc::ClientContext third;
  auto watch = health->Watch(&third, request);
  ASSERT_TRUE(watch->Read(&response));
  EXPECT_EQ(response.status(), grpc::health::v1::HealthCheckResponse::SERVICE_UNKNOWN);
  third.TryCancel();
}

// Only with the feature gate.
TEST_F(MaintenanceServiceTest, HealthSaysNotServingWhileDefragmenting) {
  server_.settings.stop_grpc_service_on_defrag = true;
  auto health = grpc::health::v1::Health::NewStub(channel_);
  const auto check = [&] {
    grpc::ClientContext context;
    grpc::health::v1::HealthCheckResponse response;
    EXPECT_TRUE(health->Check(&context, {}, &response).ok());
    return response.status();
  };
  grpc::ClientContext watch_context;
  auto watch = health->Watch(&watch_context, {});
  grpc::health::v1::HealthCheckResponse watched;
  ASSERT_TRUE(watch->Read(&watched));
  EXPECT_EQ(watched.status(), grpc::health::v1::HealthCheckResponse::SERVING);

  server_.hold = true;
  std::thread client([&] {
    grpc::ClientContext context;
    etcdserverpb::DefragmentResponse response;
    EXPECT_TRUE(maintenance_->Defragment(&context, {}, &response).ok());
  });
  ASSERT_TRUE(watch->Read(&watched));
  EXPECT_EQ(watched.status(), grpc::health::v1::HealthCheckResponse::NOT_SERVING);
  EXPECT_EQ(check(), grpc::health::v1::HealthCheckResponse::NOT_SERVING);
  server_.AwaitHeld(1);
  server_.Release();
  client.join();
  ASSERT_TRUE(watch->Read(&watched));
  EXPECT_EQ(watched.status(), grpc::health::v1::HealthCheckResponse::SERVING);
  EXPECT_EQ(check(), grpc::health::v1::HealthCheckResponse::SERVING);
  watch_context.TryCancel();
  EXPECT_EQ(watch->Finish().error_code(), StatusCode::CANCELLED);
}

TEST_F(MaintenanceServiceTest, DefragmentationIsNoMatterOfHealthWithoutTheGate) {
  server_.hold = true;
  std::thread client([&] {
    grpc::ClientContext context;
    etcdserverpb::DefragmentResponse response;
    EXPECT_TRUE(maintenance_->Defragment(&context, {}, &response).ok());
  });
  server_.AwaitHeld(1);
  auto health = grpc::health::v1::Health::NewStub(channel_);
  grpc::health::v1::HealthCheckResponse response;
  EXPECT_TRUE(health->Check(&context_, {}, &response).ok());
  EXPECT_EQ(response.status(), grpc::health::v1::HealthCheckResponse::SERVING);
  server_.Release();
  client.join();
}

TEST_F(MaintenanceServiceTest, BytesThatAreNoMessageAreRefusedAlsoWhereNothingIsRead) {
  grpc::GenericStub stub(channel_);
  grpc::CompletionQueue queue;
  const grpc::Slice bytes("\xff");
  auto call = stub.PrepareUnaryCall(&context_, "/grpc.health.v1.Health/List",
                                    grpc::ByteBuffer(&bytes, 1), &queue);
  call->StartCall();
  grpc::ByteBuffer response;
  grpc::Status status;
  call->Finish(&response, &status, nullptr);
  void* tag = nullptr;
  bool ok = false;
  ASSERT_TRUE(queue.Next(&tag, &ok));
  EXPECT_STATUS(status, StatusCode::INTERNAL,
                "grpc: error unmarshalling request: proto: cannot parse invalid wire-format data");
}

TEST_F(MaintenanceServiceTest, InterceptorsComeBeforeHandlers) {
  etcdserverpb::StatusResponse status;
  etcdserverpb::MemberListResponse members;
  server_.learner = true;
  EXPECT_TRUE(Status(&status).ok());
  EXPECT_TRUE(status.islearner());
  EXPECT_STATUS(MemberList(false, &members), StatusCode::FAILED_PRECONDITION,
                "etcdserver: rpc not supported for learner");
  auto kv = etcdserverpb::KV::NewStub(channel_);
  etcdserverpb::RangeRequest range;
  range.set_key("a");
  etcdserverpb::RangeResponse response;
  EXPECT_EQ(kv->Range(&context_, range, &response).error_code(), StatusCode::FAILED_PRECONDITION);
  range.set_serializable(true);
  grpc::ClientContext second;
  EXPECT_TRUE(kv->Range(&second, range, &response).ok());
  server_.learner = false;

  server_.leader = false;
  grpc::ClientContext third;
  third.AddMetadata("hasleader", "true");
  EXPECT_STATUS(kv->Range(&third, range, &response), StatusCode::UNAVAILABLE,
                "etcdserver: no leader");
  grpc::ClientContext fourth;
  EXPECT_TRUE(kv->Range(&fourth, range, &response).ok());
}

TEST_F(MaintenanceServiceTest, MoveLeaderAnswersWithoutAHeader) {
  etcdserverpb::MoveLeaderRequest request;
  request.set_targetid(7);
  etcdserverpb::MoveLeaderResponse response;
  ASSERT_TRUE(maintenance_->MoveLeader(&context_, request, &response).ok());
  EXPECT_FALSE(response.has_header());
  request.set_targetid(8);
  grpc::ClientContext second;
  EXPECT_STATUS(maintenance_->MoveLeader(&second, request, &response),
                StatusCode::FAILED_PRECONDITION, "etcdserver: bad leader transferee");
}

TEST_F(MaintenanceServiceTest, MoveLeaderEndsWithItsClient) {
  server_.hold = true;
  etcdserverpb::MoveLeaderResponse response;
  std::thread caller([&] {
    EXPECT_EQ(maintenance_->MoveLeader(&context_, {}, &response).error_code(),
              StatusCode::CANCELLED);
  });
  server_.AwaitHeld(1);
  context_.TryCancel();
  caller.join();
  server_.AwaitHeldAtMost(0);
}

TEST_F(MaintenanceServiceTest, NothingIsServedBeforeTheClusterHasAVersion) {
  server_.version_known = false;
  etcdserverpb::StatusResponse status;
  EXPECT_STATUS(Status(&status), StatusCode::FAILED_PRECONDITION, "etcdserver: not capable");
  server_.version_known = true;
  EXPECT_TRUE(Status(&status).ok());
}

TEST(CatchAllTest, TextsForWhatIsNotThere) {
  EXPECT_STATUS(UnservedMethod("/x.Y/Z"), StatusCode::UNIMPLEMENTED, "unknown service x.Y");
  EXPECT_STATUS(UnservedMethod("/etcdserverpb.KV/Foo"), StatusCode::UNIMPLEMENTED,
                "unknown method Foo for service etcdserverpb.KV");
  EXPECT_STATUS(UnservedMethod("nonsense"), StatusCode::UNIMPLEMENTED,
                "malformed method name: \"nonsense\"");
  for (const char* method :
       {"etcdserverpb.Auth/AuthEnable", "v3lockpb.Lock/Lock", "v3electionpb.Election/Campaign",
        "etcdserverpb.Maintenance/Downgrade"}) {
    EXPECT_STATUS(UnservedMethod(std::string("/") + method), StatusCode::UNIMPLEMENTED,
                  std::string("etcdserver: ") + method + " is not implemented by this server yet");
  }
}

TEST_F(MaintenanceServiceTest, UnservedMethodsAreAnsweredUnaryAndStreaming) {
  auto lock = v3lockpb::Lock::NewStub(channel_);
  v3lockpb::LockResponse response;
  EXPECT_STATUS(lock->Lock(&context_, v3lockpb::LockRequest(), &response),
                StatusCode::UNIMPLEMENTED,
                "etcdserver: v3lockpb.Lock/Lock is not implemented by this server yet");
  grpc::ClientContext second;
  auto observe = v3electionpb::Election::NewStub(channel_)->Observe(&second, {});
  v3electionpb::LeaderResponse leader;
  EXPECT_FALSE(observe->Read(&leader));
  EXPECT_EQ(observe->Finish().error_code(), StatusCode::UNIMPLEMENTED);
}

}  // namespace
}  // namespace kvorum::api
