#include "server/peer/transport.h"

#include <absl/synchronization/notification.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "server/peer/codec.h"
#include "tests/server/peer/cluster.h"
#include "tests/server/peer/raw_http.h"
#include "tests/testing/expect_ok.h"

namespace kvorum::server::peer {
namespace {

using raft::MessageType;

std::string StreamRequest(const std::string& kind, MemberId from, MemberId to) {
  return "GET /raft/stream/" + kind + "/" + HexId(from) +
         " HTTP/1.1\r\nHost: test\r\nX-Server-From: " + HexId(from) +
         "\r\nX-Server-Version: 3.7.1\r\nX-Min-Cluster-Version: 3.0.0\r\nX-Etcd-Cluster-ID: " +
         HexId(kTestCluster) + "\r\nX-Raft-To: " + HexId(to) + "\r\n\r\n";
}

raft::Message SnapshotFor(const TestMember& from, const TestMember& to, uint64_t index) {
  raft::Snapshot snapshot;
  snapshot.metadata.index = Index(index);
  snapshot.metadata.term = Term(1);
  snapshot.metadata.conf_state.add_voters(from.id.value());
  snapshot.data = SharedBytes("{}");
  return {.type = MessageType::kSnap,
          .to = to.id,
          .from = from.id,
          .term = Term(1),
          .snapshot = std::make_shared<const raft::Snapshot>(std::move(snapshot))};
}

// Until the stream of this kind is up: without it messages take the pipeline and lose their order.
// A stream of "message" carries appends too while there is no other.
void AwaitStreams(TestMember& from, TestMember& to) {
  from.AwaitActive(to);
  to.AwaitActive(from);
}

TEST(TransportTest, RefusesUrlsItCannotServe) {
  EXPECT_CODE(kInvalidArgument, Transport::Bind({"https://127.0.0.1:0"}));
  EXPECT_CODE(kInvalidArgument, Transport::Bind({"ftp://127.0.0.1:0"}));
  EXPECT_CODE(kInvalidArgument, Transport::Bind({"http://127.0.0.1"}));
  ASSERT_OK_AND_ASSIGN(const auto port, Transport::Bind({"http://127.0.0.1:0"}));
  EXPECT_CODE(kUnavailable, Transport::Bind({"http://" + port->addresses()[0]}));
}

TEST(TransportTest, RefusesPeersItCannotDial) {
  TestMember one(1);
  EXPECT_CODE(kInvalidArgument, one.transport->AddPeer(MemberId(2), {}));
  EXPECT_CODE(kInvalidArgument, one.transport->AddPeer(MemberId(2), {"https://localhost:1"}));
  EXPECT_CODE(kInvalidArgument, one.transport->AddRemote(MemberId(2), {"nonsense"}));
  EXPECT_EQ(one.transport->ActiveSince(MemberId(2)), std::nullopt);
}

TEST(TransportTest, MessagesOfEveryKindArriveAtBothEnds) {
  TestMember one(1);
  TestMember two(2);
  one.Meet(two);
  AwaitStreams(one, two);
  for (const MessageType type : {MessageType::kApp, MessageType::kHeartbeat, MessageType::kVote,
                                 MessageType::kProp, MessageType::kReadIndex}) {
    one.Send(type, two, 7, "payload");
    two.Send(type, one, 8, "payload");
  }
  for (TestMember* const member : {&one, &two}) {
    std::vector<raft::Message> received = member->handler.AwaitMessages(5);
    std::set<MessageType> types;
    for (const raft::Message& message : received) {
      types.insert(message.type);
      EXPECT_EQ(message.to, member->id);
      EXPECT_EQ(message.index, Index(member == &one ? 8 : 7));
      ASSERT_EQ(message.entries.size(), 1u);
      EXPECT_EQ(message.entries[0].data.view(), "payload");
    }
    EXPECT_EQ(types.size(), 5u);
  }
}

TEST(TransportTest, MessagesOfOneStreamKeepTheirOrder) {
  TestMember one(1);
  TestMember two(2);
  // The reader of both streams is a raw connection, so both are known to be up.
  ASSERT_OK(one.transport->AddPeer(two.id, {two.url()}));
  RawConnection stream(one.transport->addresses()[0]);
  stream.Send(StreamRequest("message", two.id, one.id));
  EXPECT_TRUE(stream.ReadUntil("\r\n\r\n").starts_with("HTTP/1.1 200"));
  for (uint64_t i = 1; i <= 200; ++i) one.Send(MessageType::kHeartbeat, two, i);
  std::string frames;
  while (frames.find("\x30\xc8\x01") == std::string::npos) {  // index 200
    const std::string size = stream.ReadUntil("\r\n");
    frames += stream.Read(std::stoul(size, nullptr, 16));
    stream.Read(2);
  }
  size_t last = 0;
  for (uint64_t i = 1; i <= 127; ++i) {
    const size_t at = frames.find(std::string{'\x30', static_cast<char>(i)}, last);
    ASSERT_NE(at, std::string::npos) << i;
    last = at;
  }
}

TEST(TransportTest, ThreeMembersReachEachOther) {
  TestMember one(1);
  TestMember two(2);
  TestMember three(3);
  one.Meet(two);
  one.Meet(three);
  two.Meet(three);
  const std::vector<TestMember*> all = {&one, &two, &three};
  for (TestMember* const from : all) {
    for (TestMember* const to : all) {
      if (from == to) continue;
      from->AwaitActive(*to);
      for (uint64_t i = 0; i < 50; ++i) from->Send(MessageType::kApp, *to, i, "x");
    }
  }
  for (TestMember* const member : all) EXPECT_EQ(member->handler.AwaitMessages(100).size(), 100u);
}

// Before a joining member is known its answers go by POST.
TEST(TransportTest, MessagesReachARemoteByPipeline) {
  TestMember one(1);
  TestMember two(2);
  ASSERT_OK(one.transport->AddRemote(two.id, {two.url()}));
  for (uint64_t i = 1; i <= 20; ++i) one.Send(MessageType::kAppResp, two, i);
  std::vector<raft::Message> received = two.handler.AwaitMessages(20);
  std::set<uint64_t> indexes;
  for (const raft::Message& message : received) indexes.insert(message.index.value());
  EXPECT_EQ(indexes.size(), 20u);
  EXPECT_EQ(*indexes.rbegin(), 20u);
}

// The POST tells two who one is, so it can answer.
TEST(TransportTest, WhoPostsIsRemembered) {
  TestMember one(1);
  TestMember two(2);
  ASSERT_OK(one.transport->AddRemote(two.id, {two.url()}));
  one.Send(MessageType::kVote, two, 1);
  two.handler.AwaitMessages(1);
  two.Send(MessageType::kVoteResp, one, 2);
  EXPECT_EQ(one.handler.AwaitMessages(1)[0].index, Index(2));
}

TEST(TransportTest, AMessageThatCannotBePostedIsReported) {
  TestMember one(1);
  auto two = std::make_unique<TestMember>(2);
  const std::string url = two->url();
  two.reset();
  ASSERT_OK(one.transport->AddPeer(MemberId(2), {url}));
  one.transport->Send({{.type = MessageType::kVote, .to = MemberId(2), .from = one.id}});
  one.handler.AwaitUnreachable(MemberId(2));
  EXPECT_EQ(one.transport->ActiveSince(MemberId(2)), std::nullopt);
}

TEST(TransportTest, APeerThatComesBackIsReachedAgain) {
  TestMember one(1);
  auto two = std::make_unique<TestMember>(2);
  one.Meet(*two);
  one.AwaitActive(*two);
  two = std::make_unique<TestMember>(2);  // at another address, and nobody at the old one
  ASSERT_OK(one.transport->UpdatePeer(two->id, {two->url()}));
  ASSERT_OK(two->transport->AddPeer(one.id, {one.url()}));
  two->AwaitActive(one);
  while (two->handler.message_count() == 0) one.Send(MessageType::kHeartbeat, *two, 1);
  while (one.handler.message_count() == 0) two->Send(MessageType::kHeartbeat, one, 1);
}

TEST(TransportTest, AFailingUrlGivesWayToTheNext) {
  TestMember one(1);
  TestMember two(2);
  auto gone = std::make_unique<TestMember>(3);
  const std::string dead = gone->url();
  gone.reset();
  ASSERT_OK(one.transport->AddPeer(two.id, {dead, two.url()}));
  ASSERT_OK(two.transport->AddPeer(one.id, {dead, one.url()}));
  while (two.handler.message_count() == 0) one.Send(MessageType::kHeartbeat, two, 1);
}

TEST(TransportTest, ANewerStreamTakesThePlaceOfTheOlder) {
  TestMember one(1);
  ASSERT_OK(one.transport->AddPeer(MemberId(2), {"http://127.0.0.1:1"}));
  RawConnection older(one.transport->addresses()[0]);
  older.Send(StreamRequest("message", MemberId(2), one.id));
  EXPECT_TRUE(older.ReadUntil("\r\n\r\n").starts_with("HTTP/1.1 200"));
  RawConnection newer(one.transport->addresses()[0]);
  newer.Send(StreamRequest("message", MemberId(2), one.id));
  EXPECT_TRUE(newer.ReadUntil("\r\n\r\n").starts_with("HTTP/1.1 200"));
  EXPECT_EQ(older.ReadToEnd(), "0\r\n\r\n");  // an end in order
  one.transport->Send({{.type = MessageType::kVote, .to = MemberId(2), .from = one.id}});
  EXPECT_EQ(newer.ReadUntil("\x18\x01"),
            std::string("0000000e\r\n\0\0\0\0\0\0\0\x06\x08\x05\x10\x02\x18\x01", 24));
}

TEST(TransportTest, AStreamOfAMemberThatWasRemovedIsGone) {
  TestMember one(1);
  TestMember two(2);
  one.handler.Remove(two.id);
  ASSERT_OK(two.transport->AddPeer(one.id, {one.url()}));
  two.handler.AwaitRemovedFromCluster();
}

TEST(TransportTest, MessagesOfRemovedMembersDoNotReachRaft) {
  TestMember one(1);
  TestMember two(2);
  ASSERT_OK(two.transport->AddRemote(one.id, {one.url()}));
  one.handler.Remove(two.id);
  two.Send(MessageType::kVote, one, 1);
  two.handler.AwaitUnreachable(one.id);
  EXPECT_EQ(one.handler.message_count(), 0u);
}

TEST(TransportTest, APeerThatDoesNotReadCostsABoundedQueue) {
  TestMember one(1);
  ASSERT_OK(one.transport->AddPeer(MemberId(2), {"http://127.0.0.1:1"}));
  RawConnection lazy(one.transport->addresses()[0]);
  lazy.Send(StreamRequest("msgapp", MemberId(2), one.id));
  lazy.ReadUntil("\r\n\r\n");
  // One payload, shared by all: what counts are bytes on the wire.
  const SharedBytes payload(std::string(1 << 20, 'x'));
  const auto append = [&] {
    std::vector<raft::Message> messages(1);
    messages[0] = {.type = MessageType::kApp, .to = MemberId(2), .from = one.id};
    messages[0].entries = {{.data = payload}};
    one.transport->Send(std::move(messages));
  };
  size_t sent = 0;
  while (one.handler.unreachable_count(MemberId(2)) == 0 && sent < 1000) {
    append();
    ++sent;
  }
  // The queue, what is being written, and what the kernel holds.
  EXPECT_LT(sent, (kStreamQueueBytes >> 20) + 40);
  EXPECT_GT(sent, 10u);
}

TEST(TransportTest, WhatIsCutIsDroppedUntilItIsMended) {
  TestMember one(1);
  TestMember two(2);
  one.Meet(two);
  AwaitStreams(one, two);
  one.transport->CutPeer(two.id);
  for (uint64_t i = 0; i < 10; ++i) one.Send(MessageType::kHeartbeat, two, 100);
  one.transport->MendPeer(two.id);
  one.Send(MessageType::kHeartbeat, two, 5);
  EXPECT_EQ(two.handler.AwaitMessages(1)[0].index, Index(5));
}

TEST(TransportTest, AfterRemovePeerNothingOfItArrives) {
  TestMember one(1);
  TestMember two(2);
  one.Meet(two);
  AwaitStreams(one, two);
  two.transport->RemovePeer(one.id);
  EXPECT_EQ(two.transport->ActiveSince(one.id), std::nullopt);
  const size_t before = two.handler.message_count();
  ASSERT_OK(two.transport->AddPeer(one.id, {one.url()}));
  while (two.handler.message_count() == before) one.Send(MessageType::kHeartbeat, two, 9);
}

TEST(TransportTest, ASnapshotArrivesWithItsDatabase) {
  TestMember one(1);
  TestMember two(2);
  ASSERT_OK(one.transport->AddPeer(two.id, {two.url()}));
  constexpr uint64_t kSize = 3'000'001;
  one.transport->SendSnapshot(SnapshotFor(one, two, 42), std::make_unique<FakeSource>(kSize));
  EXPECT_TRUE(one.handler.AwaitSnapshotSent(two.id));
  const std::vector<raft::Message> received = two.handler.AwaitMessages(1);
  EXPECT_EQ(received[0].type, MessageType::kSnap);
  EXPECT_EQ(received[0].snapshot->metadata.index, Index(42));
  EXPECT_EQ(received[0].snapshot->data.view(), "{}");
  EXPECT_EQ(two.handler.databases()[42], FakeDatabase(kSize));
}

TEST(TransportTest, AnEmptyDatabaseIsOneToo) {
  TestMember one(1);
  TestMember two(2);
  ASSERT_OK(one.transport->AddPeer(two.id, {two.url()}));
  one.transport->SendSnapshot(SnapshotFor(one, two, 1), std::make_unique<FakeSource>(0));
  EXPECT_TRUE(one.handler.AwaitSnapshotSent(two.id));
}

TEST(TransportTest, ADatabaseOfAnotherSizeThanAnnouncedIsNotSent) {
  TestMember one(1);
  TestMember two(2);
  ASSERT_OK(one.transport->AddPeer(two.id, {two.url()}));
  one.transport->SendSnapshot(SnapshotFor(one, two, 1),
                              std::make_unique<FakeSource>(1'000'000, 600'000));
  EXPECT_FALSE(one.handler.AwaitSnapshotSent(two.id));
  one.transport->SendSnapshot(SnapshotFor(one, two, 1),
                              std::make_unique<FakeSource>(600'000, 1'000'000));
  EXPECT_FALSE(one.handler.AwaitSnapshotSent(two.id));
  two.handler.AwaitAbandoned(2);
  EXPECT_EQ(two.handler.message_count(), 0u);
}

TEST(TransportTest, ADatabaseThatCannotBeStoredIsReported) {
  TestMember one(1);
  TestMember two(2);
  two.handler.snapshot_status = absl::ResourceExhaustedError("no space left on device");
  ASSERT_OK(one.transport->AddPeer(two.id, {two.url()}));
  one.transport->SendSnapshot(SnapshotFor(one, two, 1), std::make_unique<FakeSource>(10'000'000));
  EXPECT_FALSE(one.handler.AwaitSnapshotSent(two.id));
  one.handler.AwaitUnreachable(two.id);
}

TEST(TransportTest, ASnapshotToNobodyFailsAtOnce) {
  TestMember one(1);
  TestMember two(2);
  one.transport->SendSnapshot(SnapshotFor(one, two, 1), std::make_unique<FakeSource>(10));
  EXPECT_FALSE(one.handler.AwaitSnapshotSent(two.id));
}

// A source that waits, so that its snapshot stays under way.
class WaitingSource final : public SnapshotSource {
 public:
  explicit WaitingSource(absl::Notification* go) : go_(go) {}
  StatusOr<uint64_t> Open() override {
    go_->WaitForNotification();
    return 0;
  }
  StatusOr<std::string> Read(size_t) override { return ""; }

 private:
  absl::Notification* const go_;
};

TEST(TransportTest, OneSnapshotTooManyFailsAtOnce) {
  TestMember one(1);
  TestMember two(2);
  ASSERT_OK(one.transport->AddPeer(two.id, {two.url()}));
  absl::Notification go;
  for (size_t i = 0; i < kMaxOutgoingSnapshots; ++i) {
    one.transport->SendSnapshot(SnapshotFor(one, two, i), std::make_unique<WaitingSource>(&go));
  }
  one.transport->SendSnapshot(SnapshotFor(one, two, 99), std::make_unique<WaitingSource>(&go));
  EXPECT_FALSE(one.handler.AwaitSnapshotSent(two.id));
  go.Notify();
  size_t arrived = 0;
  for (size_t i = 0; i < kMaxOutgoingSnapshots; ++i) {
    arrived += one.handler.AwaitSnapshotSent(two.id) ? 1 : 0;
  }
  EXPECT_GE(arrived, 1u);  // not all: the receiver has a bound of its own
}

// Times short enough to see them pass. Nothing here is said about how long it takes at most.
Timing HastyTiming() {
  Timing timing = PatientTiming();
  timing.io_timeout = std::chrono::milliseconds(500);
  return timing;
}

TEST(TransportTest, AnIdleStreamCarriesHeartbeats) {
  TestMember one(1, HastyTiming());
  ASSERT_OK(one.transport->AddPeer(MemberId(2), {"http://127.0.0.1:1"}));
  RawConnection stream(one.transport->addresses()[0]);
  stream.Send(StreamRequest("message", MemberId(2), one.id));
  stream.ReadUntil("\r\n\r\n");
  const std::string heartbeat("0000000a\r\n\0\0\0\0\0\0\0\x02\x08\x08\r\n", 22);
  for (int i = 0; i < 3; ++i) EXPECT_EQ(stream.Read(heartbeat.size()), heartbeat);
  RawConnection appends(one.transport->addresses()[0]);
  appends.Send(StreamRequest("msgapp", MemberId(2), one.id));
  appends.ReadUntil("\r\n\r\n");
  EXPECT_EQ(appends.Read(13), std::string("00000001\r\n\0\r\n", 13));
}

// Both the dial that is not answered and the stream that falls silent.
TEST(TransportTest, ASilentPeerIsDialedAgain) {
  RawListener listener;
  TestMember one(1, HastyTiming());
  ASSERT_OK(one.transport->AddPeer(MemberId(2), {"http://" + listener.address()}));
  for (int i = 0; i < 6; ++i) {
    const auto dial = listener.Accept();
    EXPECT_TRUE(dial->ReadUntil("\r\n\r\n").starts_with("GET /raft/stream/"));
    if (i % 2 == 0) dial->Send("HTTP/1.1 200 OK\r\nX-Server-Version: 3.7.1\r\n\r\n");
    EXPECT_EQ(dial->ReadToEnd(), "");
  }
}

TEST(TransportTest, AnIdleConnectionIsClosed) {
  TestMember one(1, HastyTiming());
  RawConnection idle(one.transport->addresses()[0]);
  EXPECT_EQ(idle.ReadToEnd(), "");
  RawConnection half(one.transport->addresses()[0]);
  half.Send("GET /version HTTP/1.1\r\nHo");
  EXPECT_EQ(half.ReadToEnd(), "");
}

// Whatever the answer is, the next probe follows.
TEST(TransportTest, PeersAreProbedAgainAndAgain) {
  RawListener listener;
  Timing timing = PatientTiming();
  timing.probe_interval = std::chrono::milliseconds(5);
  TestMember one(1, timing);
  ASSERT_OK(one.transport->AddPeer(MemberId(2), {"http://" + listener.address()}));
  const std::vector<std::string> answers = {
      R"({"OK":true,"Now":"2026-01-02T03:04:05.678901234Z"})",
      R"({"OK":true,"Now":"2026-01-02T03:04:05+01:00"})",
      R"({"OK":false,"Now":"2026-01-02T03:04:05Z"})",
      R"({"OK":true,"Now":"yesterday"})",
      R"({"OK":true})",
      "[]",
      "",
  };
  for (size_t probes = 0; probes < 2 * answers.size();) {
    const auto connection = listener.Accept();
    const bool probe = connection->ReadUntil("\r\n\r\n").starts_with("GET /raft/probing HTTP/1.1");
    const std::string body = probe ? answers[probes++ % answers.size()] : "";
    connection->Send("HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: " +
                     std::to_string(body.size()) + "\r\n\r\n" + body);
  }
}

// The second request meets a connection that the other side has closed in the meantime.
TEST(TransportTest, AClosedIdleConnectionIsNoFailure) {
  RawListener listener;
  TestMember one(1);
  ASSERT_OK(one.transport->AddRemote(MemberId(2), {"http://" + listener.address()}));
  for (uint64_t i = 1; i <= 3; ++i) {
    one.transport->Send(
        {{.type = MessageType::kVote, .to = MemberId(2), .from = one.id, .index = Index(i)}});
    const auto post = listener.Accept();
    EXPECT_TRUE(post->ReadUntil("\r\n\r\n").starts_with("POST /raft HTTP/1.1\r\n"));
    post->Send("HTTP/1.1 204 No Content\r\n\r\n");  // and it may be used again, it says
  }
  EXPECT_EQ(one.handler.unreachable_count(MemberId(2)), 0u);
}

// Older servers' streams cannot be read; that is no reason to call them inactive.
TEST(TransportTest, AStreamOfAnAncientServerIsNotRead) {
  RawListener listener;
  TestMember one(1);
  ASSERT_OK(one.transport->AddPeer(MemberId(2), {"http://" + listener.address()}));
  for (int i = 0; i < 3; ++i) {
    const auto dial = listener.Accept();
    dial->ReadUntil("\r\n\r\n");
    dial->Send("HTTP/1.1 200 OK\r\n\r\n");
    EXPECT_EQ(dial->ReadToEnd(), "");
  }
  EXPECT_EQ(one.transport->ActiveSince(MemberId(2)), std::nullopt);
}

TEST(TransportTest, AMalformedStreamIsDialedAgain) {
  RawListener listener;
  TestMember one(1);
  ASSERT_OK(one.transport->AddPeer(MemberId(2), {"http://" + listener.address()}));
  for (int i = 0; i < 4; ++i) {
    const auto dial = listener.Accept();
    dial->ReadUntil("\r\n\r\n");
    dial->Send(
        "HTTP/1.1 200 OK\r\nX-Server-Version: 3.7.1\r\n\r\n\xff\xff\xff\xff\xff\xff\xff\xff");
    EXPECT_EQ(dial->ReadToEnd(), "");
  }
  EXPECT_EQ(one.handler.message_count(), 0u);
}

TEST(TransportTest, StopsInTheMiddleOfEverything) {
  for (int i = 0; i < 5; ++i) {
    TestMember one(1);
    TestMember two(2);
    one.Meet(two);
    one.transport->SendSnapshot(SnapshotFor(one, two, 1), std::make_unique<FakeSource>(50'000'000));
    for (uint64_t n = 0; n < 1000; ++n) one.Send(MessageType::kApp, two, n, "payload");
    if (i % 2 == 0) two.transport->Stop();
    one.transport->Stop();
  }
}

}  // namespace
}  // namespace kvorum::server::peer
