#include "server/peer/stream_codec.h"

#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "base/bytes.h"
#include "base/random.h"
#include "server/peer/codec.h"
#include "server/peer/transport.h"
#include "tests/server/peer/messages.h"
#include "tests/testing/expect_ok.h"

namespace kvorum::server::peer {
namespace {

using raft::Message;
using raft::MessageType;

constexpr MemberId kWriter(1);
constexpr MemberId kReader(2);

std::string BigEndian(uint64_t v) {
  std::string bytes;
  AppendBigEndian64(&bytes, v);
  return bytes;
}

// What `decoder` makes of the bytes, cut at random.
StatusOr<std::vector<Message>> FeedInPieces(StreamDecoder& decoder, std::string_view bytes,
                                            Random& random) {
  std::vector<Message> messages;
  while (!bytes.empty()) {
    const size_t n = std::min<size_t>(bytes.size(), 1 + random.Uniform(40));
    RETURN_IF_ERROR(decoder.Feed(bytes.substr(0, n), &messages));
    bytes.remove_prefix(n);
  }
  return messages;
}

class StreamCodecTest : public testing::Test {
 protected:
  Status Feed(StreamKind kind, std::string_view bytes) {
    const auto decoder = NewStreamDecoder(kind, kWriter, kReader);
    return decoder->Feed(bytes, &messages_);
  }

