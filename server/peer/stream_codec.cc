#include "server/peer/stream_codec.h"

#include <algorithm>
#include <utility>

#include "base/bytes.h"
#include "server/peer/codec.h"
#include "server/peer/transport.h"

namespace kvorum::server::peer {
namespace {

using raft::Entry;
using raft::Message;
using raft::MessageType;

constexpr size_t kIntegerBytes = 8;
// A buffer that a large frame has left behind is given back.
constexpr size_t kKeptBufferBytes = 1 << 20;

enum FrameType : char { kHeartbeatFrame = 0, kEntriesFrame = 1, kAppendFrame = 2 };

StatusOr<size_t> CheckedLength(std::string_view piece) {
  const uint64_t length = ReadBigEndian64(piece);
  if (length > kMaxMessageBytes) return absl::InvalidArgumentError("message is too large");
  return length;
}

// Where the last append on a connection ended.
struct Tail {
  Term term;
  Index index;

  void Follow(const Message& m) {
    term = m.term;
    index = m.entries.empty() ? m.index : m.entries.back().index;
  }
};

class MessageEncoder final : public StreamEncoder {
 public:
  void Append(std::string* out, const Message& message) override {
    AppendBigEndian64(out, MessageSize(message));
    AppendMessage(out, message);
  }
  void AppendHeartbeat(std::string* out) override {
    Append(out, {.type = MessageType::kHeartbeat});
  }
};

class MsgAppEncoder final : public StreamEncoder {
 public:
  void Append(std::string* out, const Message& m) override {
    if (m.index == tail_.index && m.log_term == tail_.term && m.log_term == m.term) {
      AppendEntries(out, m);
    } else {
      out->push_back(kAppendFrame);
      AppendBigEndian64(out, MessageSize(m));
      AppendMessage(out, m);
    }
    tail_.Follow(m);
  }
  void AppendHeartbeat(std::string* out) override { out->push_back(kHeartbeatFrame); }

 private:
  static void AppendEntries(std::string* out, const Message& m) {
    out->push_back(kEntriesFrame);
    AppendBigEndian64(out, m.entries.size());
    for (const Entry& entry : m.entries) {
      AppendBigEndian64(out, EntrySize(entry));
      AppendEntry(out, entry);
    }
    AppendBigEndian64(out, m.commit.value());
  }

  Tail tail_;
};

class MessageDecoder final : public StreamDecoder {
 public:
  MessageDecoder() : StreamDecoder(kIntegerBytes) {}

 private:
  StatusOr<size_t> Take(std::string_view piece, std::vector<Message>* out) override {
    if (std::exchange(at_length_, !at_length_)) return CheckedLength(piece);
    ASSIGN_OR_RETURN(Message message, DecodeMessage(piece));
    if (!IsLinkHeartbeat(message)) out->push_back(std::move(message));
    return kIntegerBytes;
  }

  bool at_length_ = true;
};

class MsgAppDecoder final : public StreamDecoder {
 public:
  MsgAppDecoder(MemberId remote, MemberId local)
      : StreamDecoder(1), remote_(remote), local_(local) {}

 private:
  enum class State { kType, kCount, kEntryLength, kEntry, kCommit, kLength, kMessage };

  StatusOr<size_t> Take(std::string_view piece, std::vector<Message>* out) override {
    switch (state_) {
      case State::kType:
        return TakeType(piece[0]);
      case State::kCount:
        entries_left_ = ReadBigEndian64(piece);
        return Goto(entries_left_ == 0 ? State::kCommit : State::kEntryLength, kIntegerBytes);
      case State::kEntryLength:
        return TakeEntryLength(piece);
      case State::kEntry:
        return TakeEntry(piece);
      case State::kCommit:
        return TakeCommit(piece, out);
      case State::kLength: {
        ASSIGN_OR_RETURN(const size_t length, CheckedLength(piece));
        return Goto(State::kMessage, length);
      }
      case State::kMessage: {
        ASSIGN_OR_RETURN(Message message, DecodeMessage(piece));
        tail_.Follow(message);
        out->push_back(std::move(message));
        return Goto(State::kType, 1);
      }
    }
    return absl::InternalError("no such state");
  }

  size_t Goto(State state, size_t need_bytes) {
    state_ = state;
    return need_bytes;
  }

  StatusOr<size_t> TakeType(char type) {
    switch (type) {
      case kHeartbeatFrame:
        return Goto(State::kType, 1);
      case kEntriesFrame:
        append_ = {.type = MessageType::kApp, .to = local_, .from = remote_};
        append_.term = append_.log_term = tail_.term;
        append_.index = tail_.index;
        append_bytes_ = 0;
        return Goto(State::kCount, kIntegerBytes);
      case kAppendFrame:
        return Goto(State::kLength, kIntegerBytes);
      default:
        return absl::InvalidArgumentError("frame of unknown type");
    }
  }

  StatusOr<size_t> TakeEntryLength(std::string_view piece) {
    ASSIGN_OR_RETURN(const size_t length, CheckedLength(piece));
    append_bytes_ += length + kEntryOverheadBytes;
    if (append_bytes_ > kMaxMessageBytes) return absl::InvalidArgumentError("append is too large");
    return Goto(State::kEntry, length);
  }

  StatusOr<size_t> TakeEntry(std::string_view piece) {
    ASSIGN_OR_RETURN(Entry entry, DecodeEntry(piece));
    append_.entries.push_back(std::move(entry));
    return Goto(--entries_left_ == 0 ? State::kCommit : State::kEntryLength, kIntegerBytes);
  }

  // Both ends count entries here, rather than look at the last one's index.
  size_t TakeCommit(std::string_view piece, std::vector<Message>* out) {
    append_.commit = Index(ReadBigEndian64(piece));
    tail_.index = tail_.index + append_.entries.size();
    out->push_back(std::exchange(append_, {}));
    return Goto(State::kType, 1);
  }

  const MemberId remote_;
  const MemberId local_;
  State state_ = State::kType;
  Tail tail_;
  Message append_;  // under way
  uint64_t entries_left_ = 0;
  size_t append_bytes_ = 0;
};

}  // namespace

Status StreamDecoder::Feed(std::string_view bytes, std::vector<Message>* out) {
  while (true) {
    std::string_view piece;
    if (buffer_.empty() && bytes.size() >= need_bytes_) {
      piece = bytes.substr(0, need_bytes_);
      bytes.remove_prefix(need_bytes_);
    } else {
      const size_t n = std::min(need_bytes_ - buffer_.size(), bytes.size());
      buffer_.append(bytes.substr(0, n));
      bytes.remove_prefix(n);
      if (buffer_.size() < need_bytes_) return absl::OkStatus();
      piece = buffer_;
    }
    ASSIGN_OR_RETURN(need_bytes_, Take(piece, out));
    buffer_.clear();
    if (buffer_.capacity() > kKeptBufferBytes) buffer_ = {};
  }
}

std::unique_ptr<StreamEncoder> NewStreamEncoder(StreamKind kind) {
  if (kind == StreamKind::kMsgApp) return std::make_unique<MsgAppEncoder>();
  return std::make_unique<MessageEncoder>();
}

std::unique_ptr<StreamDecoder> NewStreamDecoder(StreamKind kind, MemberId remote, MemberId local) {
  if (kind == StreamKind::kMsgApp) return std::make_unique<MsgAppDecoder>(remote, local);
  return std::make_unique<MessageDecoder>();
}

}  // namespace kvorum::server::peer
