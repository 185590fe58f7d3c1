#pragma once
// One call as its handler sees it: the request's bytes, and for a stream the operations to await.
//
// A UnaryCall belongs to one coroutine, which may move between threads at each co_await. A
// StreamCall and everything that touches it stays on the polling thread of its queue, so its state
// needs no lock.
//
// gRPC does not end calls at their deadline (grpc_front.cc): it would do so in the middle of a
// message. Unary handlers pass the deadline to what they wait for, and those that may wait for
// minutes are told by ClientWatch; a StreamCall ends itself.

#include <grpcpp/alarm.h>
#include <grpcpp/server_context.h>
#include <grpcpp/support/async_stream.h>
#include <grpcpp/support/async_unary_call.h>
#include <grpcpp/support/byte_buffer.h>

#include <coroutine>
#include <functional>
#include <optional>
#include <string>

#include "api/errors.h"
#include "api/grpc/call_metrics.h"
#include "api/grpc/client_watch.h"
#include "api/grpc/queue.h"
#include "api/grpc/task.h"
#include "api/grpc/wire.h"
#include "base/clock.h"

namespace kvorum::api {

// What a unary handler ends with: bytes, or a status that is not OK.
class Reply {
 public:
  Reply(grpc::Status status) : status(std::move(status)) {}                        // NOLINT
  Reply(server::Error error) : status(ToStatus(error)) {}                          // NOLINT
  Reply(grpc::ByteBuffer bytes) : bytes(std::move(bytes)) {}                       // NOLINT
  Reply(const google::protobuf::MessageLite& message) : bytes(Encode(message)) {}  // NOLINT

  grpc::Status status;
  grpc::ByteBuffer bytes;
};

// The client's deadline on the machine's steady clock; TimePoint::max() without one.
TimePoint DeadlineOf(const grpc::ServerContext& context);

class UnaryCall {
 public:
  UnaryCall(CallQueue* queue, size_t max_request_bytes)
      : writer(&context), queue_(queue), max_request_bytes_(max_request_bytes) {}
  UnaryCall(const UnaryCall&) = delete;

  // Before the call is accepted: `client` will notice its end.
  void WatchClient() {
    client.emplace();
    context.AsyncNotifyWhenDone(static_cast<Tag*>(&*client));
  }

  // Decodes the request; not OK: the status to end the call with.
  grpc::Status Parse(google::protobuf::MessageLite* message) const {
    return Decode(request, max_request_bytes_, message);
  }
  TimePoint deadline() const { return DeadlineOf(context); }
  CallQueue& queue() { return *queue_; }

  grpc::ServerContext context;
  grpc::ByteBuffer request;
  grpc::ServerAsyncResponseWriter<Outgoing> writer;
  std::optional<ClientWatch> client;  // of methods that may wait long

 private:
  CallQueue* const queue_;
  const size_t max_request_bytes_;
};

// A stream in both directions. At most one Read and one Write at a time. After Stop (this member
// ends the stream) both are refused at once, and the handler should come to its end.
class StreamCall {
 public:
  StreamCall(CallQueue* queue, size_t max_request_bytes);
  StreamCall(const StreamCall&) = delete;

  // False: no further request; the client has closed its side or is gone.
  auto Read(grpc::ByteBuffer* bytes) {
    const auto start = [this, bytes](void* tag) { stream.Read(bytes, tag); };
    return StreamOperation<decltype(start)>(this, start, bytes);
  }
  // Completes when the peer's flow control has taken it. `more_follows`: need not leave at once.
  // False: the stream is dead.
  auto Write(const grpc::ByteBuffer& bytes, bool more_follows = false) {
    grpc::WriteOptions options;
    // The first message carries the initial metadata, and completes when those have left: held
    // back, it would wait for the next message, which waits for it.
    if (more_follows && wrote_) options.set_buffer_hint();
    wrote_ = true;
    const auto start = [this, &bytes, options](void* tag) { stream.Write(bytes, options, tag); };
    return StreamOperation<decltype(start)>(this, start, SizeOf(bytes));
  }
  grpc::Status Parse(const grpc::ByteBuffer& bytes, google::protobuf::MessageLite* message) const {
    return Decode(bytes, max_request_bytes_, message, kNoStreamMessage);
  }

