#include "api/http/gateway/gateway_stream.h"

#include <google/protobuf/message.h>

#include <utility>

#include "api/errors.h"
#include "api/grpc/wire.h"
#include "api/http/gateway/exchange_waits.h"
#include "api/http/gateway/json_parser.h"
#include "api/http/gateway/messages.h"
#include "api/http/gateway/metadata.h"
#include "api/http/gateway/replies.h"

namespace kvorum::api {

using google::protobuf::Message;

GatewayStream::GatewayStream(Gateway* gateway, std::shared_ptr<HttpExchange> exchange,
                             const GatewayRoute* route)
    : gateway_(*gateway), exchange_(std::move(exchange)), route_(*route) {}

Detached GatewayStream::Serve(std::shared_ptr<GatewayStream> self) {
  const CallQueue::Hold hold(&self->queue());
  co_await self->queue().Switch();
  const grpc::Status prepared = co_await self->Prepare();
  if (!prepared.ok()) {
    self->exchange_->Respond(ErrorReply(prepared));
    co_return;
  }
  const CallSlots::Slot slot = co_await self->gateway_.slots_.Take();
  if (!slot) {
    self->exchange_->Respond(ErrorReply(ToStatus(server::Error::kStopped)));
    co_return;
  }
  const Entry entry(self.get());
  const grpc::Status status = co_await Run(self);
  co_await self->EndAnswer(status);
}

Task<grpc::Status> GatewayStream::Prepare() {
  const grpc::Status headers = AddMetadata(exchange_->request(), context_.get());
  if (!headers.ok()) co_return headers;
  exchange_->OnGone([context = context_] { context->TryCancel(); });
  if (route_.descriptor->client_streaming()) co_return grpc::Status::OK;
  const std::unique_ptr<Message> request = NewMessage(route_.descriptor->input_type());
  const grpc::Status read = co_await gateway_.ReadRequest(*exchange_, request.get());
  if (read.ok()) only_request_ = Encode(*request);
  co_return read;
}

Task<grpc::Status> GatewayStream::Run(std::shared_ptr<GatewayStream> self) {
  GatewayStream& stream = *self;
  stream.rpc_ = stream.gateway_.stub_.PrepareCall(stream.context_.get(), stream.route_.method,
                                                  stream.queue().grpc_queue());
  const bool started = co_await Operation([&](void* tag) { stream.rpc_->StartCall(tag); });
  if (started) {
    if (stream.route_.descriptor->client_streaming()) {
      SendBody(self);
    } else {
      const grpc::WriteOptions options;
      co_await Operation(
          [&](void* tag) { stream.rpc_->WriteLast(stream.only_request_, options, tag); });
    }
    co_await stream.ForwardAnswers();
  }
  stream.over_ = true;
  grpc::Status status;
  co_await Operation([&](void* tag) { stream.rpc_->Finish(&status, tag); });
  co_return status;
}

// Reads to the end also what is of no use any more: so the client's going away is noticed.
Detached GatewayStream::SendBody(std::shared_ptr<GatewayStream> self) {
  const CallQueue::Hold hold(&self->queue());
  JsonCutter cutter(self->gateway_.max_value_bytes());
  Gateway::Holding holding(&self->gateway_);
  bool open = true;
  bool at_end = false;
  while (!at_end) {
    const HttpBodyPiece piece = co_await BodyRead(self->exchange_.get(), &self->queue());
    if (piece.state == HttpBodyPiece::State::kBroken) {
      self->Cancel();
      co_return;
    }
    at_end = piece.state == HttpBodyPiece::State::kEnd;
    if (!open) continue;
    open = co_await self->SendValues(cutter, piece.bytes, at_end);
    if (!holding.Resize(cutter.held_bytes())) {
      self->failure_ = TooMuchHeld();
      self->Cancel();
      co_return;
    }
    if (!open || at_end) co_await self->CloseRequests();
  }
}

Task<bool> GatewayStream::SendValues(JsonCutter& cutter, std::string_view bytes, bool at_end) {
  auto state = cutter.Feed(&bytes);
  while (state == JsonCutter::State::kValue) {
    const bool sent = co_await SendValue(cutter.TakeValue());
    if (!sent) co_return false;
    state = cutter.Feed(&bytes);
  }
  if (state == JsonCutter::State::kMore && at_end) state = cutter.End();
  if (state == JsonCutter::State::kValue) {
    const bool sent = co_await SendValue(cutter.TakeValue());
    co_return sent;
  }
  co_return state == JsonCutter::State::kMore;
}

Task<bool> GatewayStream::SendValue(std::string value) {
  const std::unique_ptr<Message> request = NewMessage(route_.descriptor->input_type());
  if (over_ || !ParseJson(value, request.get()).ok()) co_return false;
  const grpc::ByteBuffer bytes = Encode(*request);
  const bool sent = co_await Operation([&](void* tag) { rpc_->Write(bytes, tag); });
  co_return sent;
}

Task<bool> GatewayStream::CloseRequests() {
  if (over_) co_return false;
  const bool closed = co_await Operation([&](void* tag) { rpc_->WritesDone(tag); });
  co_return closed;
}

// Until the service ends the stream; a client that is gone makes it end.
Task<bool> GatewayStream::ForwardAnswers() {
  for (bool client_there = true;;) {
    grpc::ByteBuffer bytes;
    const bool received = co_await Operation([&](void* tag) { rpc_->Read(&bytes, tag); });
    if (!received) co_return client_there;
    if (!client_there) continue;
    const StatusOr<std::string> json = PrintAnswer(bytes, route_.descriptor->output_type());
    if (json.ok()) {
      if (!std::exchange(answered_, true)) exchange_->StartAnswer(200, AnswerHeaders());
      std::string line = "{\"result\":" + *json + "}\n";
      client_there = co_await AnswerWrite(exchange_.get(), &queue(), std::move(line));
    } else {
      failure_ = ToGrpc(json.status());
    }
    if (!client_there || !json.ok()) Cancel();
  }
}

Task<bool> GatewayStream::EndAnswer(grpc::Status status) {
  if (gateway_.stopping_ && status.error_code() == grpc::StatusCode::CANCELLED) {
    status = ToStatus(server::Error::kStopped);
  }
  status = failure_.ok() ? InGatewayWords(std::move(status)) : failure_;
  if (!answered_) {
    HttpHeaders headers;
    if (!status.ok()) headers = {{"Content-Type", "application/json"}};
    exchange_->StartAnswer(HttpStatusOf(status.error_code()), std::move(headers));
  }
  if (!status.ok()) co_await AnswerWrite(exchange_.get(), &queue(), ErrorLine(status));
  exchange_->End();
  co_return true;
}

}  // namespace kvorum::api
