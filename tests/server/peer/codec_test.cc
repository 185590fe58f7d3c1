#include "server/peer/codec.h"

#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <utility>

#include "base/random.h"
#include "proto/raft.pb.h"
#include "tests/server/peer/messages.h"
#include "tests/testing/expect_ok.h"

namespace kvorum::server::peer {
namespace {

std::string Encode(const raft::Message& message) {
  std::string bytes;
  AppendMessage(&bytes, message);
  return bytes;
}

TEST(CodecTest, LinkHeartbeatIsTheReferencesTwoBytes) {
  const raft::Message heartbeat = {.type = raft::MessageType::kHeartbeat};
  EXPECT_EQ(Encode(heartbeat), "\x08\x08");
  EXPECT_TRUE(IsLinkHeartbeat(heartbeat));
  EXPECT_FALSE(IsLinkHeartbeat({.type = raft::MessageType::kHeartbeat, .from = MemberId(1)}));
}

TEST(CodecTest, FieldsHaveTheReferencesNumbers) {
  const raft::Message message = {.type = raft::MessageType::kAppResp,
                                 .to = MemberId(1),
                                 .from = MemberId(2),
                                 .term = Term(3),
                                 .log_term = Term(4),
                                 .index = Index(5),
                                 .commit = Index(6),
                                 .reject = true,
                                 .reject_hint = Index(7),
                                 .context = SharedBytes(std::string("c"))};
  EXPECT_EQ(Encode(message),
            "\x08\x04\x10\x01\x18\x02\x20\x03\x28\x04\x30\x05\x40\x06\x50\x01\x58\x07\x62\x01"
            "c");
}

TEST(CodecTest, EntrySaysItsTypeAlways) {
  std::string bytes;
  AppendEntry(&bytes, {.term = Term(2), .index = Index(300), .data = SharedBytes("ab")});
  EXPECT_EQ(bytes, std::string("\x08\x00\x10\x02\x18\xac\x02\x22\x02"
                               "ab",
                               11));
}

TEST(CodecTest, EveryMessageComesBackAsItWas) {
  const auto random = NewSeededRandom(1);
  for (int i = 0; i < 2000; ++i) {
    const raft::Message message = RandomMessage(*random);
    const std::string bytes = Encode(message);
    EXPECT_EQ(bytes.size(), MessageSize(message));
    const StatusOr<raft::Message> back = DecodeMessage(bytes);
    ASSERT_OK(back.status());
    EXPECT_TRUE(Same(message, *back)) << Text(message) << " came back as " << Text(*back);
  }
}

TEST(CodecTest, ProtobufReadsTheSameAndWritesWhatIsReadTheSame) {
  const auto random = NewSeededRandom(2);
  for (int i = 0; i < 2000; ++i) {
    const raft::Message message = RandomMessage(*random);
    raftpb::Message parsed;
    ASSERT_TRUE(parsed.ParseFromString(Encode(message)));
    EXPECT_TRUE(Same(message, FromProtobuf(parsed))) << Text(message);
    const StatusOr<raft::Message> back = DecodeMessage(parsed.SerializeAsString());
    ASSERT_OK(back.status());
    EXPECT_TRUE(Same(message, *back)) << Text(message);
  }
}

// Releases before 3.7 write every number, and a snapshot with every message.
TEST(CodecTest, FieldsOfValueZeroAndAnEmptySnapshotAreRead) {
  raftpb::Message old;
  old.set_type(raftpb::MsgHeartbeat);
  old.set_to(0);
  old.set_from(0);
  old.set_term(0);
  old.set_logterm(0);
  old.set_index(0);
  old.set_commit(0);
  old.mutable_snapshot()->mutable_metadata()->mutable_conf_state();
  old.mutable_snapshot()->mutable_metadata()->set_index(0);
  old.set_reject(false);
  old.set_rejecthint(0);
  const StatusOr<raft::Message> message = DecodeMessage(old.SerializeAsString());
  ASSERT_OK(message.status());
  EXPECT_TRUE(IsLinkHeartbeat(*message));
  EXPECT_EQ(message->snapshot, nullptr);
}

TEST(CodecTest, UnknownFieldsAreSkipped) {
  const std::string unknown("\x72\x02hi\xf8\x07\x01\x81\x08\x01\x02\x03\x04\x05\x06\x07\x08", 17);
  const StatusOr<raft::Message> message = DecodeMessage(unknown + "\x08\x05");
  ASSERT_OK(message.status());
  EXPECT_EQ(message->type, raft::MessageType::kVote);
}

TEST(CodecTest, AnUnknownTypeOfMessageIsOneThatRaftDropsFromPeers) {
  const StatusOr<raft::Message> message = DecodeMessage("\x08\x63\x10\x01");
  ASSERT_OK(message.status());
  EXPECT_TRUE(raft::IsLocalMessage(message->type));
}

TEST(CodecTest, AnUnknownTypeOfEntryIsRefused) {
  EXPECT_FALSE(DecodeEntry("\x08\x03").ok());
  EXPECT_FALSE(DecodeMessage("\x3a\x02\x08\x03").ok());
}

TEST(CodecTest, TruncatedBytesAreAnErrorOrAShorterMessage) {
  const auto random = NewSeededRandom(3);
  for (int i = 0; i < 50; ++i) {
    const std::string bytes = Encode(RandomMessage(*random));
    for (size_t n = 0; n < bytes.size(); ++n) {
      const StatusOr<raft::Message> message = DecodeMessage(bytes.substr(0, n));
      if (!message.ok()) continue;
      EXPECT_LE(MessageSize(*message), n + 2 + 2 * message->entries.size());  // types are written
    }
  }
}

TEST(CodecTest, DamagedBytesNeverEndTheProcess) {
  const auto random = NewSeededRandom(4);
  int refused = 0;
  for (int i = 0; i < 20000; ++i) {
    std::string bytes = Encode(RandomMessage(*random));
    for (uint64_t n = 1 + random->Uniform(4); n > 0; --n) {
      bytes[random->Uniform(bytes.size())] = static_cast<char>(random->Next());
    }
    refused += DecodeMessage(bytes).ok() ? 0 : 1;
  }
  EXPECT_GT(refused, 0);
}

TEST(CodecTest, ANumberOfMoreThan64BitsIsRefused) {
  EXPECT_OK(DecodeMessage("\x10\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01").status());
  EXPECT_FALSE(DecodeMessage("\x10\xff\xff\xff\xff\xff\xff\xff\xff\xff\x02").ok());
  EXPECT_FALSE(DecodeMessage("\x10\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01").ok());
}

}  // namespace
}  // namespace kvorum::server::peer
