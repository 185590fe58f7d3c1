#pragma once
// Between protobuf messages and gRPC's byte buffers. Thread-safe: pure functions.

#include <google/protobuf/message_lite.h>
#include <grpcpp/support/byte_buffer.h>
#include <grpcpp/support/status.h>

#include <cstddef>

namespace kvorum::api {

// Decodes a request. Larger than `max_bytes`: ResourceExhausted; not a message of this type:
// Internal; both in the words of the original's gRPC library.
grpc::Status Decode(const grpc::ByteBuffer& bytes, size_t max_bytes,
                    google::protobuf::MessageLite* message);

grpc::ByteBuffer Encode(const google::protobuf::MessageLite& message);

}  // namespace kvorum::api
