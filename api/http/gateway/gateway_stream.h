#pragma once
// One streaming call of the gateway: values of the body go out as requests, in their order and as
// they arrive; answers come back as lines, until the service ends the stream.
//
// A client that has said all it wants to say leaves a watch open and hears its events; one that
// closes its connection ends the call. JSON that makes no sense ends the requests, not the stream:
// etcd's gateway does not tell. On the gateway's thread, except the constructor.

#include <grpcpp/client_context.h>
#include <grpcpp/generic/generic_stub.h>

#include <memory>
#include <string>

#include "api/http/gateway/gateway.h"

namespace kvorum::api {

class GatewayStream {
 public:
  GatewayStream(Gateway* gateway, std::shared_ptr<HttpExchange> exchange,
                const GatewayRoute* route);
  GatewayStream(const GatewayStream&) = delete;

  static Detached Serve(std::shared_ptr<GatewayStream> self);
  void Cancel() { context_->TryCancel(); }

 private:
  // In the gateway's set of open streams, for as long as this object lives.
  class Entry {
   public:
    explicit Entry(GatewayStream* stream) : stream_(stream) {
      stream_->gateway_.streams_.insert(stream_);
    }
    Entry(const Entry&) = delete;
    ~Entry() { stream_->gateway_.streams_.erase(stream_); }

   private:
    GatewayStream* stream_;
  };

  // What is wrong before there is a call.
  Task<grpc::Status> Prepare();
  // The call, and how it ended.
  static Task<grpc::Status> Run(std::shared_ptr<GatewayStream> self);
  static Detached SendBody(std::shared_ptr<GatewayStream> self);
  // False: there are to be no more requests, because of what was read or because the call is over.
  Task<bool> SendValues(JsonCutter& cutter, std::string_view bytes, bool at_end);
  Task<bool> SendValue(std::string value);
  Task<bool> CloseRequests();
  Task<bool> ForwardAnswers();
  Task<bool> EndAnswer(grpc::Status status);
  CallQueue& queue() { return gateway_.queue_; }

  Gateway& gateway_;
  const std::shared_ptr<HttpExchange> exchange_;
  const GatewayRoute& route_;
  // Shared with the HTTP thread, which cancels.
  const std::shared_ptr<grpc::ClientContext> context_ = std::make_shared<grpc::ClientContext>();
  std::unique_ptr<grpc::GenericClientAsyncReaderWriter> rpc_;
  grpc::ByteBuffer only_request_;  // of a method that takes one
  grpc::Status failure_;           // ours, which goes before the service's
  bool answered_ = false;
  bool over_ = false;  // the last answer is read: nothing can be sent any more
};

}  // namespace kvorum::api
