#pragma once
// Answers put together from encoded pieces: a list's rows and a watch's events are KeyValues
// already in their canonical bytes, copied once into the answer and never decoded.
//
// Pure functions. The bytes equal what protobuf would have written for the same message.

#include <grpcpp/support/byte_buffer.h>

#include <cstddef>
#include <vector>

#include "mvcc/watchable_store.h"
#include "proto/rpc.pb.h"
#include "server/server.h"

namespace kvorum::api {

// etcdserverpb.RangeResponse. In slices of bounded size, so that what has been sent can be freed;
// rows are taken one by one out of `result`.
grpc::ByteBuffer EncodeRangeResponse(const etcdserverpb::ResponseHeader& header,
                                     server::RangeResult result);

// etcdserverpb.WatchResponse, in one message; or, if the watch allows fragments and the whole is
// not smaller than `fragment_bytes`, in several, each below that unless a single event is larger.
// All but the last then say fragment = true.
std::vector<grpc::ByteBuffer> EncodeWatchResponse(const etcdserverpb::ResponseHeader& header,
                                                  const mvcc::WatchResponse& response,
                                                  size_t fragment_bytes);

}  // namespace kvorum::api
