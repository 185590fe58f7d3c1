#include "api/grpc/range_calls.h"

#include <grpc/support/time.h>
#include <grpcpp/alarm.h>

#include <algorithm>
#include <limits>
#include <optional>
#include <string>
#include <utility>

#include "api/grpc/serving.h"

namespace kvorum::api {

using etcdserverpb::RangeRequest;
using etcdserverpb::RangeResponse;
using server::Error;

namespace {

// Of a unary list: a piece is small beside the whole, and large enough to read rows that lie in
// another order than their keys at the price of a scan.
constexpr size_t kPieceBytes = 16 << 20;
constexpr int64_t kFirstPieceRows = 256;
constexpr int64_t kMaxPieceRows = 32 << 10;
constexpr int64_t kPieceGrowth = 4;
// Of a stream's first message.
constexpr int64_t kFirstChunkRows = 10;
constexpr size_t kMaxMessageBytes = std::numeric_limits<int32_t>::max();
constexpr Duration kAdmitInterval = std::chrono::milliseconds(10);

grpc::Status Unimplemented(const char* text) {
  return grpc::Status(grpc::StatusCode::UNIMPLEMENTED, text);
}

grpc::Status TooLargeToSend(size_t bytes) {
  return grpc::Status(grpc::StatusCode::RESOURCE_EXHAUSTED,
                      "grpc: trying to send message larger than max (" + std::to_string(bytes) +
                          " vs. " + std::to_string(kMaxMessageBytes) + ")");
}

int64_t NextPieceRows(int64_t rows, size_t bytes) {
  if (bytes < kPieceBytes / kPieceGrowth) return std::min(rows * kPieceGrowth, kMaxPieceRows);
  return bytes > 2 * kPieceBytes ? std::max<int64_t>(rows / kPieceGrowth, 1) : rows;
}

// Goes on on the polling thread.
Task<bool> Sleep(CallQueue& queue, Duration duration) {
  grpc::Alarm alarm;
  const gpr_timespec deadline = gpr_time_add(gpr_now(GPR_CLOCK_MONOTONIC),
                                             gpr_time_from_nanos(duration.count(), GPR_TIMESPAN));
  co_return co_await Operation([&](void* tag) { alarm.Set(queue.grpc_queue(), deadline, tag); });
}

// What etcd compares with the target: the message of a read with the live revision, `more`, and as
// count the rows fetched, which is one more than those sent if there are more.
size_t ChunkBytes(const server::RangeResult& piece) {
  RangeResponse head;
  head.mutable_header()->set_revision(piece.revision.value());
  head.set_more(piece.more);
  head.set_count(static_cast<int64_t>(piece.kvs.size()) + (piece.more ? 1 : 0));
  return head.ByteSizeLong() + RowBytes(piece.kvs);
}

}  // namespace

grpc::Status CheckRangeStream(const RangeRequest& request) {
  const bool natural =
      request.sort_order() == RangeRequest::NONE ||
      (request.sort_order() == RangeRequest::ASCEND && request.sort_target() == RangeRequest::KEY);
  if (!natural) return Unimplemented("RangeStream does not support custom sort orders");
  if (request.min_mod_revision() != 0 || request.max_mod_revision() != 0 ||
      request.min_create_revision() != 0 || request.max_create_revision() != 0) {
    return Unimplemented("RangeStream does not support revision filters");
  }
  return grpc::Status::OK;
}

int64_t NextChunkRows(int64_t rows, size_t bytes, size_t target_bytes) {
  if (bytes < target_bytes / 2) return rows * 2;
  return bytes > target_bytes * 2 ? std::max<int64_t>(rows / 2, 1) : rows;
}

void RangeCalls::FillHeader(RangeResponse* response) const {
  interceptors_.FillHeaderWithoutRevision(response->mutable_header());
}

// Only the last piece of a stream says more than its rows.
RangeResponse RangeCalls::RestOf(const ListReader& list) const {
  RangeResponse rest;
  if (!list.done()) return rest;
  rest = list.Summary();
  FillHeader(&rest);
  return rest;
}

// Returns on a pool thread.
Task<Error> RangeCalls::EnterPoolWithRoom(RangeEncoder& encoder, CallQueue& queue,
                                          TimePoint deadline) {
  auto tries = server_.config().request_timeout() / kAdmitInterval;
  while (!encoder.Admit()) {
    if (SystemClock().Now() >= deadline) co_return Error::kDeadlineExceeded;
    if (tries-- == 0) co_return Error::kTooManyRequests;
    co_await Sleep(queue, kAdmitInterval);
  }
  co_return co_await EnterReadPool(server_);
}

Task<Reply> RangeCalls::Range(UnaryCall& call, const RangeRequest& request) {
  server::RangeResult answer;
  const std::optional<Error> error = server_.RangeInMemory(request, &answer);
  if (error && *error != Error::kOk) co_return *error;
  if (error && RowBytes(answer.kvs) <= kUnchargedBytes) {
    RangeResponse rest;
    rest.mutable_header()->set_revision(answer.revision.value());
    rest.set_more(answer.more);
    rest.set_count(answer.count);
    FillHeader(&rest);
    co_return EncodeRangeResponse(rest, answer.kvs);
  }
  if (error) {
    ListReader list(&server_, request, std::move(answer));
    co_return co_await LongRange(call, list);
  }
  const bool plain = IsPlainList(request);
  ListReader list(&server_, request, plain ? ListReader::Form::kPieces : ListReader::Form::kWhole);
  Reply reply = co_await LongRange(call, list);
  // Nobody can ask too late for the current revision: a compaction overtook the pieces.
  const bool overtaken = plain && request.revision() <= 0 &&
                         reply.status.error_code() == grpc::StatusCode::OUT_OF_RANGE;
  if (!overtaken) co_return reply;
  ListReader whole(&server_, request, ListReader::Form::kWhole);
  co_return co_await LongRange(call, whole);
}

Task<Reply> RangeCalls::LongRange(UnaryCall& call, ListReader& list) {
  RangeEncoder encoder(&budget_);
  int64_t rows = kFirstPieceRows;
  bool in_pool = false;
  while (!list.done()) {
    if (!in_pool || !encoder.Admit()) {
      const Error entered = co_await EnterPoolWithRoom(encoder, call.queue(), call.deadline());
      if (entered != Error::kOk) co_return entered;
      in_pool = true;
    }
    server::RangeResult piece;
    const Error error = list.Next(rows, &piece);
    if (error != Error::kOk) co_return error;
    const size_t bytes = RowBytes(piece.kvs);
    if (bytes + encoder.row_bytes() > kMaxMessageBytes) {
      co_return TooLargeToSend(bytes + encoder.row_bytes());
    }
    encoder.Add(std::move(piece.kvs));
    rows = NextPieceRows(rows, bytes);
  }
  co_return encoder.RangeResponse(RestOf(list));
}

// Makes the messages of a stream, one ahead of the one that is being sent: while the client takes
// that, the next is read. On the polling thread, but for the reading.
class RangeCalls::ChunkReader {
 public:
  ChunkReader(RangeCalls* calls, StreamCall* call, RangeRequest request)
      : calls_(*calls),
        queue_(call->queue()),
        deadline_(call->deadline()),
        list_(&calls->server_, request, FormOf(request)),
        target_bytes_(calls->server_.config().max_request_bytes) {}
  ChunkReader(const ChunkReader&) = delete;

