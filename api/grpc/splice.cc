#include "api/grpc/splice.h"

#include <google/protobuf/io/coded_stream.h>
#include <grpcpp/support/slice.h>

#include <algorithm>
#include <span>
#include <string>
#include <utility>

#include "base/check.h"

namespace kvorum::api {
namespace {

using google::protobuf::io::CodedOutputStream;
using mvcc::WatchEvent;

// Field tags: number << 3 | wire type (0 varint, 2 length-delimited).
constexpr uint32_t kRangeHeader = 1 << 3 | 2;
constexpr uint32_t kRangeKvs = 2 << 3 | 2;
constexpr uint32_t kWatchEvents = 11 << 3 | 2;
constexpr uint32_t kEventType = 1 << 3;
constexpr uint32_t kEventKv = 2 << 3 | 2;
constexpr uint32_t kEventPrevKv = 3 << 3 | 2;
constexpr size_t kEventTypeDeleteBytes = 2;  // tag and value 1

constexpr uint32_t kStreamRange = 1 << 3 | 2;

constexpr size_t kSliceBytes = 256 << 10;
// From here on a row is cheaper to refer to than to copy, and its slice's own cost is little.
constexpr size_t kSharedRowBytes = 16 << 10;
constexpr size_t kMaxHeadBytes = 1 + 10;  // tag and varint

// All tags above are below 128: one byte.
size_t FieldBytes(size_t length) { return 1 + CodedOutputStream::VarintSize64(length) + length; }
size_t FieldBytes(const mvcc::Row& row) { return FieldBytes(row.bytes.size()); }
bool IsShared(const mvcc::Row& row) { return row.bytes.size() >= kSharedRowBytes; }

uint8_t* WriteHead(uint32_t tag, size_t length, uint8_t* out) {
  *out++ = static_cast<uint8_t>(tag);
  return CodedOutputStream::WriteVarint64ToArray(length, out);
}

uint8_t* WriteField(uint32_t tag, std::string_view bytes, uint8_t* out) {
  out = WriteHead(tag, bytes.size(), out);
  return std::copy(bytes.begin(), bytes.end(), out);
}

uint8_t* Begin(const grpc::Slice& slice) { return const_cast<uint8_t*>(slice.begin()); }

size_t EventBytes(const WatchEvent& event) {
  return (event.is_delete ? kEventTypeDeleteBytes : 0) + FieldBytes(event.kv.size()) +
         (event.prev_kv.empty() ? 0 : FieldBytes(event.prev_kv.size()));
}

uint8_t* WriteEvent(const WatchEvent& event, uint8_t* out) {
  out = WriteHead(kWatchEvents, EventBytes(event), out);
  if (event.is_delete) {
    *out++ = kEventType;
    *out++ = 1;
  }
  out = WriteField(kEventKv, event.kv.view(), out);
  return event.prev_kv.empty() ? out : WriteField(kEventPrevKv, event.prev_kv.view(), out);
}

grpc::ByteBuffer EncodePiece(const etcdserverpb::WatchResponse& head,
                             std::span<const WatchEvent> events) {
  size_t size = head.ByteSizeLong();
  for (const WatchEvent& event : events) size += FieldBytes(EventBytes(event));
  grpc::Slice slice(size);
  uint8_t* out = head.SerializeWithCachedSizesToArray(Begin(slice));
  for (const WatchEvent& event : events) out = WriteEvent(event, out);
  CHECK(out == slice.end()) << "size and contents of a watch response differ";
  return grpc::ByteBuffer(&slice, 1);
}

etcdserverpb::WatchResponse WatchHead(const etcdserverpb::ResponseHeader& header,
                                      const mvcc::WatchResponse& response) {
  etcdserverpb::WatchResponse head;
  *head.mutable_header() = header;
  head.set_watch_id(response.watch_id);
  head.set_created(response.created);
  head.set_canceled(response.canceled);
  head.set_compact_revision(response.compact_revision.value());
  head.set_cancel_reason(response.cancel_reason);
  return head;
}

}  // namespace

// The fields of a RangeResponse before and behind its rows.
class RangeEnds {
 public:
  explicit RangeEnds(const etcdserverpb::RangeResponse& rest)
      : header_(rest.header()),
        header_size_(rest.has_header() ? header_.ByteSizeLong() : 0),
        has_header_(rest.has_header()) {
    tail_.set_more(rest.more());
    tail_.set_count(rest.count());
    tail_size_ = tail_.ByteSizeLong();
  }
  size_t head_size() const { return has_header_ ? FieldBytes(header_size_) : 0; }
  size_t tail_size() const { return tail_size_; }
  size_t size() const { return head_size() + tail_size_; }
  uint8_t* WriteHead(uint8_t* out) const {
    if (!has_header_) return out;
    return header_.SerializeWithCachedSizesToArray(api::WriteHead(kRangeHeader, header_size_, out));
  }
  uint8_t* WriteTail(uint8_t* out) const { return tail_.SerializeWithCachedSizesToArray(out); }

