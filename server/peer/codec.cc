#include "server/peer/codec.h"

#include <memory>
#include <utility>

#include "base/strings.h"
#include "server/peer/transport.h"

namespace kvorum::server::peer {
namespace {

using raft::Entry;
using raft::Message;
using raft::MessageType;

enum WireType : uint32_t { kVarint = 0, kFixed64 = 1, kBytes = 2, kFixed32 = 5 };
constexpr int kMaxVarintBytes = 10;

// Field numbers of raftpb.Message and raftpb.Entry.
enum MessageField : uint32_t {
  kType = 1,
  kTo = 2,
  kFrom = 3,
  kTerm = 4,
  kLogTerm = 5,
  kIndex = 6,
  kEntries = 7,
  kCommit = 8,
  kSnapshot = 9,
  kReject = 10,
  kRejectHint = 11,
  kContext = 12,
};
enum EntryField : uint32_t { kEntryType = 1, kEntryTerm = 2, kEntryIndex = 3, kEntryData = 4 };

size_t VarintSize(uint64_t v) {
  size_t n = 1;
  for (; v >= 0x80; v >>= 7) ++n;
  return n;
}

void AppendVarint(std::string* out, uint64_t v) {
  for (; v >= 0x80; v >>= 7) out->push_back(static_cast<char>(v | 0x80));
  out->push_back(static_cast<char>(v));
}

// All field numbers here are below 16: one byte of tag.
size_t NumberSize(uint64_t v) { return v == 0 ? 0 : 1 + VarintSize(v); }
size_t BytesFieldSize(size_t n) { return 1 + VarintSize(n) + n; }

void AppendTag(std::string* out, uint32_t field, WireType type) {
  out->push_back(static_cast<char>(field << 3 | type));
}
void AppendNumber(std::string* out, uint32_t field, uint64_t v) {
  if (v == 0) return;
  AppendTag(out, field, kVarint);
  AppendVarint(out, v);
}
void AppendHead(std::string* out, uint32_t field, size_t bytes) {
  AppendTag(out, field, kBytes);
  AppendVarint(out, bytes);
}
void AppendBytes(std::string* out, uint32_t field, std::string_view bytes) {
  if (bytes.empty()) return;
  AppendHead(out, field, bytes.size());
  out->append(bytes);
}

raftpb::SnapshotMetadata MetadataOf(const raft::Snapshot& snapshot) {
  raftpb::SnapshotMetadata metadata;
  *metadata.mutable_conf_state() = snapshot.metadata.conf_state;
  metadata.set_index(snapshot.metadata.index.value());
  metadata.set_term(snapshot.metadata.term.value());
  return metadata;
}

size_t SnapshotSize(const raft::Snapshot& snapshot) {
  const size_t data = snapshot.data.size();
  return (data == 0 ? 0 : BytesFieldSize(data)) +
         BytesFieldSize(MetadataOf(snapshot).ByteSizeLong());
}

void AppendSnapshot(std::string* out, const raft::Snapshot& snapshot) {
  AppendHead(out, kSnapshot, SnapshotSize(snapshot));
  AppendBytes(out, 1, snapshot.data.view());
  const std::string metadata = MetadataOf(snapshot).SerializeAsString();
  AppendHead(out, 2, metadata.size());
  out->append(metadata);
}

// A field of a message: its number, and its value by the wire type.
struct Field {
  uint32_t number = 0;
  WireType type = kVarint;
  uint64_t varint = 0;
  std::string_view bytes;
};

// Takes a message apart, field by field.
class FieldReader {
 public:
  explicit FieldReader(std::string_view bytes) : rest_(bytes) {}

  bool done() const { return rest_.empty(); }
  // False: not a field.
  bool Next(Field* field) {
    uint64_t tag = 0;
    if (!TakeVarint(&tag) || tag >> 3 == 0 || tag > UINT32_MAX) return false;
    field->number = static_cast<uint32_t>(tag >> 3);
    field->type = static_cast<WireType>(tag & 7);
    field->bytes = {};
    field->varint = 0;
    switch (field->type) {
      case kVarint:
        return TakeVarint(&field->varint);
      case kFixed64:
        return Take(8, &field->bytes);
      case kFixed32:
        return Take(4, &field->bytes);
      case kBytes: {
        uint64_t n = 0;
        return TakeVarint(&n) && Take(n, &field->bytes);
      }
    }
    return false;  // groups, which nobody has used for long, and nonsense
  }

 private:
  bool TakeVarint(uint64_t* v) {
    *v = 0;
    for (int i = 0; i < kMaxVarintBytes && !rest_.empty(); ++i) {
      const auto byte = static_cast<unsigned char>(rest_.front());
      rest_.remove_prefix(1);
      *v |= static_cast<uint64_t>(byte & 0x7f) << (7 * i);
      if (byte < 0x80) return i < kMaxVarintBytes - 1 || byte <= 1;
    }
    return false;
  }
  bool Take(uint64_t n, std::string_view* bytes) {
    if (n > rest_.size()) return false;
    *bytes = rest_.substr(0, n);
    rest_.remove_prefix(n);
    return true;
  }