  // Begins the next message. REQUIRES: !done(). To be followed by Ready() before anything else, and
  // before the end of this object.
  Detached Start() {
    const CallQueue::Hold hold(&queue_);
    ready_.emplace();
    RangeEncoder encoder(&calls_.budget_);
    const Error entered = co_await calls_.EnterPoolWithRoom(encoder, queue_, deadline_);
    status_ = ToStatus(entered);
    if (status_.ok()) {
      Read(encoder);
      co_await queue_.Switch();
    }
    ready_->Set();  // may end *this
  }
  Signal::Awaiter Ready() { return ready_->Wait(); }

  // Of the message that is ready.
  const grpc::Status& status() const { return status_; }
  void Take(grpc::ByteBuffer* chunk) { chunk->Swap(&chunk_); }
  bool done() const { return list_.done(); }

 private:
  // A target without an order means ascending, which takes the whole list: it is one message. The
  // reference sorts each of its messages for itself, and then sends rows twice.
  static ListReader::Form FormOf(const RangeRequest& request) {
    return IsPlainList(request) ? ListReader::Form::kStream : ListReader::Form::kWhole;
  }
  void Read(RangeEncoder& encoder) {
    server::RangeResult piece;
    status_ = ToStatus(list_.Next(rows_, &piece));
    if (!status_.ok()) return;
    if (const size_t bytes = RowBytes(piece.kvs); bytes > kMaxMessageBytes) {
      status_ = TooLargeToSend(bytes);
      return;
    }
    rows_ = NextChunkRows(rows_, ChunkBytes(piece), target_bytes_);
    encoder.Add(std::move(piece.kvs));
    grpc::ByteBuffer chunk = encoder.RangeStreamResponse(calls_.RestOf(list_));
    chunk_.Swap(&chunk);
  }

  RangeCalls& calls_;
  CallQueue& queue_;
  const TimePoint deadline_;
  ListReader list_;
  const size_t target_bytes_;
  int64_t rows_ = kFirstChunkRows;
  grpc::Status status_;
  grpc::ByteBuffer chunk_;
  std::optional<Signal> ready_;
};

Task<grpc::Status> RangeCalls::RangeStream(StreamCall& call, RangeRequest request) {
  ChunkReader reader(this, &call, std::move(request));
  reader.Start();
  for (;;) {
    co_await reader.Ready();
    if (!reader.status().ok()) co_return reader.status();
    grpc::ByteBuffer chunk;
    reader.Take(&chunk);
    const bool last = reader.done();
    if (!last) reader.Start();
    const bool written = co_await call.Write(chunk);
    if (written && !last) continue;
    if (!last) co_await reader.Ready();
    co_return written ? grpc::Status::OK : ToStatus(Error::kContextCanceled);
  }
}

}  // namespace kvorum::api
