#include "raft/types.h"

#include <gtest/gtest.h>

namespace kvorum::raft {
namespace {

TEST(TypesTest, EntriesAreMeasuredAsTheWireEncodesThem) {
  for (uint64_t number : {1ull, 127ull, 128ull, 300ull, 1ull << 35, ~0ull}) {
    for (size_t bytes : {0, 1, 127, 128, 20000}) {
      for (EntryType type : {EntryType::kNormal, EntryType::kConfChange}) {
        const Entry e{.type = type,
                      .term = Term(number),
                      .index = Index(number),
                      .data = SharedBytes(std::string(bytes, 'x'))};
        raftpb::Entry wire;
        if (type != EntryType::kNormal) wire.set_type(raftpb::EntryConfChange);
        wire.set_term(number);
        wire.set_index(number);
        if (bytes > 0) wire.set_data(std::string(bytes, 'x'));
        EXPECT_EQ(EncodedSize(e), wire.ByteSizeLong());
      }
    }
  }
  EXPECT_EQ(PayloadSize({Entry{}, Entry{.data = SharedBytes("abc")}}), 3u);
}

TEST(TypesTest, MessageKindsAreSortedAsOnTheWire) {
  const std::string local =
      "MsgHup MsgBeat MsgUnreachable MsgSnapStatus MsgCheckQuorum "
      "MsgStorageAppend MsgStorageAppendResp MsgStorageApply "
      "MsgStorageApplyResp ";
  const std::string response =
      "MsgAppResp MsgVoteResp MsgHeartbeatResp MsgUnreachable "
      "MsgReadIndexResp MsgPreVoteResp MsgStorageAppendResp "
      "MsgStorageApplyResp ";
  for (int i = 0; i < kMessageTypeCount; ++i) {
    const auto type = static_cast<MessageType>(i);
    EXPECT_EQ(Name(type), raftpb::MessageType_Name(static_cast<raftpb::MessageType>(i)));
    const std::string word = std::string(Name(type)) + " ";
    EXPECT_EQ(IsLocalMessage(type), local.find(word) != std::string::npos) << word;
    EXPECT_EQ(IsResponseMessage(type), response.find(word) != std::string::npos) << word;
  }
  EXPECT_EQ(Name(static_cast<MessageType>(200)), "MsgUnknown");
}

}  // namespace
}  // namespace kvorum::raft
