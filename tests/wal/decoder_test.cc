// Frames as a reader meets them: what is one, where a segment ends, and how much memory a length
// word can ask for. Damage of whole logs is in repair_test.cc.

#include "wal/decoder.h"

#include "base/bytes.h"
#include "base/crc32c.h"
#include "tests/wal/wal_fixture.h"
#include "wal/encoder.h"

namespace kvorum::wal {
namespace {

using ::testing::HasSubstr;

std::string Frame(const walpb::Record& record) {
  const std::string body = record.SerializeAsString();
  const FrameSize size = FrameSizeFor(body.size());
  std::string frame;
  AppendLittleEndian64(&frame, EncodeFrameWord(size));
  return frame + body + std::string(size.padding_bytes, '\0');
}

class DecoderTest : public WalTest {
 protected:
  // A record of `type` with the next checksum.
  std::string Frame(int64_t type, std::string data) {
    crc_ = Crc32c(crc_, data);
    walpb::Record record;
    record.set_type(type);
    record.set_crc(crc_);
    record.set_data(std::move(data));
    return wal::Frame(record);
  }
  void Read(std::vector<std::string> segments) {
    std::vector<DecoderInput> inputs;
    for (size_t i = 0; i < segments.size(); ++i) {
      const std::string name = std::to_string(i) + ".wal";
      SetBytes(name, segments[i]);
      files_.push_back(env_.Open(PathOf(name), OpenMode::kRead).value());
      inputs.push_back({.name = name, .file = files_.back().get(), .size = segments[i].size()});
    }
    decoder_ = std::make_unique<Decoder>(std::move(inputs));
  }
  // The data of the next record, "END", or the status.
  std::string Next() {
    Record record;
    const auto more = decoder_->Next(&record);
    if (!more.ok()) return more.status().ToString();
    return *more ? std::string(record.data) : "END";
  }

  uint32_t crc_ = 0;
  std::vector<std::unique_ptr<File>> files_;
  std::unique_ptr<Decoder> decoder_;
};

TEST_F(DecoderTest, RecordsOfAllSegmentsInOrder) {
  const std::string one = Frame(2, "one"), two = Frame(2, "two"), three = Frame(2, "three");
  Read({one, two + std::string(64, '\0') + "ignored behind a zero word", three});
  EXPECT_EQ(Next(), "one");
  EXPECT_EQ(Next(), "two");
  EXPECT_EQ(Next(), "three");
  EXPECT_EQ(decoder_->valid_bytes(), three.size());
  EXPECT_EQ(Next(), "END");
  EXPECT_EQ(decoder_->valid_bytes(), three.size());
  EXPECT_EQ(decoder_->crc(), Crc32c(0, "onetwothree"));
}

TEST_F(DecoderTest, EmptySegmentsAndEmptyListsEndAtOnce) {
  Read({});
  EXPECT_EQ(Next(), "END");
  Read({"", ""});
  EXPECT_EQ(Next(), "END");
  EXPECT_EQ(decoder_->valid_bytes(), 0u);
}

TEST_F(DecoderTest, RecordsLargerThanTheReadAheadWindow) {
  const std::string large(3 << 20, 'x');
  std::string bytes = Frame(2, "before");
  bytes += Frame(2, large);
  bytes += Frame(2, "behind");
  Read({bytes});
  EXPECT_EQ(Next(), "before");
  EXPECT_TRUE(Next() == large);
  EXPECT_EQ(Next(), "behind");
  EXPECT_EQ(Next(), "END");
}

TEST_F(DecoderTest, LengthWordsAreBelievedOnlyAsFarAsTheFileReaches) {
  for (const uint64_t record_bytes : {uint64_t{9}, uint64_t{1} << 40, (uint64_t{1} << 56) - 1}) {
    std::string bytes;
    AppendLittleEndian64(&bytes, record_bytes);
    bytes += "12345678";
    Read({bytes});
    EXPECT_THAT(Next(), HasSubstr("unexpected EOF"));
    EXPECT_LT(env_.AllocatedBytes(), 1u << 20);
  }
  EXPECT_THAT(Next(), HasSubstr("unexpected EOF"));
}

TEST_F(DecoderTest, TextOfAnImpossibleLengthIsEtcds) {
  std::string bytes;
  AppendLittleEndian64(&bytes, 100);
  Read({bytes + "12345678"});
  EXPECT_EQ(Next(),
            "OUT_OF_RANGE: unexpected EOF: [wal] max entry size limit exceeded when reading "
            "\"0.wal\", recBytes: 100, fileSize(16) - offset(0) - padBytes(0) = entryLimit(16)");
}

TEST_F(DecoderTest, ChecksumErrorsSayWhere) {
  const std::string good = Frame(2, "good");
  std::string bad = Frame(2, "bad");
  bad[bad.find("bad")] ^= 1;
  Read({good + bad});
  EXPECT_EQ(Next(), "good");
  EXPECT_THAT(Next(),
              testing::MatchesRegex("DATA_LOSS: walpb: crc mismatch: expected: [0-9a-f]+ computed: "
                                    "[0-9a-f]+: in file '0.wal' at position: 24"));
  EXPECT_EQ(decoder_->valid_bytes(), good.size());
}

TEST_F(DecoderTest, ChecksumRecordMustContinueTheChain) {
  const std::string one = Frame(2, "one");
  Encoder same(crc_), other(crc_ + 1);
  same.AddCrc();
  other.AddCrc();
  const auto bytes = [](Encoder& e) { return std::string(e.pieces()[0]); };
  const std::string two = Frame(2, "two");
  Read({one, bytes(same) + two});
  EXPECT_EQ(Next(), "one");
  EXPECT_EQ(Next(), "two");
  Read({one, bytes(other) + two});
  EXPECT_EQ(Next(), "one");
  EXPECT_EQ(Next(), "DATA_LOSS: walpb: crc mismatch");
  Read({bytes(same) + two});  // a reader may start at any segment
  EXPECT_EQ(Next(), "two");
}

TEST_F(DecoderTest, FailingReadIsReportedAsSuch) {
  Read({Frame(2, "one")});
  env_.FailNthCall(FaultEnv::Op::kRead, 1, absl::InternalError("bad sector"));
  const std::string status = Next();
  EXPECT_THAT(status, HasSubstr("bad sector"));
  EXPECT_THAT(status, HasSubstr("INTERNAL"));
}

// Anything at all must end in a status.
TEST_F(DecoderTest, RandomBytesNeverCrashIt) {
  const auto random = NewSeededRandom(1);
  for (int i = 0; i < 3000; ++i) {
    std::string bytes;
    for (uint64_t n = random->Uniform(12); n-- > 0;) {
      // Plausible length words lead further in.
      AppendLittleEndian64(&bytes, random->Uniform(4) == 0 ? random->Next() : random->Uniform(64));
    }
    Read({bytes});
    for (std::string next;
         next != "END" && !next.starts_with("OUT_OF_RANGE") && !next.starts_with("DATA_LOSS");) {
      next = Next();
    }
    files_.clear();
  }
}

}  // namespace
}  // namespace kvorum::wal
