#include "api/http/gateway/gateway.h"

#include <google/protobuf/message.h>

#include <chrono>
#include <utility>

#include "api/errors.h"
#include "api/grpc/wire.h"
#include "api/http/gateway/exchange_waits.h"
#include "api/http/gateway/gateway_stream.h"
#include "api/http/gateway/json_parser.h"
#include "api/http/gateway/messages.h"
#include "api/http/gateway/metadata.h"
#include "api/http/gateway/replies.h"
#include "base/strings.h"

namespace kvorum::api {

using google::protobuf::Message;
using grpc::StatusCode;

namespace {

constexpr std::string_view kPrefix = "/v3/";
constexpr std::string_view kOldPrefix = "/v3beta/";

// The path by its present name.
std::string PresentPath(const std::string& path) {
  if (!path.starts_with(kOldPrefix)) return path;
  return std::string(kPrefix) + path.substr(kOldPrefix.size());
}

HttpReply ToReply(const grpc::Status& status, const grpc::ByteBuffer& answer,
                  const google::protobuf::Descriptor* type) {
  if (!status.ok()) return ErrorReply(InGatewayWords(status));
  const StatusOr<std::string> json = PrintAnswer(answer, type);
  if (!json.ok()) {
    return ErrorReply(ToGrpc(json.status()));
  }
  HttpReply reply;
  reply.headers = AnswerHeaders();
  reply.body = *json;
  return reply;
}

}  // namespace

Gateway::Gateway(std::shared_ptr<grpc::Channel> channel, const Options& options)
    : options_(options),
      routes_(MakeGatewayRoutes()),
      queue_(NewNonPollingQueue(), {"gateway", 0}),
      stub_(std::move(channel)),
      slots_(options.max_concurrent_streams) {}

void Gateway::Mount(HttpRouter* router) {
  router->Mount(std::string(kPrefix),
                [this](std::shared_ptr<HttpExchange> exchange) { Handle(std::move(exchange)); });
  router->Rename(std::string(kOldPrefix), std::string(kPrefix));
}

void Gateway::Start() { queue_.Start(); }

void Gateway::Shutdown(Duration grace) {
  Stop();
  quiet_.WaitForNotificationWithTimeout(absl::FromChrono(grace));
}

void Gateway::Join() { queue_.Finish(); }

void Gateway::Handle(std::shared_ptr<HttpExchange> exchange) {
  const auto route = routes_.find(PresentPath(exchange->request().path));
  if (route == routes_.end()) {
    exchange->Respond(ErrorReply(grpc::Status(StatusCode::NOT_FOUND, "Not Found")));
  } else if (exchange->request().method != "POST") {
    exchange->Respond(ErrorReply(grpc::Status(StatusCode::UNIMPLEMENTED, "Method Not Allowed")));
  } else if (route->second.descriptor->server_streaming()) {
    GatewayStream::Serve(
        std::make_shared<GatewayStream>(this, std::move(exchange), &route->second));
  } else {
    ServeUnary(std::move(exchange), &route->second);
  }
}

Detached Gateway::ServeUnary(std::shared_ptr<HttpExchange> exchange, const GatewayRoute* route) {
  const CallQueue::Hold hold(&queue_);
  co_await queue_.Switch();
  const UnaryCount count(this);
  HttpReply reply = co_await CallUnary(*exchange, *route);
  exchange->Respond(std::move(reply));
}

Task<HttpReply> Gateway::CallUnary(HttpExchange& exchange, const GatewayRoute& route) {
  const auto context = std::make_shared<grpc::ClientContext>();
  const grpc::Status headers = AddMetadata(exchange.request(), context.get());
  if (!headers.ok()) co_return ErrorReply(headers);
  exchange.OnGone([context] { context->TryCancel(); });

  const std::unique_ptr<Message> request = NewMessage(route.descriptor->input_type());
  const grpc::Status read = co_await ReadRequest(exchange, request.get());
  if (!read.ok()) co_return ErrorReply(read);
  const CallSlots::Slot slot = co_await slots_.Take();
  if (!slot) co_return ErrorReply(ToStatus(server::Error::kStopped));

  if (context->deadline() <= std::chrono::system_clock::now()) {  // so it is not even begun
    co_return ErrorReply(DeadlineExceeded());
  }

  const grpc::ByteBuffer bytes = Encode(*request);
  const auto call = stub_.PrepareUnaryCall(context.get(), route.method, bytes, queue_.grpc_queue());
  call->StartCall();
  grpc::ByteBuffer answer;
  grpc::Status status;
  co_await Operation([&](void* tag) { call->Finish(&answer, &status, tag); });
  co_return ToReply(status, answer, route.descriptor->output_type());
}

Task<grpc::Status> Gateway::ReadRequest(HttpExchange& exchange, Message* request) {
  JsonCutter cutter(max_value_bytes());
  auto state = JsonCutter::State::kMore;
  Holding holding(this);
  HttpBodyPiece piece;
  do {
    piece = co_await BodyRead(&exchange, &queue_);
    std::string_view bytes = piece.bytes;
    if (state == JsonCutter::State::kMore) state = cutter.Feed(&bytes);
    if (state == JsonCutter::State::kError) co_return CutterStatus(cutter);
    if (!holding.Resize(cutter.held_bytes())) co_return TooMuchHeld();
  } while (piece.state == HttpBodyPiece::State::kMore);
  if (piece.state == HttpBodyPiece::State::kBroken) {
    co_return grpc::Status(StatusCode::INVALID_ARGUMENT, std::string(piece.error));
  }
  if (state == JsonCutter::State::kMore) state = cutter.End();
  if (state == JsonCutter::State::kError) co_return CutterStatus(cutter);
  if (state == JsonCutter::State::kMore) co_return grpc::Status::OK;  // an empty body is {}
  co_return ToGrpc(ParseJson(cutter.TakeValue(), request));
}

grpc::Status Gateway::CutterStatus(const JsonCutter& cutter) const {
  if (!cutter.too_large()) return grpc::Status(StatusCode::INVALID_ARGUMENT, cutter.error());
  return grpc::Status(
      StatusCode::RESOURCE_EXHAUSTED,
      StrCat("grpc: received message larger than max (more than ", max_value_bytes(),
             " bytes of JSON vs. ", options_.max_request_bytes, ")"));
}

Detached Gateway::Stop() {
  const CallQueue::Hold hold(&queue_);
  co_await queue_.Switch();
  stopping_ = true;
  slots_.Close();
  for (GatewayStream* stream : streams_) stream->Cancel();
  NoteIfQuiet();
}

void Gateway::NoteIfQuiet() {
  if (stopping_ && unary_calls_ == 0 && !quiet_.HasBeenNotified()) quiet_.Notify();
}

}  // namespace kvorum::api
