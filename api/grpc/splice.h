#pragma once
// Answers put together from encoded pieces: a list's rows and a watch's events are KeyValues
// already in their canonical bytes, copied once into the answer and never decoded.
//
// The bytes equal what protobuf would have written for the same message.

#include <grpcpp/support/byte_buffer.h>

#include <cstddef>
#include <span>
#include <vector>

#include "api/grpc/response_budget.h"
#include "mvcc/watchable_store.h"
#include "proto/rpc.pb.h"

namespace kvorum::api {

// What the rows of a RangeResponse take in it.
size_t RowBytes(std::span<const mvcc::Row> rows);

// etcdserverpb.RangeResponse, in one slice. `rest`: the message without its rows.
grpc::ByteBuffer EncodeRangeResponse(const etcdserverpb::RangeResponse& rest,
                                     std::span<const mvcc::Row> rows);

class RangeEnds;

// A RangeResponse of any size that grows row by row, in slices of bounded size that are freed one
// by one as they are sent. At no time are rows held twice: they are taken one by one, and large
// ones are shown where they are. One thread at a time.
class RangeEncoder {
 public:
  explicit RangeEncoder(ResponseBudget* budget);

  // See ResponseBudget: to be asked before each Add.
  bool Admit() { return maker_.Admit(); }
  void Add(std::vector<mvcc::Row> rows);
  // Of the rows so far.
  size_t row_bytes() const { return row_bytes_; }

  // The whole, with the fields of `rest` around the rows; as the message itself, or inside a
  // RangeStreamResponse. Ends the encoder's use.
  grpc::ByteBuffer RangeResponse(const etcdserverpb::RangeResponse& rest);
  grpc::ByteBuffer RangeStreamResponse(const etcdserverpb::RangeResponse& rest);

 private:
  class Writer;

  grpc::ByteBuffer Assemble(grpc::Slice head, const RangeEnds& ends);

  ResponseBudget::Maker maker_;
  std::vector<grpc::Slice> slices_;  // the first is kept for what comes before the rows
  size_t row_bytes_ = 0;
};

// etcdserverpb.WatchResponse, in one message; or, if the watch allows fragments and the whole is
// not smaller than `fragment_bytes`, in several, each below that unless a single event is larger.
// All but the last then say fragment = true.
std::vector<grpc::ByteBuffer> EncodeWatchResponse(const etcdserverpb::ResponseHeader& header,
                                                  const mvcc::WatchResponse& response,
                                                  size_t fragment_bytes);

}  // namespace kvorum::api
