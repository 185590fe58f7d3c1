#include "api/http/gateway/replies.h"

#include "api/http/gateway/json_printer.h"

namespace kvorum::api {

using grpc::StatusCode;

grpc::Status DeadlineExceeded() {
  return grpc::Status(StatusCode::DEADLINE_EXCEEDED, "context deadline exceeded");
}

grpc::Status TooMuchHeld() {
  return grpc::Status(StatusCode::RESOURCE_EXHAUSTED, "etcdserver: too many requests");
}

grpc::Status InGatewayWords(grpc::Status status) {
  if (status.error_code() == StatusCode::DEADLINE_EXCEEDED) return DeadlineExceeded();
  if (status.error_code() == StatusCode::CANCELLED) {
    return grpc::Status(StatusCode::CANCELLED, "context canceled");
  }
  return status;
}

int HttpStatusOf(grpc::StatusCode code) {
  switch (code) {
    case StatusCode::OK:
      return 200;
    case StatusCode::CANCELLED:
      return 499;
    case StatusCode::INVALID_ARGUMENT:
    case StatusCode::FAILED_PRECONDITION:
    case StatusCode::OUT_OF_RANGE:
      return 400;
    case StatusCode::DEADLINE_EXCEEDED:
      return 504;
    case StatusCode::NOT_FOUND:
      return 404;
    case StatusCode::ALREADY_EXISTS:
    case StatusCode::ABORTED:
      return 409;
    case StatusCode::PERMISSION_DENIED:
      return 403;
    case StatusCode::UNAUTHENTICATED:
      return 401;
    case StatusCode::RESOURCE_EXHAUSTED:
      return 429;
    case StatusCode::UNIMPLEMENTED:
      return 501;
    case StatusCode::UNAVAILABLE:
      return 503;
    default:
      return 500;
  }
}

HttpReply ErrorReply(const grpc::Status& status) {
  HttpReply reply;
  reply.status = HttpStatusOf(status.error_code());
  reply.headers = {{"Content-Type", "application/json"}};
  if (status.error_code() == StatusCode::UNAUTHENTICATED) {
    reply.headers.emplace_back("WWW-Authenticate", status.error_message());
  }
  reply.body = ErrorJson(status.error_code(), status.error_message());
  return reply;
}

std::string ErrorLine(const grpc::Status& status) {
  return "{\"error\":" + ErrorJson(status.error_code(), status.error_message()) + "}\n";
}

}  // namespace kvorum::api