  // Ends the stream with `error`; nothing happens if it is ending already. The pending Read fails.
  void Stop(server::Error error);
  bool stopped() const { return stopped_; }
  // For the service, once the call has been received: Stop at the client's deadline. To be followed
  // by End.
  Detached StopAtDeadline();

  // Whether nothing sent would arrive any more: stopped, or the client is gone.
  bool over() const { return stopped_ || done_.signal.is_set(); }
  // co_await Done(): the client is gone, or has been given the status.
  Signal::Awaiter Done() { return done_.signal.Wait(); }
  TimePoint deadline() const { return DeadlineOf(context); }
  CallQueue& queue() { return *queue_; }
  // For WaitFor: the stream goes on on its own thread.
  Executor& executor() { return queue_->poster(); }

  // `work` runs when the stream is over (see Done), before who awaits that goes on.
  void OnDone(std::function<void()> work) { done_.work = std::move(work); }

  // For the service: the end of the stream, whatever the handler said if Stop was first.
  Task<bool> End(grpc::Status status);
  // After End(status): how the stream ended, which may be that the client had left.
  grpc::StatusCode Outcome(const grpc::Status& status) const {
    const grpc::Status& told = FinalStatus(status);
    return told.ok() && context.IsCancelled() ? grpc::StatusCode::CANCELLED : told.error_code();
  }
  bool requires_leader = false;
  const MethodMetrics* counts = nullptr;  // of messages, from when it is set

  grpc::ServerContext context;
  grpc::ServerAsyncReaderWriter<grpc::ByteBuffer, grpc::ByteBuffer> stream;

 private:
  const grpc::Status& FinalStatus(const grpc::Status& status) const {
    return stopped_ ? stop_status_ : status;
  }

  struct DoneTag final : public Tag {
    void Complete(bool) override {
      if (work) work();
      signal.Set();
    }
    std::function<void()> work;
    Signal signal;
  };
  template <typename Start>
  class StreamOperation final : public Tag {
   public:
    StreamOperation(StreamCall* call, Start start, const grpc::ByteBuffer* read_into)
        : call_(call), start_(start), read_into_(read_into) {}
    StreamOperation(StreamCall* call, Start start, size_t written_bytes)
        : call_(call), start_(start), read_into_(nullptr), written_bytes_(written_bytes) {}
    StreamOperation(const StreamOperation&) = delete;
    bool await_ready() const noexcept { return call_->stopped_; }
    void await_suspend(std::coroutine_handle<> self) {
      self_ = self;
      if (read_into_ == nullptr) call_->writing_ = true;
      start_(static_cast<Tag*>(this));
    }
    bool await_resume() const noexcept { return ok_ && !call_->stopped_; }
    void Complete(bool ok) override {
      ok_ = ok;
      if (call_->counts != nullptr) Count();
      if (read_into_ == nullptr) call_->writing_ = false;
      call_->FinishIfStopped();
      self_.resume();
    }

   private:
    // A failed one counts, too, as etcd's does: the last read of a stream always fails.
    void Count() const {
      if (read_into_ != nullptr) {
        call_->counts->OnReceived(ok_ ? SizeOf(*read_into_) : 0);
      } else {
        call_->counts->OnSent(ok_ ? written_bytes_ : 0);
      }
    }

    StreamCall* call_;
    Start start_;
    const grpc::ByteBuffer* read_into_;  // null: a write
    size_t written_bytes_ = 0;
    std::coroutine_handle<> self_;
    bool ok_ = false;
  };

  Detached Finish(grpc::Status status);
  // Stop cannot end the stream under a running Write; this does, once it has completed.
  void FinishIfStopped() {
    if (stopped_ && !writing_ && !finishing_ && !done_.signal.is_set()) Finish(stop_status_);
  }

  CallQueue* const queue_;
  const size_t max_request_bytes_;
  DoneTag done_;
  Signal finished_;
  std::optional<grpc::Alarm> deadline_;
  Signal deadline_over_;
  bool writing_ = false;
  bool stopped_ = false;
  bool finishing_ = false;
  bool wrote_ = false;
  grpc::Status stop_status_;
};

}  // namespace kvorum::api
