#include "api/http/read_check.h"

namespace kvorum::api {

using server::Error;

Task<Error> CheckRead(server::Server& server, Executor& executor, bool serializable) {
  if (!serializable && !server.ReadIndexNow()) {
    WaitFor<server::Waiter> wait(executor);
    const TimePoint deadline = std::chrono::steady_clock::now() + server.config().request_timeout();
    co_await wait.Until([&] { server.ReadIndex(deadline, &wait); });
    if (wait.error != Error::kOk) co_return wait.error;
  }
  etcdserverpb::RangeRequest request;  // the empty key: never there, so nothing comes from disk
  request.set_limit(1);
  request.set_keys_only(true);
  server::RangeResult result;
  co_return server.Range(request, &result);
}

}  // namespace kvorum::api
