#include "api/http/gateway/messages.h"

#include <limits>

#include "api/grpc/wire.h"
#include "api/http/gateway/json_printer.h"
#include "base/check.h"
#include "base/strings.h"

namespace kvorum::api {

using google::protobuf::Descriptor;
using google::protobuf::Message;
using google::protobuf::MessageFactory;

std::unique_ptr<Message> NewMessage(const Descriptor* type) {
  const Message* prototype = MessageFactory::generated_factory()->GetPrototype(type);
  CHECK(prototype != nullptr) << type->full_name();
  return std::unique_ptr<Message>(prototype->New());
}

StatusOr<std::string> PrintAnswer(const grpc::ByteBuffer& bytes, const Descriptor* type) {
  const std::unique_ptr<Message> message = NewMessage(type);
  const grpc::Status decoded = Decode(bytes, std::numeric_limits<size_t>::max(), message.get());
  if (!decoded.ok()) return absl::InternalError(decoded.error_message());
  return PrintJson(*message);
}

HttpHeaders AnswerHeaders() {
  return {{"Content-Type", "application/json"}, {"Grpc-Metadata-Content-Type", "application/grpc"}};
}

grpc::Status ToGrpc(const Status& status) {
  if (status.ok()) return grpc::Status::OK;
  return grpc::Status(static_cast<grpc::StatusCode>(status.code()),
                      std::string(ToStd(status.message())));
}

}  // namespace kvorum::api