  std::string_view rest_;
};

Status Malformed(std::string_view what) { return absl::InvalidArgumentError(ToAbsl(what)); }

Status ReadSnapshot(std::string_view bytes, raft::Snapshot* snapshot) {
  FieldReader reader(bytes);
  Field field;
  while (!reader.done()) {
    if (!reader.Next(&field)) return Malformed("malformed snapshot");
    if (field.type != kBytes) continue;
    if (field.number == 1) {
      snapshot->data = SharedBytes(std::string(field.bytes));
    } else if (field.number == 2) {
      raftpb::SnapshotMetadata metadata;
      if (!metadata.ParseFromArray(field.bytes.data(), static_cast<int>(field.bytes.size()))) {
        return Malformed("malformed snapshot metadata");
      }
      snapshot->metadata.index = Index(metadata.index());
      snapshot->metadata.term = Term(metadata.term());
      snapshot->metadata.conf_state = std::move(*metadata.mutable_conf_state());
    }
  }
  return absl::OkStatus();
}

void ReadNumber(const Field& field, Message* message) {
  const uint64_t v = field.varint;
  switch (field.number) {
    case kType:
      message->type = v < raft::kMessageTypeCount ? MessageType(v) : MessageType::kHup;
      break;
    case kTo:
      message->to = MemberId(v);
      break;
    case kFrom:
      message->from = MemberId(v);
      break;
    case kTerm:
      message->term = Term(v);
      break;
    case kLogTerm:
      message->log_term = Term(v);
      break;
    case kIndex:
      message->index = Index(v);
      break;
    case kCommit:
      message->commit = Index(v);
      break;
    case kReject:
      message->reject = v != 0;
      break;
    case kRejectHint:
      message->reject_hint = Index(v);
      break;
    default:
      break;
  }
}

}  // namespace

size_t EntrySize(const Entry& entry) {
  return 2 + NumberSize(entry.term.value()) + NumberSize(entry.index.value()) +
         (entry.data.empty() ? 0 : BytesFieldSize(entry.data.size()));
}

void AppendEntry(std::string* out, const Entry& entry) {
  AppendTag(out, kEntryType, kVarint);
  AppendVarint(out, static_cast<uint64_t>(entry.type));
  AppendNumber(out, kEntryTerm, entry.term.value());
  AppendNumber(out, kEntryIndex, entry.index.value());
  AppendBytes(out, kEntryData, entry.data.view());
}

size_t MessageSize(const Message& m) {
  size_t size = 2 + NumberSize(m.to.value()) + NumberSize(m.from.value()) +
                NumberSize(m.term.value()) + NumberSize(m.log_term.value()) +
                NumberSize(m.index.value()) + NumberSize(m.commit.value()) +
                NumberSize(m.reject_hint.value()) + (m.reject ? 2 : 0);
  for (const Entry& entry : m.entries) size += BytesFieldSize(EntrySize(entry));
  if (m.snapshot != nullptr) size += BytesFieldSize(SnapshotSize(*m.snapshot));
  if (!m.context.empty()) size += BytesFieldSize(m.context.size());
  return size;
}

void AppendMessage(std::string* out, const Message& m) {
  AppendTag(out, kType, kVarint);
  AppendVarint(out, static_cast<uint64_t>(m.type));
  AppendNumber(out, kTo, m.to.value());
  AppendNumber(out, kFrom, m.from.value());
  AppendNumber(out, kTerm, m.term.value());
  AppendNumber(out, kLogTerm, m.log_term.value());
  AppendNumber(out, kIndex, m.index.value());
  for (const Entry& entry : m.entries) {
    AppendHead(out, kEntries, EntrySize(entry));
    AppendEntry(out, entry);
  }
  AppendNumber(out, kCommit, m.commit.value());
  if (m.snapshot != nullptr) AppendSnapshot(out, *m.snapshot);
  AppendNumber(out, kReject, m.reject ? 1 : 0);
  AppendNumber(out, kRejectHint, m.reject_hint.value());
  AppendBytes(out, kContext, m.context.view());
}

StatusOr<Entry> DecodeEntry(std::string_view bytes) {
  FieldReader reader(bytes);
  Field field;
  Entry entry;
  while (!reader.done()) {
    if (!reader.Next(&field)) return Malformed("malformed entry");
    if (field.number == kEntryData && field.type == kBytes) {
      entry.data = SharedBytes(std::string(field.bytes));
    }
    if (field.type != kVarint) continue;
    if (field.number == kEntryType) {
      if (field.varint > static_cast<uint64_t>(EntryType::kConfChangeV2)) {
        return Malformed("entry of unknown type");
      }
      entry.type = EntryType(field.varint);
    }
    if (field.number == kEntryTerm) entry.term = Term(field.varint);
    if (field.number == kEntryIndex) entry.index = Index(field.varint);
  }
  return entry;
}

StatusOr<Message> DecodeMessage(std::string_view bytes) {
  FieldReader reader(bytes);
  Field field;
  Message message;
  raft::Snapshot snapshot;
  bool has_snapshot = false;
  size_t cost = bytes.size();
  while (!reader.done()) {
    if (!reader.Next(&field)) return Malformed("malformed message");
    if (field.type == kVarint) ReadNumber(field, &message);
    if (field.type != kBytes) continue;
    if (field.number == kEntries) {
      cost += kEntryOverheadBytes;
      if (cost > kMaxMessageBytes) return Malformed("too many entries");
      ASSIGN_OR_RETURN(Entry entry, DecodeEntry(field.bytes));
      message.entries.push_back(std::move(entry));
    } else if (field.number == kSnapshot) {
      has_snapshot = true;
      RETURN_IF_ERROR(ReadSnapshot(field.bytes, &snapshot));
    } else if (field.number == kContext) {
      message.context = SharedBytes(std::string(field.bytes));
    }
  }
  if (has_snapshot && message.type == MessageType::kSnap) {
    message.snapshot = std::make_shared<const raft::Snapshot>(std::move(snapshot));
  }
  return message;
}

bool IsLinkHeartbeat(const Message& message) {
  return message.type == MessageType::kHeartbeat && message.from == raft::kNone &&
         message.to == raft::kNone;
}

}  // namespace kvorum::server::peer
