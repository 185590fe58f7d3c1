#include "api/grpc/wire.h"

#include <grpcpp/support/proto_buffer_reader.h>
#include <grpcpp/support/slice.h>

#include <string>
#include <vector>

namespace kvorum::api {
namespace {

bool Parse(const grpc::ByteBuffer& bytes, google::protobuf::MessageLite* message) {
  grpc::Slice slice;
  if (bytes.TrySingleSlice(&slice).ok()) {
    return message->ParseFromArray(slice.begin(), static_cast<int>(slice.size()));
  }
  grpc::ByteBuffer buffer(bytes);  // the reader wants one it may change; slices are shared
  grpc::ProtoBufferReader reader(&buffer);
  return reader.status().ok() && message->ParseFromZeroCopyStream(&reader);
}

}  // namespace

grpc::Status Decode(const grpc::ByteBuffer& bytes, size_t max_bytes,
                    google::protobuf::MessageLite* message, std::string_view failure) {
  if (const size_t size = bytes.Length(); size > max_bytes) {
    return grpc::Status(grpc::StatusCode::RESOURCE_EXHAUSTED,
                        "grpc: received message larger than max (" + std::to_string(size) +
                            " vs. " + std::to_string(max_bytes) + ")");
  }
  if (!bytes.Valid() || bytes.Length() == 0) {
    message->Clear();
    return grpc::Status::OK;
  }
  if (Parse(bytes, message)) return grpc::Status::OK;
  return grpc::Status(grpc::StatusCode::INTERNAL,
                      std::string(failure) + ": proto: cannot parse invalid wire-format data");
}

grpc::ByteBuffer Encode(const google::protobuf::MessageLite& message) {
  const size_t size = message.ByteSizeLong();
  grpc::Slice slice(size);
  message.SerializeWithCachedSizesToArray(const_cast<uint8_t*>(slice.begin()));
  return grpc::ByteBuffer(&slice, 1);
}

}  // namespace kvorum::api
