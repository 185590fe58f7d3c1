#include "api/grpc/health_service.h"

#include <utility>

#include "base/log.h"

namespace kvorum::api {

using grpc::health::v1::HealthCheckRequest;
using grpc::health::v1::HealthCheckResponse;

// One Watch stream's wait for a change of the status or its own end. Of the streams' polling
// thread.
class HealthService::Watcher {
 public:
  class Awaiter {
   public:
    explicit Awaiter(Watcher* watcher) : watcher_(watcher) {}
    bool await_ready() const noexcept { return std::exchange(watcher_->woken_, false); }
    void await_suspend(std::coroutine_handle<> self) { watcher_->waiting_ = self; }
    void await_resume() const noexcept { watcher_->woken_ = false; }

   private:
    Watcher* watcher_;
  };

  Watcher(CallQueue* queue, std::unordered_set<Watcher*>* all) : queue_(*queue), all_(*all) {
    all_.insert(this);
  }
  Watcher(const Watcher&) = delete;
  ~Watcher() { all_.erase(this); }

  Awaiter Changed() { return Awaiter(this); }
  // Resumes nobody at once.
  void Wake() {
    woken_ = true;
    if (!waiting_) return;
    const std::coroutine_handle<> handle = std::exchange(waiting_, nullptr);
    queue_.Post({&handle, 1});
  }

 private:
  CallQueue& queue_;
  std::unordered_set<Watcher*>& all_;
  bool woken_ = false;
  std::coroutine_handle<> waiting_;
};

HealthService::HealthService(const ServiceContext& context)
    : Service(context, "grpc.health.v1.Health"), streams_(context.streams) {
  Add(UnaryMethod{"Check", [this](UnaryCall& call) { return Check(call); }});
  Add(UnaryMethod{"List", [this](UnaryCall& call) { return List(call); }});
  Add(StreamMethod{"Watch", [this](StreamCall& call) { return Watch(call); }});
}

HealthCheckResponse HealthService::Response() const {
  HealthCheckResponse response;
  response.set_status(serving_ ? HealthCheckResponse::SERVING : HealthCheckResponse::NOT_SERVING);
  return response;
}

void HealthService::SetServing(bool serving) {
  if (serving) {
    LOG_INFO("grpc service status changed", {"service", ""}, {"status", "SERVING"});
  } else {
    LOG_WARN("grpc service status changed", {"service", ""}, {"status", "NOT_SERVING"},
             {"reason", "defrag is active"});
  }
  if (serving_.exchange(serving) != serving) TellWatchers();
}

Detached HealthService::TellWatchers() {
  const CallQueue::Hold hold(streams_);
  co_await streams_->Switch();
  for (Watcher* watcher : watchers_) watcher->Wake();
}

Task<Reply> HealthService::Check(UnaryCall& call) {
  HealthCheckRequest request;
  const grpc::Status parsed = call.Parse(&request);
  if (!parsed.ok()) co_return parsed;
  if (!request.service().empty()) {
    co_return grpc::Status(grpc::StatusCode::NOT_FOUND, "unknown service");
  }
  co_return Response();
}

Task<Reply> HealthService::List(UnaryCall& call) {
  grpc::health::v1::HealthListRequest request;
  const grpc::Status parsed = call.Parse(&request);
  if (!parsed.ok()) co_return parsed;
  grpc::health::v1::HealthListResponse response;
  (*response.mutable_statuses())[""] = Response();
  co_return response;
}

// The status, and again whenever it has changed; only the last of several changes that the client
// did not take in time.
Task<grpc::Status> HealthService::Watch(StreamCall& call) {
  grpc::ByteBuffer bytes;
  const bool received = co_await call.Read(&bytes);
  if (!received) co_return grpc::Status::OK;
  HealthCheckRequest request;
  const grpc::Status parsed = call.Parse(bytes, &request);
  if (!parsed.ok()) co_return parsed;
  const bool known = request.service().empty();
  HealthCheckResponse unknown;
  unknown.set_status(HealthCheckResponse::SERVICE_UNKNOWN);

  Watcher watcher(streams_, &watchers_);
  bool over = false;
  call.OnDone([&] {
    over = true;
    watcher.Wake();
  });
  int sent = -1;
  while (!over) {
    const HealthCheckResponse response = known ? Response() : unknown;
    if (response.status() != std::exchange(sent, response.status())) {
      const grpc::ByteBuffer answer = Encode(response);
      const bool written = co_await call.Write(answer);
      if (!written) break;
    }
    co_await watcher.Changed();
  }
  call.OnDone(nullptr);
  co_return grpc::Status(grpc::StatusCode::CANCELLED, "Stream has ended.");
}

}  // namespace kvorum::api
