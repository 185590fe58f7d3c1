#pragma once
// Between protobuf messages and gRPC's byte buffers.

#include <google/protobuf/message_lite.h>
#include <grpcpp/impl/codegen/serialization_traits.h>
#include <grpcpp/support/byte_buffer.h>
#include <grpcpp/support/status.h>

#include <cstddef>
#include <string_view>

namespace kvorum::api {

// How the text begins for bytes that are no message: the request of a unary call, one of a stream.
inline constexpr std::string_view kNoRequest = "grpc: error unmarshalling request";
inline constexpr std::string_view kNoStreamMessage =
    "grpc: failed to unmarshal the received message";

// Decodes a request. Larger than `max_bytes`: ResourceExhausted; not a message of this type:
// Internal, with a text that begins with `failure`; both in the words of the original's gRPC
// library.
grpc::Status Decode(const grpc::ByteBuffer& bytes, size_t max_bytes,
                    google::protobuf::MessageLite* message, std::string_view failure = kNoRequest);

// 0 for a buffer that holds nothing.
inline size_t SizeOf(const grpc::ByteBuffer& bytes) { return bytes.Valid() ? bytes.Length() : 0; }

grpc::ByteBuffer Encode(const google::protobuf::MessageLite& message);

// A message to be sent once. gRPC gets the only reference to its slices, so each is freed when it
// has been sent, while a ByteBuffer kept by the sender would hold them all to the end.
class Outgoing {
 public:
  // Takes what `bytes` holds.
  explicit Outgoing(grpc::ByteBuffer* bytes) { bytes_.Swap(bytes); }
  Outgoing(const Outgoing&) = delete;

 private:
  friend class grpc::SerializationTraits<Outgoing>;
  mutable grpc::ByteBuffer bytes_;
};

}  // namespace kvorum::api

template <>
class grpc::SerializationTraits<kvorum::api::Outgoing> {
 public:
  static Status Serialize(const kvorum::api::Outgoing& message, ByteBuffer* buffer,
                          bool* own_buffer) {
    buffer->Swap(&message.bytes_);
    *own_buffer = true;
    return Status::OK;
  }
};
