#include "wal/encoder.h"

#include "base/bytes.h"
#include "base/check.h"
#include "base/crc32c.h"
#include "proto/etcdserver.pb.h"
#include "proto/record.pb.h"

namespace kvorum::wal {
namespace {

// Below this copying a payload is cheaper than one more element of the kernel's write vector.
constexpr size_t kReferencedBytesMin = 1024;
// A batch buffer that grew beyond this is given back after the write.
constexpr size_t kKeptCapacityBytes = 1 << 20;

// Protobuf tags: field number << 3 | wire type (0 varint, 2 length-delimited).
constexpr char kRecordType = 0x08, kRecordCrc = 0x10, kRecordData = 0x1a;
constexpr char kEntryType = 0x08, kEntryTerm = 0x10, kEntryIndex = 0x18, kEntryData = 0x22;
constexpr char kStateTerm = 0x08, kStateVote = 0x10, kStateCommit = 0x18;

// A few varint fields, built on the stack: every entry needs two of these.
class Fields {
 public:
  void Add(char tag, uint64_t v) {
    bytes_[size_++] = tag;
    for (; v >= 0x80; v >>= 7) bytes_[size_++] = static_cast<char>(v | 0x80);
    bytes_[size_++] = static_cast<char>(v);
  }
  std::string_view view() const { return {bytes_, size_}; }

 private:
  static constexpr size_t kFieldsMax = 4, kFieldBytesMax = 11;
  char bytes_[kFieldsMax * kFieldBytesMax];
  size_t size_ = 0;
};

}  // namespace

void Encoder::AddCrc() { AddRecord(RecordType::kCrc, {}, {}); }

void Encoder::AddMetadata(std::string_view bytes) { AddRecord(RecordType::kMetadata, bytes, {}); }

void Encoder::AddEntry(const LogEntry& entry) {
  Fields head;
  head.Add(kEntryType, static_cast<uint64_t>(entry.type));
  head.Add(kEntryTerm, entry.term.value());
  head.Add(kEntryIndex, entry.index.value());
  if (!entry.data.empty()) head.Add(kEntryData, entry.data.size());
  AddRecord(RecordType::kEntry, head.view(), entry.data.view());
}

void Encoder::AddState(const HardState& state) {
  CHECK(!state.empty());
  Fields data;
  data.Add(kStateTerm, state.term.value());
  data.Add(kStateVote, state.vote.value());
  data.Add(kStateCommit, state.commit.value());
  AddRecord(RecordType::kState, data.view(), {});
}

void Encoder::AddSnapshot(const WalSnapshot& snapshot) {
  walpb::Snapshot message;
  message.set_index(snapshot.index.value());
  message.set_term(snapshot.term.value());
  if (snapshot.conf_state) *message.mutable_conf_state() = *snapshot.conf_state;
  AddRecord(RecordType::kSnapshot, message.SerializeAsString(), {});
}

void Encoder::AddRecord(RecordType type, std::string_view data_head, std::string_view data_tail) {
  crc_ = Crc32c(Crc32c(crc_, data_head), data_tail);

  Fields record_head;
  record_head.Add(kRecordType, static_cast<uint64_t>(type));
  record_head.Add(kRecordCrc, crc_);
  const size_t data_bytes = data_head.size() + data_tail.size();
  if (data_bytes > 0) record_head.Add(kRecordData, data_bytes);

  const FrameSize size = FrameSizeFor(record_head.view().size() + data_bytes);
  AppendLittleEndian64(&copied_, EncodeFrameWord(size));
  copied_ += record_head.view();
  copied_ += data_head;
  if (data_tail.size() < kReferencedBytesMin) {
    copied_ += data_tail;
  } else {
    runs_.push_back({.copied_end = copied_.size(), .payload = data_tail});
  }
  copied_.append(size.padding_bytes, '\0');
  bytes_ += kFrameWordBytes + size.body_bytes();
}

std::span<const std::string_view> Encoder::pieces() {
  pieces_.clear();
  const std::string_view copied = copied_;
  size_t begin = 0;
  for (const Run& run : runs_) {
    pieces_.push_back(copied.substr(begin, run.copied_end - begin));
    pieces_.push_back(run.payload);
    begin = run.copied_end;
  }
  if (begin < copied.size()) pieces_.push_back(copied.substr(begin));
  return pieces_;
}

void Encoder::Clear() {
  copied_.clear();
  if (copied_.capacity() > kKeptCapacityBytes) copied_.shrink_to_fit();
  runs_.clear();
  pieces_.clear();
  bytes_ = 0;
}

std::string EncodeMetadata(const Metadata& metadata) {
  etcdserverpb::Metadata message;
  message.set_nodeid(metadata.node.value());
  message.set_clusterid(metadata.cluster.value());
  return message.SerializeAsString();
}

}  // namespace kvorum::wal
