#include "api/grpc/watch_service.h"

#include <utility>
#include <vector>

#include "api/grpc/splice.h"
#include "api/grpc/watch_queue.h"
#include "base/metrics.h"

namespace kvorum::api {
namespace {

using etcdserverpb::WatchCreateRequest;
using etcdserverpb::WatchRequest;

mvcc::WatchCreate ToWatchCreate(WatchCreateRequest& request) {
  mvcc::WatchCreate create;
  create.key = std::move(*request.mutable_key());
  create.range_end = std::move(*request.mutable_range_end());
  create.start_revision = Revision(request.start_revision());
  create.watch_id = request.watch_id();
  create.prev_kv = request.prev_kv();
  create.progress_notify = request.progress_notify();
  create.fragment = request.fragment();
  for (const int filter : request.filters()) {
    if (filter == WatchCreateRequest::NOPUT) create.no_put = true;
    if (filter == WatchCreateRequest::NODELETE) create.no_delete = true;
  }
  return create;
}

metrics::Histogram& AddSeconds(const char* name, const char* help) {
  return metrics::Default().AddHistogram(name, help, metrics::ExponentialBounds(.001, 2, 14));
}

metrics::Histogram& control_seconds =
    AddSeconds("etcd_debugging_server_watch_send_loop_control_stream_duration_seconds",
               "The total duration in seconds of running through the send loop control stream "
               "response.");
metrics::Histogram& response_seconds =
    AddSeconds("etcd_debugging_server_watch_send_loop_watch_stream_duration_seconds",
               "The total duration in seconds of running through the send loop watch stream "
               "response all events.");
metrics::Histogram& event_seconds =
    AddSeconds("etcd_debugging_server_watch_send_loop_watch_stream_duration_per_event_seconds",
               "The average duration in seconds of running through the send loop watch stream "
               "response, per event.");

// How long it took to send `response`.
void CountSent(const mvcc::WatchResponse& response, Duration took) {
  if (response.created || response.canceled) return control_seconds.Observe(took);
  response_seconds.Observe(took);
  if (!response.events.empty()) {
    event_seconds.Observe(took / static_cast<int64_t>(response.events.size()));
  }
}

// One client's stream, from its first request to its last answer.
class WatchSession {
 public:
  WatchSession(StreamCall* call, mvcc::WatchableStore* store, const Interceptors* interceptors,
               size_t fragment_bytes)
      : call_(*call),
        interceptors_(*interceptors),
        fragment_bytes_(fragment_bytes),
        queue_(&call->queue()),
        stream_(store->NewStream(&queue_)) {}

  // Closing the queue wakes a reader that waits for answers of a stage that has stopped.
  Task<grpc::Status> Run() {
    call_.OnDone([this] { queue_.Close(); });
    WriteLoop();
    const grpc::Status read = co_await ReadLoop();
    if (read.ok()) co_await call_.Done();
    call_.OnDone(nullptr);
    queue_.Close();
    co_await writer_done_.Wait();
    co_return read.ok() ? ToStatus(server::Error::kWatchCanceled) : read;
  }

 private:
  // Until the client has nothing more to say (OK) or says something that is no request.
  Task<grpc::Status> ReadLoop() {
    grpc::ByteBuffer bytes;
    for (;;) {
      co_await queue_.AnswersBelowLimit();
      const bool received = co_await call_.Read(&bytes);
      if (!received) co_return grpc::Status::OK;
      WatchRequest request;
      const grpc::Status parsed = call_.Parse(bytes, &request);
      if (!parsed.ok()) {
        OnReceiveFailure("watch", parsed);
        co_return parsed;
      }
      Handle(request);
    }
  }

  void Handle(WatchRequest& request) {
    switch (request.request_union_case()) {
      case WatchRequest::kCreateRequest:
        queue_.ExpectAnswer();
        stream_->Create(ToWatchCreate(*request.mutable_create_request()));
        break;
      case WatchRequest::kCancelRequest:
        queue_.ExpectAnswer();
        stream_->Cancel(request.cancel_request().watch_id());
        break;
      case WatchRequest::kProgressRequest:
        queue_.ExpectAnswer();
        stream_->RequestProgress();
        break;
      case WatchRequest::REQUEST_UNION_NOT_SET:
        break;  // of a newer client, perhaps: not a reason to end its watches
    }
  }

  Detached WriteLoop() {
    const CallQueue::Hold hold(&call_.queue());
    for (bool alive = true; alive;) {
      co_await queue_.Filled();
      mvcc::WatchResponse response;
      bool more = false;
      if (!queue_.Pop(&response, &more)) break;
      const TimePoint begin = std::chrono::steady_clock::now();
      alive = co_await Write(response, more);
      CountSent(response, std::chrono::steady_clock::now() - begin);
      if (queue_.TakeRoomWanted()) stream_->OnRoom();
    }
    queue_.Close();
    writer_done_.Set();  // may end *this
  }

  // A response, in pieces if need be. A compaction's cancel has no revision in its header.
  Task<bool> Write(const mvcc::WatchResponse& response, bool more) {
    etcdserverpb::ResponseHeader header;
    interceptors_.FillHeaderWithoutRevision(&header);
    header.set_revision(response.revision.value());
    const std::vector<grpc::ByteBuffer> pieces =
        EncodeWatchResponse(header, response, fragment_bytes_);
    for (size_t i = 0; i < pieces.size(); ++i) {
      const bool more_follows = more || i + 1 < pieces.size();
      const bool written = co_await call_.Write(pieces[i], more_follows);
      if (!written) co_return false;
    }
    co_return true;
  }

  StreamCall& call_;
  const Interceptors& interceptors_;
  const size_t fragment_bytes_;
  WatchQueue queue_;
  Signal writer_done_;
  std::unique_ptr<mvcc::WatchStream> stream_;  // gone before its sink, queue_
};

}  // namespace

WatchService::WatchService(const ServiceContext& context) : Service(context, "etcdserverpb.Watch") {
  Add(StreamMethod{"Watch", [this](StreamCall& call) { return Watch(call); }});
}

Task<grpc::Status> WatchService::Watch(StreamCall& call) {
  WatchSession session(&call, &server().watchable_store(), &interceptors(), max_request_bytes());
  co_return co_await session.Run();
}

}  // namespace kvorum::api