 private:
  const etcdserverpb::ResponseHeader& header_;
  const size_t header_size_;
  const bool has_header_;
  etcdserverpb::RangeResponse tail_;
  size_t tail_size_ = 0;
};

size_t RowBytes(std::span<const mvcc::Row> rows) {
  size_t bytes = 0;
  for (const mvcc::Row& row : rows) bytes += FieldBytes(row);
  return bytes;
}

grpc::ByteBuffer EncodeRangeResponse(const etcdserverpb::RangeResponse& rest,
                                     std::span<const mvcc::Row> rows) {
  const RangeEnds ends(rest);
  grpc::Slice slice(ends.size() + RowBytes(rows));
  uint8_t* out = ends.WriteHead(Begin(slice));
  for (const mvcc::Row& row : rows) out = WriteField(kRangeKvs, row.bytes.view(), out);
  out = ends.WriteTail(out);
  CHECK(out == slice.end()) << "size and contents of a range response differ";
  return grpc::ByteBuffer(&slice, 1);
}

// Fills slices with a known number of bytes, wherever their borders fall.
class RangeEncoder::Writer {
 public:
  Writer(RangeEncoder* encoder, size_t bytes) : encoder_(*encoder), left_(bytes) {}
  ~Writer() { CHECK(left_ == 0 && room_ == 0) << "rows are shorter than they were"; }

  void WriteField(std::string_view bytes) {
    WriteHead(bytes.size());
    Write(bytes);
  }
  void WriteHead(size_t length) {
    uint8_t head[kMaxHeadBytes];
    const uint8_t* const end = api::WriteHead(kRangeKvs, length, head);
    Write({reinterpret_cast<const char*>(head), static_cast<size_t>(end - head)});
  }

 private:
  void Write(std::string_view bytes) {
    while (!bytes.empty()) {
      if (room_ == 0) NewSlice();
      const size_t n = std::min(room_, bytes.size());
      out_ = std::copy_n(bytes.data(), n, out_);
      room_ -= n;
      bytes.remove_prefix(n);
    }
  }
  void NewSlice() {
    room_ = std::min(left_, kSliceBytes);
    CHECK(room_ > 0) << "rows are longer than they were";
    left_ -= room_;
    encoder_.slices_.push_back(encoder_.maker_.NewSlice(room_, &out_));
  }

  RangeEncoder& encoder_;
  size_t left_;  // beyond the current slice
  char* out_ = nullptr;
  size_t room_ = 0;  // in the current slice
};

RangeEncoder::RangeEncoder(ResponseBudget* budget) : maker_(budget), slices_(1) {}

void RangeEncoder::Add(std::vector<mvcc::Row> rows) {
  for (size_t first = 0; first < rows.size();) {
    // A run of rows to copy, and the head of the one to share behind them.
    size_t bytes = 0;
    size_t last = first;
    for (; last < rows.size() && !IsShared(rows[last]); ++last) bytes += FieldBytes(rows[last]);
    const bool shares = last < rows.size();
    if (shares) bytes += FieldBytes(rows[last]) - rows[last].bytes.size();
    Writer writer(this, bytes);
    for (; first < last; ++first) {
      writer.WriteField(std::exchange(rows[first].bytes, {}).view());
    }
    row_bytes_ += bytes;
    if (!shares) continue;
    SharedBytes shared = std::exchange(rows[first++].bytes, {});
    row_bytes_ += shared.size();
    writer.WriteHead(shared.size());
    slices_.push_back(maker_.ShareSlice(std::move(shared)));
  }
}

grpc::ByteBuffer RangeEncoder::RangeResponse(const etcdserverpb::RangeResponse& rest) {
  const RangeEnds ends(rest);
  grpc::Slice head(ends.head_size());
  ends.WriteHead(Begin(head));
  return Assemble(std::move(head), ends);
}

grpc::ByteBuffer RangeEncoder::RangeStreamResponse(const etcdserverpb::RangeResponse& rest) {
  const RangeEnds ends(rest);
  const size_t size = ends.size() + row_bytes_;
  grpc::Slice head(FieldBytes(size) - size + ends.head_size());
  ends.WriteHead(WriteHead(kStreamRange, size, Begin(head)));
  return Assemble(std::move(head), ends);
}

grpc::ByteBuffer RangeEncoder::Assemble(grpc::Slice head, const RangeEnds& ends) {
  slices_[0] = std::move(head);
  grpc::Slice tail(ends.tail_size());
  ends.WriteTail(Begin(tail));
  slices_.push_back(std::move(tail));
  const grpc::ByteBuffer whole(slices_.data(), slices_.size());
  slices_.clear();
  return whole;
}

std::vector<grpc::ByteBuffer> EncodeWatchResponse(const etcdserverpb::ResponseHeader& header,
                                                  const mvcc::WatchResponse& response,
                                                  size_t fragment_bytes) {
  etcdserverpb::WatchResponse head = WatchHead(header, response);
  std::span<const WatchEvent> events = response.events;
  size_t whole = head.ByteSizeLong();
  for (const WatchEvent& event : events) whole += FieldBytes(EventBytes(event));
  std::vector<grpc::ByteBuffer> pieces;
  if (!response.may_fragment || whole < fragment_bytes || events.size() < 2) {
    pieces.push_back(EncodePiece(head, events));
    return pieces;
  }
  head.set_fragment(true);
  const size_t head_bytes = head.ByteSizeLong();
  while (!events.empty()) {
    size_t count = 1;
    size_t bytes = head_bytes + FieldBytes(EventBytes(events[0]));
    while (count < events.size()) {
      bytes += FieldBytes(EventBytes(events[count]));
      if (bytes >= fragment_bytes) break;
      ++count;
    }
    if (count == events.size()) head.set_fragment(false);
    pieces.push_back(EncodePiece(head, events.first(count)));
    events = events.subspan(count);
  }
  return pieces;
}

}  // namespace kvorum::api
