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
constexpr uint32_t kRangeKvs = 2 << 3 | 2;
constexpr uint32_t kWatchEvents = 11 << 3 | 2;
constexpr uint32_t kEventType = 1 << 3;
constexpr uint32_t kEventKv = 2 << 3 | 2;
constexpr uint32_t kEventPrevKv = 3 << 3 | 2;
constexpr size_t kEventTypeDeleteBytes = 2;  // tag and value 1

constexpr size_t kSliceBytes = 256 << 10;

// All tags above are below 128: one byte.
size_t FieldBytes(size_t length) { return 1 + CodedOutputStream::VarintSize64(length) + length; }

uint8_t* WriteHead(uint32_t tag, size_t length, uint8_t* out) {
  *out++ = static_cast<uint8_t>(tag);
  return CodedOutputStream::WriteVarint64ToArray(length, out);
}

uint8_t* WriteField(uint32_t tag, std::string_view bytes, uint8_t* out) {
  out = WriteHead(tag, bytes.size(), out);
  return std::copy(bytes.begin(), bytes.end(), out);
}

uint8_t* Begin(const grpc::Slice& slice) { return const_cast<uint8_t*>(slice.begin()); }

grpc::Slice ToSlice(const google::protobuf::MessageLite& message) {
  grpc::Slice slice(message.ByteSizeLong());
  message.SerializeWithCachedSizesToArray(Begin(slice));
  return slice;
}

// Rows from `first` on that fill a slice; at least one.
size_t RowsForOneSlice(std::span<const mvcc::Row> rows, size_t first, size_t* bytes) {
  size_t last = first;
  *bytes = 0;
  while (last < rows.size() && (last == first || *bytes < kSliceBytes)) {
    *bytes += FieldBytes(rows[last++].bytes.size());
  }
  return last;
}

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

grpc::ByteBuffer EncodeRangeResponse(const etcdserverpb::ResponseHeader& header,
                                     server::RangeResult result) {
  std::vector<grpc::Slice> slices;
  etcdserverpb::RangeResponse head;
  *head.mutable_header() = header;
  slices.push_back(ToSlice(head));
  for (size_t first = 0; first < result.kvs.size();) {
    size_t bytes = 0;
    const size_t last = RowsForOneSlice(result.kvs, first, &bytes);
    grpc::Slice slice(bytes);
    uint8_t* out = Begin(slice);
    for (; first < last; ++first) {
      out = WriteField(kRangeKvs, std::exchange(result.kvs[first].bytes, {}).view(), out);
    }
    slices.push_back(std::move(slice));
  }
  etcdserverpb::RangeResponse tail;
  tail.set_more(result.more);
  tail.set_count(result.count);
  slices.push_back(ToSlice(tail));
  return grpc::ByteBuffer(slices.data(), slices.size());
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
