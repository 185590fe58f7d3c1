#include "api/grpc/serving.h"

#include <type_traits>
#include <utility>
#include <variant>

#include "base/check.h"

namespace kvorum::api {

using server::Error;

namespace {

Reply ToReply(const Interceptors& interceptors, server::ApplyResponse& response) {
  return std::visit(
      [&](auto& message) -> Reply {
        if constexpr (std::is_same_v<std::decay_t<decltype(message)>, std::monostate>) {
          return Error::kInternal;
        } else {
          interceptors.FillHeader(message.mutable_header());
          return message;
        }
      },
      response);
}

// Resumes the awaiting coroutine on the pool.
class PoolSwitch {
 public:
  explicit PoolSwitch(server::Server* server) : server_(server) {}
  bool await_ready() const noexcept { return false; }
  // The frame may be gone once the pool has the work, so the verdict is written only when it has
  // not.
  bool await_suspend(std::coroutine_handle<> self) {
    if (server_->RunOnReadPool([self] { self.resume(); })) return true;
    entered_ = false;
    return false;
  }
  bool await_resume() const noexcept { return entered_; }

 private:
  server::Server* server_;
  bool entered_ = true;
};

}  // namespace

Task<Reply> Propose(server::Server& server, const Interceptors& interceptors, UnaryCall& call,
                    RaftRequest request) {
  WaitFor<server::ProposalWaiter> wait(call.queue());
  const TimePoint deadline = call.deadline();
  co_await wait.Until([&] { server.Propose(std::move(request), deadline, &wait); });
  if (wait.error != Error::kOk) co_return wait.error;
  co_return ToReply(interceptors, wait.response);
}

Task<Reply> Refuse(server::Server& server, UnaryCall& call, RaftRequest request, Error malformed) {
  WaitFor<server::ProposalWaiter> wait(call.queue());
  const TimePoint deadline = call.deadline();
  co_await wait.Until([&] { server.Refuse(*request, malformed, deadline, &wait); });
  co_return wait.error;
}

Task<Error> WaitLinearizable(server::Server& server, CallQueue& queue, TimePoint deadline) {
  if (server.ReadIndexNow()) co_return Error::kOk;
  WaitFor<server::Waiter> wait(queue);
  co_await wait.Until([&] { server.ReadIndex(deadline, &wait); });
  co_return wait.error;
}

Task<Error> WaitWithClient(UnaryCall& call, std::function<void(server::Waiter*)> start,
                           std::function<bool(server::Waiter*)> abandon) {
  WaitFor<server::Waiter> wait(call.queue());
  // The coroutine is not resumed before the function it waits with has returned.
  co_await wait.Until([&] {
    start(&wait);
    call.client->OnGone([&] { return abandon(&wait); },
                        [&](Error reason) {
                          wait.error = reason;
                          server::Waiter* const one[] = {&wait};
                          wait.resumer().Resume(one);
                        });
  });
  call.client->Clear();
  co_return wait.error;
}

Task<Error> EnterReadPool(server::Server& server) {
  const bool entered = co_await PoolSwitch(&server);
  co_return entered ? Error::kOk : Error::kTooManyRequests;
}

}  // namespace kvorum::api
