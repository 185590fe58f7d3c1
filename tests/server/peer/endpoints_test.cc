#include "server/peer/endpoints.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "base/bytes.h"
#include "proto/lease.pb.h"
#include "proto/rpc.pb.h"
#include "server/peer/codec.h"
#include "tests/server/peer/cluster.h"
#include "tests/server/peer/raw_http.h"
#include "tests/testing/expect_ok.h"

namespace kvorum::server::peer {
namespace {

constexpr char kPlain[] = "Content-Type: text/plain; charset=utf-8";
constexpr char kClusterHeader[] = "X-Etcd-Cluster-ID: abc";

class EndpointsTest : public testing::Test {
 protected:
  std::string address() const { return member_.transport->addresses()[0]; }
  RawReply Get(const std::string& path) { return Ask(address(), "GET " + path + " HTTP/1.1\r\n"); }
  RawReply Method(const std::string& method, const std::string& path) {
    return Ask(address(), method + " " + path + " HTTP/1.1\r\n");
  }
  RawReply Post(const std::string& path, const std::string& body, const std::string& headers = "") {
    return Ask(address(), "POST " + path + " HTTP/1.1\r\n" + headers, body);
  }

  static std::string RaftHeaders(const std::string& version = "3.7.1",
                                 const std::string& cluster = "abc",
                                 const std::string& min_cluster = "3.0.0") {
    return "X-Server-From: 2\r\nX-Server-Version: " + version +
           "\r\nX-Min-Cluster-Version: " + min_cluster + "\r\nX-Etcd-Cluster-ID: " + cluster +
           "\r\n";
  }
  static std::string MessageBytes(MemberId to, raft::MessageType type = raft::MessageType::kVote) {
    std::string bytes;
    AppendMessage(&bytes, {.type = type, .to = to, .from = MemberId(2), .term = Term(1)});
    return bytes;
  }
  std::string SnapshotBytes(uint64_t index, const std::string& database) {
    raft::Snapshot snapshot;
    snapshot.metadata.index = Index(index);
    raft::Message message = {
        .type = raft::MessageType::kSnap, .to = member_.id, .from = MemberId(2)};
    message.snapshot = std::make_shared<const raft::Snapshot>(snapshot);
    std::string bytes;
    AppendBigEndian64(&bytes, MessageSize(message));
    AppendMessage(&bytes, message);
    return bytes + database;
  }
  RawReply Stream(const std::string& rest, const std::string& headers) {
    return Ask(address(), "GET /raft/stream/" + rest + " HTTP/1.1\r\n" + headers);
  }
  // The member is still there.
  void ExpectServes() { EXPECT_EQ(Get("/version").status, 200); }

