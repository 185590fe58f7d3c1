// Bytes on disk, against bytes that a real etcd v3.7.1 wrote: the first 0x118 of a new single
// member's segment (checksum, metadata, snapshot, bootstrap conf change, two states, the term's
// empty entry).

#include "wal/encoder.h"

#include <absl/strings/escaping.h>

#include "base/crc32c.h"
#include "tests/wal/wal_fixture.h"
#include "wal/decoder.h"
#include "wal/replay.h"

namespace kvorum::wal {
namespace {

using ::testing::SizeIs;

constexpr char kReferenceHex[] =
    "04000000000000840804100000000000"
    "1e00000000000082080110d8828af205"
    "1a1408f6f8d7c1e394b4dc1d10b2a9da"
    "e0c4c985f62300000e00000000000082"
    "080510bfc5a4f0031a04080010000000"
    "6c00000000000084080210e0dc84f508"
    "1a62080110011801225a100018f6f8d7"
    "c1e394b4dc1d224c7b226964223a3231"
    "34313639313033353134303838313532"
    "362c227065657255524c73223a5b2268"
    "7474703a2f2f3132372e302e302e313a"
    "3332333830225d2c226e616d65223a22"
    "6e31227d000000001000000000000000"
    "080310eba3f1cd041a06080110001801"
    "1800000000000000080310dab1e2800a"
    "1a0e080210f6f8d7c1e394b4dc1d1801"
    "0e00000000000082080210a8fca4bc03"
    "1a04100218020000";
constexpr size_t kNoOpOffset = 0x100;  // where the last record starts, the only one of type Normal

std::string ReferenceBytes() { return absl::HexStringToBytes(kReferenceHex); }

const std::string kBootstrapChange =
    absl::HexStringToBytes("100018f6f8d7c1e394b4dc1d224c") +
    R"({"id":2141691035140881526,"peerURLs":["http://127.0.0.1:32380"],"name":"n1"})";

LogEntry BootstrapEntry() {
  LogEntry entry = Entry(1, 1, kBootstrapChange);
  entry.type = EntryType::kConfChange;
  return entry;
}

std::string Written(Encoder& encoder) {
  std::string bytes;
  for (const std::string_view piece : encoder.pieces()) bytes += piece;
  EXPECT_EQ(bytes.size(), encoder.bytes());
  return bytes;
}

using EncoderTest = WalTest;

TEST_F(EncoderTest, ReferenceSegmentIsUnderstood) {
  SetBytes(kFirstSegment, ReferenceBytes());
  const Replay replay = Read();
  EXPECT_EQ(replay.metadata, kMetadata);
  EXPECT_EQ(replay.hard_state, State(2, kMetadata.node.value(), 1));
  EXPECT_EQ(replay.entries, (std::vector{BootstrapEntry(), Entry(2, 2)}));
  EXPECT_TRUE(replay.snapshot_found);
}

TEST_F(EncoderTest, SameRecordsGiveTheReferenceBytes) {
  Encoder encoder(0);
  encoder.AddCrc();
  encoder.AddMetadata(EncodeMetadata(kMetadata));
  encoder.AddSnapshot(WalSnapshot());
  encoder.AddEntry(BootstrapEntry());
  encoder.AddState(State(1, 0, 1));
  encoder.AddState(State(2, kMetadata.node.value(), 1));
  EXPECT_EQ(absl::BytesToHexString(Written(encoder)),
            absl::BytesToHexString(ReferenceBytes().substr(0, kNoOpOffset)));
}

TEST_F(EncoderTest, NewLogStartsWithTheReferenceBytes) {
  auto wal = Create();
  ASSERT_OK(wal->Save(State(1, 0, 1), std::vector{BootstrapEntry()}));
  ASSERT_OK(wal->Save(State(2, kMetadata.node.value(), 1), {}));
  EXPECT_EQ(wal->tail_bytes(), kNoOpOffset);
  EXPECT_EQ(absl::BytesToHexString(Bytes(kFirstSegment).substr(0, kNoOpOffset)),
            absl::BytesToHexString(ReferenceBytes().substr(0, kNoOpOffset)));
}

// The one choice where we differ: `08 00` in front, so two bytes more and another checksum.
TEST_F(EncoderTest, NormalEntryCarriesItsTypeExplicitly) {
  Encoder encoder(0);
  encoder.AddEntry(Entry(2, 2));
  const std::string data = absl::HexStringToBytes("080010021802");
  walpb::Record record;
  const std::string bytes = Written(encoder);
  ASSERT_TRUE(record.ParseFromString(
      bytes.substr(8, DecodeFrameWord(static_cast<uint8_t>(bytes[0])).record_bytes)));
  EXPECT_EQ(record.data(), data);
  EXPECT_EQ(record.crc(), Crc32c(0, data));
}

TEST_F(EncoderTest, SnapshotRecordWithConfStateHasTheReferenceBytes) {
  raftpb::ConfState conf_state;
  conf_state.add_voters(kMetadata.node.value());
  conf_state.set_auto_leave(false);
  Encoder encoder(0);
  encoder.AddSnapshot({.index = Index(21), .term = Term(2), .conf_state = conf_state});
  EXPECT_NE(Written(encoder).find(absl::HexStringToBytes("081510021a0c08f6f8d7c1e394b4dc1d2800")),
            std::string::npos);
}

TEST_F(EncoderTest, EveryFrameIsAlignedAndPaddedWithZeros) {
  for (size_t n = 0; n <= 40; ++n) {
    Encoder encoder(7);
    encoder.AddEntry(Entry(1, 1, std::string(n, '\xff')));
    const std::string bytes = Written(encoder);
    EXPECT_EQ(bytes.size() % 8, 0u);
    uint64_t word;
    memcpy(&word, bytes.data(), sizeof(word));
    const FrameSize size = DecodeFrameWord(word);
    EXPECT_EQ(size.body_bytes() + 8, bytes.size());
    EXPECT_EQ(word >> 56, size.padding_bytes == 0 ? 0 : 0x80 | size.padding_bytes);
    EXPECT_EQ(bytes.substr(8 + size.record_bytes), std::string(size.padding_bytes, '\0'));
  }
}

TEST_F(EncoderTest, LargePayloadsAreReferencedAndSmallOnesCopied) {
  const std::vector<LogEntry> entries = {Entry(1, 1, "small"), Entry(1, 2, std::string(5000, 'a')),
                                         Entry(1, 3, "small"), Entry(1, 4, std::string(5000, 'b'))};
  Encoder encoder(0);
  for (const LogEntry& entry : entries) encoder.AddEntry(entry);
  ASSERT_THAT(encoder.pieces(), SizeIs(5));
  EXPECT_EQ(encoder.pieces()[1].data(), entries[1].data.view().data());
  EXPECT_EQ(encoder.pieces()[3].data(), entries[3].data.view().data());
  encoder.Clear();
  EXPECT_TRUE(encoder.empty());
  EXPECT_TRUE(encoder.pieces().empty());
}

TEST_F(EncoderTest, ChecksumIsThePublishedPolynomial) {
  EXPECT_EQ(Crc32c(0, "123456789"), 0xe3069283u);
  EXPECT_EQ(Crc32c(0, "key"), 0x40a4756du);
}

}  // namespace
}  // namespace kvorum::wal
