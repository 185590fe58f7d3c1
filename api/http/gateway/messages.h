#pragma once
// Between a call's bytes and JSON, by the method's descriptor. Pure functions.

#include <google/protobuf/descriptor.h>
#include <google/protobuf/message.h>
#include <grpcpp/support/byte_buffer.h>
#include <grpcpp/support/status.h>

#include <memory>
#include <string>

#include "api/http/exchange.h"
#include "base/status.h"

namespace kvorum::api {

std::unique_ptr<google::protobuf::Message> NewMessage(const google::protobuf::Descriptor* type);

// Internal if the bytes are no such message, or one that cannot be printed.
StatusOr<std::string> PrintAnswer(const grpc::ByteBuffer& bytes,
                                  const google::protobuf::Descriptor* type);

// Of an answer that is not an error.
HttpHeaders AnswerHeaders();

// A request that could not be read, as the caller is told.
grpc::Status ToGrpc(const Status& status);

}  // namespace kvorum::api