  TestMember member_{1};
};

TEST_F(EndpointsTest, UnknownPathsAreNotFound) {
  for (const char* path : {"/", "/metrics", "/raft/", "/raft/nothing", "/members/", "/leasesx"}) {
    const RawReply reply = Get(path);
    EXPECT_EQ(reply.status, 404) << path;
    EXPECT_EQ(reply.body, "404 page not found\n");
    EXPECT_TRUE(reply.Has(kPlain));
    EXPECT_TRUE(reply.Has("X-Content-Type-Options: nosniff"));
  }
}

TEST_F(EndpointsTest, WrongMethodsAreRefusedByEachPath) {
  struct Case {
    const char* path;
    const char* allowed;
  };
  for (const Case& c : {Case{"/raft", "POST"}, Case{"/raft/snapshot", "POST"},
                        Case{"/raft/stream/message/2", "GET"}, Case{"/members", "GET"},
                        Case{"/members/promote/1", "POST"}, Case{"/members/hashkv", "GET"},
                        Case{"/version", "GET"}, Case{"/downgrade/enabled", "GET"}}) {
    const RawReply reply = Method("PUT", c.path);
    EXPECT_EQ(reply.status, 405) << c.path;
    EXPECT_EQ(reply.body, "Method Not Allowed\n");
    EXPECT_TRUE(reply.Has("Allow: " + std::string(c.allowed))) << c.path;
  }
  EXPECT_EQ(Get("/leases").status, 405);
  EXPECT_EQ(Get("/leases/internal").status, 405);
}

TEST_F(EndpointsTest, NoHttpIsRefused) {
  RawConnection connection(address());
  connection.Send("nonsense\r\n\r\n");
  EXPECT_TRUE(connection.ReadToEnd().starts_with("HTTP/1.1 400 Bad Request\r\n"));
  RawConnection endless(address());
  endless.Send("GET / HTTP/1.1\r\n");
  const std::string header = "X-More: " + std::string(1000, 'x') + "\r\n";
  for (int i = 0; i < 200 && endless.Send(header); ++i) {
  }
  EXPECT_TRUE(endless.ReadToEnd().starts_with("HTTP/1.1 431 "));
  ExpectServes();
}

TEST_F(EndpointsTest, ConnectionsServeOneRequestAfterTheOther) {
  RawConnection connection(address());
  for (int i = 0; i < 3; ++i) {
    connection.Send("GET /version HTTP/1.1\r\nHost: x\r\n\r\n");
    EXPECT_TRUE(connection.ReadUntil("}").starts_with("HTTP/1.1 200 OK\r\n"));
  }
}

TEST_F(EndpointsTest, VersionsOfAMemberThatHasJustStarted) {
  member_.handler.versions = {.server = "3.7.1"};
  const RawReply reply = Get("/version");
  EXPECT_EQ(reply.body,
            R"({"etcdserver":"3.7.1","etcdcluster":"not_decided","storage":"unknown"})");
  EXPECT_TRUE(reply.Has("Content-Type: application/json"));
}

TEST_F(EndpointsTest, ProbesAreAnsweredWithTheTime) {
  for (const char* method : {"GET", "POST"}) {
    const RawReply reply = Method(method, "/raft/probing");
    EXPECT_EQ(reply.status, 200);
    EXPECT_TRUE(reply.body.starts_with(R"({"OK":true,"Now":"20)")) << reply.body;
    EXPECT_TRUE(reply.body.ends_with("\"}\n"));
  }
}

TEST_F(EndpointsTest, MembersAreAListWithLargeNumbers) {
  EXPECT_EQ(Get("/members").body, "null\n");
  member_.handler.members = {{.id = MemberId(5), .peer_urls = {"http://a:1"}},
                             {.id = MemberId(UINT64_MAX),
                              .name = "n<",
                              .peer_urls = {"http://b:1"},
                              .client_urls = {"http://b:2"},
                              .is_learner = true}};
  const RawReply reply = Get("/members");
  EXPECT_EQ(reply.status, 200);
  EXPECT_TRUE(reply.Has(kClusterHeader));
  EXPECT_EQ(reply.body, R"([{"id":5,"peerURLs":["http://a:1"]},{"id":18446744073709551615,)"
                        R"("peerURLs":["http://b:1"],"isLearner":true,"name":"n\u003c",)"
                        R"("clientURLs":["http://b:2"]}])"
                        "\n");
}

TEST_F(EndpointsTest, PromotionAnswersWithTheMembersOrWhyNot) {
  member_.handler.promoted.value = {{.id = MemberId(5), .peer_urls = {"http://a:1"}}};
  RawReply reply = Post("/members/promote/5", "", "Authorization: token\r\n");
  EXPECT_EQ(reply.status, 200);
  EXPECT_EQ(reply.body, "[{\"id\":5,\"peerURLs\":[\"http://a:1\"]}]\n");
  EXPECT_EQ(member_.handler.promote_id, MemberId(5));
  EXPECT_EQ(member_.handler.promote_token, "token");
  struct Case {
    Error error;
    int status;
    const char* body;
  };
  for (const Case& c :
       {Case{Error::kMemberNotFound, 404, "membership: ID not found\n"},
        Case{Error::kMemberNotLearner, 412, "membership: can only promote a learner member\n"},
        Case{Error::kLearnerNotReady, 412,
             "etcdserver: can only promote a learner member which is in sync with leader\n"},
        Case{Error::kTimeout, 500, R"({"message":"Internal Server Error"})"}}) {
    member_.handler.promoted.error = c.error;
    reply = Post("/members/promote/5", "");
    EXPECT_EQ(reply.status, c.status);
    EXPECT_EQ(reply.body, c.body);
    EXPECT_TRUE(reply.Has(kClusterHeader));
  }
  reply = Post("/members/promote/5f", "");
  EXPECT_EQ(reply.status, 404);
  EXPECT_EQ(reply.body, "member 5f not found in cluster\n");
}

TEST_F(EndpointsTest, HashesOfOtherClustersAndRevisionsAreRefused) {
  const std::string get = "GET /members/hashkv HTTP/1.1\r\n";
  member_.handler.hash.value = {
      .hash = 7, .revision = 9, .compact_revision = -1, .hash_revision = 8};
  RawReply reply = Ask(address(), get + "X-Etcd-Cluster-ID: abc\r\n", R"({"revision":8})");
  EXPECT_EQ(reply.status, 200);
  EXPECT_EQ(reply.body,
            R"({"header":{"revision":9},"hash":7,"compact_revision":-1,"hash_revision":8})");
  EXPECT_EQ(member_.handler.hash_revision, Revision(8));
  EXPECT_EQ(Ask(address(), get, "{}").status, 200);
  EXPECT_EQ(member_.handler.hash_revision, Revision(0));

  reply = Ask(address(), get + "X-Etcd-Cluster-ID: abd\r\n", "{}");
  EXPECT_EQ(reply.status, 412);
  EXPECT_EQ(reply.body, "cluster ID mismatch\n");
  for (const char* body : {"", "[]", "{\"revision\":\"8\"}", "{\"revision\":8.5}", "{"}) {
    reply = Ask(address(), get, body);
    EXPECT_EQ(reply.status, 400) << body;
    EXPECT_EQ(reply.body, "error unmarshalling request\n");
  }
  member_.handler.hash.error = Error::kCompacted;
  reply = Ask(address(), get, "{}");
  EXPECT_EQ(reply.status, 400);
  EXPECT_EQ(reply.body, "mvcc: required revision has been compacted\n");
}

TEST_F(EndpointsTest, LeasesAreRenewedByProtobuf) {
  etcdserverpb::LeaseKeepAliveRequest request;
  request.set_id(12);
  member_.handler.renewed.value = 30;
  RawReply reply = Post("/leases", request.SerializeAsString());
  EXPECT_EQ(reply.status, 200);
  EXPECT_TRUE(reply.Has("Content-Type: application/protobuf"));
  etcdserverpb::LeaseKeepAliveResponse response;
  ASSERT_TRUE(response.ParseFromString(reply.body));
  EXPECT_EQ(response.id(), 12);
  EXPECT_EQ(response.ttl(), 30);
  EXPECT_FALSE(response.has_header());
  struct Case {
    Error error;
    int status;
    const char* body;
  };
  for (const Case& c : {Case{Error::kLeaseNotFound, 404, "lease not found\n"},
                        Case{Error::kNotPrimaryLessor, 400, "not a primary lessor\n"},
                        Case{Error::kTimeoutWaitAppliedIndex, 408,
                             "waiting for node to catch up its applied index has timed out\n"}}) {
    member_.handler.renewed.error = c.error;
    reply = Post("/leases", request.SerializeAsString());
    EXPECT_EQ(reply.status, c.status);
    EXPECT_EQ(reply.body, c.body);
  }
}

TEST_F(EndpointsTest, TimeToLiveOfALease) {
  leasepb::LeaseInternalRequest request;
  request.mutable_leasetimetoliverequest()->set_id(12);
  request.mutable_leasetimetoliverequest()->set_keys(true);
  member_.handler.ttl.value = {.ttl_seconds = 4, .granted_ttl_seconds = 10, .keys = {"a", "b"}};
  RawReply reply = Post("/leases/internal", request.SerializeAsString());
  leasepb::LeaseInternalResponse response;
  ASSERT_TRUE(response.ParseFromString(reply.body));
  const auto& lease = response.leasetimetoliveresponse();
  EXPECT_TRUE(lease.has_header());
  EXPECT_EQ(lease.id(), 12);
  EXPECT_EQ(lease.ttl(), 4);
  EXPECT_EQ(lease.grantedttl(), 10);
  EXPECT_EQ(lease.keys_size(), 2);
  member_.handler.ttl.error = Error::kNotPrimaryLessor;
  EXPECT_EQ(Post("/leases/internal", request.SerializeAsString()).status, 500);
  // Without the inner request there is nothing to answer.
  EXPECT_EQ(Post("/leases/internal", "").status, 400);
}

TEST_F(EndpointsTest, QuestionsThatMakeNoSenseOrAreTooLong) {
  for (const char* path : {"/leases", "/leases/internal"}) {
    RawReply reply = Post(path, "\xff\xff\xff");
    EXPECT_EQ(reply.status, 400);
    EXPECT_EQ(reply.body, "error unmarshalling request\n");
    reply = Post(path, std::string(70'000, 'x'));
    EXPECT_EQ(reply.status, 413);
    EXPECT_EQ(reply.body, "request body too large\n");
  }
  ExpectServes();
}

TEST_F(EndpointsTest, DowngradeIsTrueOrFalseOrAnError) {
  EXPECT_EQ(Get("/downgrade/enabled").body, "false");
  member_.handler.downgrade.value = true;
  EXPECT_EQ(Get("/downgrade/enabled").body, "true");
  member_.handler.downgrade.error = Error::kTimeout;
  const RawReply reply = Get("/downgrade/enabled");
  EXPECT_EQ(reply.status, 500);
  EXPECT_EQ(reply.body, "failed linearized read: etcdserver: request timed out\n");
}

TEST_F(EndpointsTest, APostedMessageIsTakenByRaftBeforeTheAnswer) {
  const RawReply reply = Post("/raft", MessageBytes(member_.id), RaftHeaders());
  EXPECT_EQ(reply.status, 204);
  EXPECT_TRUE(reply.Has(kClusterHeader));
  EXPECT_EQ(reply.body, "");
  EXPECT_EQ(member_.handler.message_count(), 1u);
}

TEST_F(EndpointsTest, VersionsThatDoNotFitAreRefused) {
  const auto status_of = [&](const std::string& version, const std::string& min_cluster) {
    const RawReply reply =
        Post("/raft", MessageBytes(member_.id), RaftHeaders(version, "abc", min_cluster));
    EXPECT_EQ(reply.body, reply.status == 412 ? "incompatible version\n" : "");
    return reply.status;
  };
  EXPECT_EQ(status_of("3.0.0", "3.0.0"), 204);
  EXPECT_EQ(status_of("3.8.0", "3.7.9"), 204);
  EXPECT_EQ(status_of("3.7.0-rc.1", "3.0.0"), 204);
  EXPECT_EQ(status_of("2.3.0", "3.0.0"), 412);
  EXPECT_EQ(status_of("3.8.0", "3.8.0"), 412);
  for (const char* nonsense : {"", "3", "3.7", "x", "3.7.", "99999999999.0.0", "-1.0.0"}) {
    EXPECT_EQ(status_of(nonsense, "3.0.0"), 412) << nonsense;
  }
  // Without headers it is a server of 2.0.
  EXPECT_EQ(Post("/raft", MessageBytes(member_.id)).status, 412);
}

TEST_F(EndpointsTest, OtherClustersAreRefused) {
  for (const char* cluster : {"abd", "", "0abc", "ABC"}) {
    const RawReply reply = Post("/raft", MessageBytes(member_.id), RaftHeaders("3.7.1", cluster));
    EXPECT_EQ(reply.status, 412) << cluster;
    EXPECT_EQ(reply.body, "cluster ID mismatch\n");
    EXPECT_TRUE(reply.Has(kClusterHeader));
  }
  EXPECT_EQ(member_.handler.message_count(), 0u);
}

TEST_F(EndpointsTest, MalformedMessagesAreRefused) {
  const RawReply reply = Post("/raft", "\xff\xff", RaftHeaders());
  EXPECT_EQ(reply.status, 400);
  EXPECT_EQ(reply.body, "error unmarshalling raft message\n");
  const RawReply cut = [&] {
    RawConnection connection(address());
    connection.Send("POST /raft HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\n" + RaftHeaders() +
                    "\r\nabc");
    connection.CloseSending();
    return RawReply{.body = connection.ReadToEnd()};
  }();
  EXPECT_TRUE(cut.body.starts_with("HTTP/1.1 400 ")) << cut.body;
  EXPECT_TRUE(cut.body.ends_with("error reading raft message\n"));
  ExpectServes();
}

TEST_F(EndpointsTest, AMessageLargerThanTheLimitIsNotRead) {
  RawConnection connection(address());
  connection.Send("POST /raft HTTP/1.1\r\nHost: x\r\nContent-Length: 999999999999\r\n" +
                  RaftHeaders() + "\r\n");
  connection.CloseSending();
  EXPECT_TRUE(connection.ReadToEnd().starts_with("HTTP/1.1 400 "));
}

// 403 would make a healthy etcd stop.
TEST_F(EndpointsTest, MessagesForOthersAreNeverForbidden) {
  RawReply reply = Post("/raft", MessageBytes(MemberId(77)), RaftHeaders());
  EXPECT_EQ(reply.status, 500);
  EXPECT_EQ(reply.body, "error processing raft message\n");
  member_.handler.Remove(MemberId(2));
  reply = Post("/raft", MessageBytes(member_.id), RaftHeaders());
  EXPECT_EQ(reply.status, 500);
  EXPECT_EQ(member_.handler.message_count(), 0u);
}

TEST_F(EndpointsTest, AMessageThatRaftHasNoRoomForIsNotAcknowledged) {
  member_.handler.accept = false;
  EXPECT_EQ(Post("/raft", MessageBytes(member_.id), RaftHeaders()).status, 500);
}

TEST_F(EndpointsTest, StreamsAreRefusedInTheReferencesOrder) {
  ASSERT_OK(member_.transport->AddPeer(MemberId(2), {"http://127.0.0.1:1"}));
  const std::string good = RaftHeaders() + "X-Raft-To: 1\r\n";
  struct Case {
    std::string rest;
    std::string headers;
    int status;
    const char* body;
  };
  member_.handler.Remove(MemberId(3));
  for (const Case& c :
       {Case{"message/2", RaftHeaders("2.0.0"), 412, "incompatible version\n"},
        Case{"message/2", RaftHeaders("3.7.1", "1"), 412, "cluster ID mismatch\n"},
        Case{"nothing/2", good, 404, "invalid path\n"},
        Case{"message", good, 404, "invalid path\n"},
        Case{"message/2/3", good, 404, "invalid path\n"},
        Case{"message/xyz", good, 404, "invalid from\n"},
        Case{"message/11112222333344445", good, 404, "invalid from\n"},
        Case{"message/", good, 404, "invalid from\n"},
        Case{"message/3", good, 410, "removed member\n"},
        Case{"message/9", good, 404, "error sender not found\n"},
        Case{"message/2", RaftHeaders() + "X-Raft-To: 5\r\n", 412, "to field mismatch\n"},
        Case{"msgapp/2", RaftHeaders(), 412, "to field mismatch\n"}}) {
    const RawReply reply = Stream(c.rest, c.headers);
    EXPECT_EQ(reply.status, c.status) << c.rest;
    EXPECT_EQ(reply.body, c.body);
    EXPECT_TRUE(reply.Has("X-Server-Version: 3.7.1")) << c.rest;
    EXPECT_TRUE(reply.Has(kClusterHeader));
  }
}

TEST_F(EndpointsTest, AStreamBeginsAtOnceAndHasNoEnd) {
  // Takes connections and says nothing: a failed dial would make the peer inactive again.
  ASSERT_OK_AND_ASSIGN(const auto silent, Transport::Bind({"http://127.0.0.1:0"}));
  ASSERT_OK(member_.transport->AddPeer(MemberId(2), {"http://" + silent->addresses()[0]}));
  RawConnection connection(address());
  connection.Send("GET /raft/stream/msgapp/2 HTTP/1.1\r\nHost: x\r\n" + RaftHeaders() +
                  "X-Raft-To: 1\r\n\r\n");
  const std::string head = connection.ReadUntil("\r\n\r\n");
  EXPECT_TRUE(head.starts_with("HTTP/1.1 200 OK\r\n"));
  EXPECT_NE(head.find("Transfer-Encoding: chunked\r\n"), std::string::npos);
  EXPECT_NE(head.find("X-Server-Version: 3.7.1\r\n"), std::string::npos);
  EXPECT_NE(head.find("X-Etcd-Cluster-ID: abc\r\n"), std::string::npos);
  EXPECT_TRUE(member_.transport->ActiveSince(MemberId(2)));
}

TEST_F(EndpointsTest, AStrangersUrlsAreRememberedIfTheyAreSome) {
  TestMember stranger(9);
  Stream("message/9", RaftHeaders() + "X-Raft-To: 1\r\nX-PeerURLs: " + stranger.url() + "\r\n");
  member_.Send(raft::MessageType::kVoteResp, stranger, 3);
  EXPECT_EQ(stranger.handler.AwaitMessages(1)[0].index, Index(3));
  for (const char* urls : {"nonsense", "http://a:1,,", "https://a:1", "http://a:1/path"}) {
    Stream("message/8", RaftHeaders() + "X-Raft-To: 1\r\nX-PeerURLs: " + urls + "\r\n");
  }
  ExpectServes();
}

TEST_F(EndpointsTest, SnapshotsAreStoredThenTaken) {
  const RawReply reply = Post("/raft/snapshot", SnapshotBytes(12, "database"), RaftHeaders());
  EXPECT_EQ(reply.status, 204);
  EXPECT_TRUE(reply.Has(kClusterHeader));
  EXPECT_EQ(member_.handler.databases()[12], "database");
  EXPECT_EQ(member_.handler.message_count(), 1u);
}

TEST_F(EndpointsTest, SnapshotsThatMakeNoSenseAreRefused) {
  std::string huge;
  AppendBigEndian64(&huge, kMaxSnapshotMessageBytes + 1);
  std::string vote;
  AppendBigEndian64(&vote, MessageBytes(member_.id).size());
  vote += MessageBytes(member_.id);
  std::string empty;
  AppendBigEndian64(&empty, 2);
  empty += "\x08\x07";  // a MsgSnap without its snapshot
  std::string cut;
  AppendBigEndian64(&cut, 5);
  cut += "abc";
  std::string malformed;
  AppendBigEndian64(&malformed, 2);
  malformed += "\xff\xff";
  struct Case {
    std::string body;
    std::string answer;
  };
  for (const Case& c :
       {Case{huge, "failed to decode raft message (rafthttp: error limit exceeded)\n"},
        Case{"abc", "failed to decode raft message (unexpected EOF)\n"},
        Case{cut, "failed to decode raft message (unexpected EOF)\n"},
        Case{malformed, "failed to decode raft message (malformed message)\n"},
        Case{vote, "wrong raft message type\n"}, Case{empty, "wrong raft message type\n"}}) {
    const RawReply reply = Post("/raft/snapshot", c.body, RaftHeaders());
    EXPECT_EQ(reply.status, 400);
    EXPECT_EQ(reply.body, c.answer);
    EXPECT_TRUE(reply.Has(kClusterHeader));
  }
  EXPECT_EQ(Post("/raft/snapshot", "x", RaftHeaders("3.7.1", "1")).status, 412);
  EXPECT_EQ(member_.handler.message_count(), 0u);
  ExpectServes();
}

TEST_F(EndpointsTest, ASnapshotThatBreaksOffIsAbandoned) {
  RawConnection connection(address());
  const std::string bytes = SnapshotBytes(12, "data");
  connection.Send("POST /raft/snapshot HTTP/1.1\r\nHost: x\r\nContent-Length: " +
                  std::to_string(bytes.size() + 10) + "\r\n" + RaftHeaders() + "\r\n" + bytes);
  connection.CloseSending();
  const std::string reply = connection.ReadToEnd();
  EXPECT_TRUE(reply.starts_with("HTTP/1.1 500 ")) << reply;
  EXPECT_NE(reply.find("failed to save KV snapshot (unexpected EOF)\n"), std::string::npos);
  member_.handler.AwaitAbandoned(1);
  EXPECT_TRUE(member_.handler.databases().empty());
}

TEST_F(EndpointsTest, ASnapshotThatCannotBeStoredIsNotTaken) {
  member_.handler.snapshot_status = absl::ResourceExhaustedError("no space left on device");
  const RawReply reply = Post("/raft/snapshot", SnapshotBytes(12, "database"), RaftHeaders());
  EXPECT_EQ(reply.status, 500);
  EXPECT_EQ(reply.body, "failed to save KV snapshot (no space left on device)\n");
  EXPECT_EQ(member_.handler.message_count(), 0u);
}

TEST_F(EndpointsTest, ASnapshotThatRaftHasNoRoomForIsNotAcknowledged) {
  member_.handler.accept = false;
  const RawReply reply = Post("/raft/snapshot", SnapshotBytes(12, "x"), RaftHeaders());
  EXPECT_EQ(reply.status, 500);
  EXPECT_EQ(reply.body, "failed to process raft message (receiving buffer is full)\n");
}

}  // namespace
}  // namespace kvorum::server::peer