  const std::unique_ptr<Random> random_ = NewSeededRandom(7);
  std::vector<Message> messages_;
};

TEST_F(StreamCodecTest, HeartbeatsAreTheReferencesBytes) {
  std::string bytes;
  NewStreamEncoder(StreamKind::kMessage)->AppendHeartbeat(&bytes);
  EXPECT_EQ(bytes, BigEndian(2) + "\x08\x08");
  EXPECT_OK(Feed(StreamKind::kMessage, bytes));
  bytes.clear();
  NewStreamEncoder(StreamKind::kMsgApp)->AppendHeartbeat(&bytes);
  EXPECT_EQ(bytes, std::string(1, '\0'));
  EXPECT_OK(Feed(StreamKind::kMsgApp, bytes));
  EXPECT_TRUE(messages_.empty());
}

TEST_F(StreamCodecTest, MessageStreamKeepsEveryMessage) {
  const auto encoder = NewStreamEncoder(StreamKind::kMessage);
  const auto decoder = NewStreamDecoder(StreamKind::kMessage, kWriter, kReader);
  std::string bytes;
  std::vector<Message> sent;
  for (int i = 0; i < 500; ++i) {
    sent.push_back(RandomMessage(*random_));
    encoder->Append(&bytes, sent.back());
    if (random_->Uniform(3) == 0) encoder->AppendHeartbeat(&bytes);
  }
  const auto received = FeedInPieces(*decoder, bytes, *random_);
  ASSERT_OK(received.status());
  ASSERT_EQ(received->size(), sent.size());
  for (size_t i = 0; i < sent.size(); ++i) EXPECT_TRUE(Same(sent[i], (*received)[i]));
}

TEST_F(StreamCodecTest, AppendsThatFollowEachOtherAreSentWithoutTheirHead) {
  const auto encoder = NewStreamEncoder(StreamKind::kMsgApp);
  Message first = {.type = MessageType::kApp,
                   .to = kReader,
                   .from = kWriter,
                   .term = Term(3),
                   .log_term = Term(2),
                   .index = Index(9)};
  first.entries = {{.term = Term(3), .index = Index(10), .data = SharedBytes("x")}};
  std::string bytes;
  encoder->Append(&bytes, first);
  EXPECT_EQ(bytes.substr(0, 9), "\x02" + BigEndian(MessageSize(first)));

  Message next = first;
  next.log_term = Term(3);
  next.index = Index(10);
  next.entries[0].index = Index(11);
  next.commit = Index(10);
  std::string entry;
  AppendEntry(&entry, next.entries[0]);
  bytes.clear();
  encoder->Append(&bytes, next);
  EXPECT_EQ(bytes, "\x01" + BigEndian(1) + BigEndian(entry.size()) + entry + BigEndian(10));

  const Message commit_only = {.type = MessageType::kApp,
                               .to = kReader,
                               .from = kWriter,
                               .term = Term(3),
                               .log_term = Term(3),
                               .index = Index(11),
                               .commit = Index(11)};
  bytes.clear();
  encoder->Append(&bytes, commit_only);
  EXPECT_EQ(bytes, "\x01" + BigEndian(0) + BigEndian(11));
}

// Any order of appends, as a leader that probes, overwrites and repeats makes them.
TEST_F(StreamCodecTest, MsgAppStreamKeepsEveryAppend) {
  for (int round = 0; round < 50; ++round) {
    const auto encoder = NewStreamEncoder(StreamKind::kMsgApp);
    const auto decoder = NewStreamDecoder(StreamKind::kMsgApp, kWriter, kReader);
    std::string bytes;
    std::vector<Message> sent;
    Term term(1);
    Index index(1);
    for (int i = 0; i < 40; ++i) {
      const bool follows = random_->Uniform(4) != 0;
      if (random_->Uniform(8) == 0) ++term;
      if (!follows) index = Index(1 + random_->Uniform(50));
      sent.push_back(AppendOf(*random_, term, follows ? term : Term(random_->Uniform(5)), index));
      index = index + sent.back().entries.size();
      encoder->Append(&bytes, sent.back());
      if (random_->Uniform(3) == 0) encoder->AppendHeartbeat(&bytes);
    }
    const auto received = FeedInPieces(*decoder, bytes, *random_);
    ASSERT_OK(received.status());
    ASSERT_EQ(received->size(), sent.size());
    for (size_t i = 0; i < sent.size(); ++i) {
      EXPECT_TRUE(Same(sent[i], (*received)[i])) << Text(sent[i]) << " / " << Text((*received)[i]);
    }
  }
}

TEST_F(StreamCodecTest, LengthsBeyondTheLimitAreRefusedAtOnce) {
  const std::string huge = BigEndian(kMaxMessageBytes + 1);
  EXPECT_FALSE(Feed(StreamKind::kMessage, huge).ok());
  EXPECT_FALSE(Feed(StreamKind::kMsgApp, "\x02" + huge).ok());
  EXPECT_FALSE(Feed(StreamKind::kMsgApp, "\x01" + BigEndian(1) + huge).ok());
  EXPECT_FALSE(Feed(StreamKind::kMessage, BigEndian(UINT64_MAX)).ok());
}

TEST_F(StreamCodecTest, LengthsThatAreAnnouncedCostNothing) {
  EXPECT_OK(Feed(StreamKind::kMessage, BigEndian(kMaxMessageBytes) + "ab"));
  EXPECT_OK(Feed(StreamKind::kMsgApp, "\x01" + BigEndian(UINT64_MAX) + BigEndian(5) + "ab"));
  EXPECT_TRUE(messages_.empty());
}

TEST_F(StreamCodecTest, EmptyEntriesCountForALimitToo) {
  const auto decoder = NewStreamDecoder(StreamKind::kMsgApp, kWriter, kReader);
  ASSERT_OK(decoder->Feed("\x01" + BigEndian(UINT64_MAX), &messages_));
  const std::string entries(8 * 4096, '\0');  // of length zero
  Status status;
  size_t fed = 0;
  while (status.ok() && fed < kMaxMessageBytes) {
    status = decoder->Feed(entries, &messages_);
    fed += entries.size();
  }
  EXPECT_FALSE(status.ok());
  EXPECT_LT(fed, kMaxMessageBytes / 8);
}

TEST_F(StreamCodecTest, FramesOfUnknownTypeAreRefused) {
  EXPECT_FALSE(Feed(StreamKind::kMsgApp, "\x03").ok());
}

TEST_F(StreamCodecTest, DamagedStreamsNeverEndTheProcess) {
  for (int round = 0; round < 2000; ++round) {
    const StreamKind kind = round % 2 == 0 ? StreamKind::kMsgApp : StreamKind::kMessage;
    const auto encoder = NewStreamEncoder(kind);
    std::string bytes;
    for (int i = 0; i < 5; ++i) {
      encoder->Append(&bytes, AppendOf(*random_, Term(1), Term(1), Index(1)));
    }
    bytes[random_->Uniform(bytes.size())] = static_cast<char>(random_->Next());
    const auto decoder = NewStreamDecoder(kind, kWriter, kReader);
    FeedInPieces(*decoder, bytes, *random_).status().IgnoreError();
  }
}

}  // namespace
}  // namespace kvorum::server::peer
